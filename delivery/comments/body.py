"""What a comment says: every environment's review, and all that is destroyed even where there is room for little."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from delivery.changes import Change
from delivery.layout import plain
from delivery.review import LOST, Review
from delivery.risk import Risk

SIGNPOST: Final = 200
"""Bytes that headings a level down take more, and letters that take more than one."""

SIGNS: Final = {"delete": "-", "replace": "-/+"}


def compose(reviews: Sequence[Review], *, head: str, foot: str, limit: int) -> str:
    """Return a comment of at most ``limit`` bytes between the paragraphs ``head`` and ``foot``.

    What does not fit is cut from the bottom of each review, and that is said; what is destroyed or replaced stands
    above, named one by one as long as the service takes that many names, counted in any case.
    """
    whole = "\n\n".join((head, *(_demoted(review.markdown()) for review in reviews), foot))
    if _size(whole) <= limit:
        return whole
    verdicts = cut("\n".join(f"- {review.verdict}" for review in reviews), limit // 3)
    head = cut(head, limit // 3)
    room = limit - sum(_size(part) + 2 for part in (head, verdicts, foot))
    lost = _lost(reviews, room)
    room -= _size(lost) + 2
    parts = [part for part in (head, verdicts, lost) if part]
    for index, review in enumerate(reviews):
        share = room // (len(reviews) - index) - 2
        # Once as the review itself is cut, item by item; then byte by byte, since it never cuts what is lost.
        part = cut(_demoted(review.markdown(max(share - SIGNPOST, 0))), share)
        parts += [part] if part else []
        room -= _size(part) + 2
    return "\n\n".join((*parts, foot))


def cut(text: str, room: int) -> str:
    """Return as many lines from the top of ``text`` as ``room`` bytes hold, blocks closed, and what was cut."""
    if _size(text) <= room:
        return text
    lines = text.split("\n")
    kept: list[str] = []
    fence = ""
    used = _size(_notice(len(lines)))
    for line in lines:
        ticks = re.match("`{3,}", line)
        opens = ticks[0] if ticks and not fence else "" if ticks and ticks[0] == fence else fence
        if used + _size(line) + 1 + (len(opens) + 1 if opens else 0) > room:
            break
        used += _size(line) + 1
        kept, fence = [*kept, line], opens
    if not kept:
        return ""
    return "\n".join([*kept, *([fence] if fence else [])]) + _notice(len(lines) - len(kept))


def _notice(lines: int) -> str:
    return f"\n\n… {lines} more lines were cut: the build's log has them."


def _demoted(markdown: str) -> str:
    """Return a review with its headings one level down, below the comment's own."""
    fence = ""
    lines = []
    for line in markdown.strip().split("\n"):
        ticks = re.match("`{3,}", line)
        if ticks:
            fence = "" if ticks[0] == fence else fence or ticks[0]
        lines.append(f"#{line}" if line.startswith("#") and not fence else line)
    return "\n".join(lines)


def _lost(reviews: Sequence[Review], room: int) -> str:
    """Return what all of ``reviews`` destroy or replace: line by line, by type, or as many as fit."""
    found = [
        (review.stack, sorted((one for one in review.planned.changes if one.kind in LOST), key=_gravity))
        for review in reviews
    ]
    found = [(stack, changes) for stack, changes in found if changes]
    if not found:
        return ""
    for render in (_each, _by_type):
        text = "\n".join(["**Destroyed or replaced:**", "", "````", *render(found), "````"])
        if _size(text) <= room:
            return text
    return cut(text, room)


def _each(found: Iterable[tuple[str, list[Change]]]) -> Iterable[str]:
    for stack, changes in found:
        yield from (f"{SIGNS[change.kind]} {stack}: {plain(change.address)}" for change in changes)


def _by_type(found: Iterable[tuple[str, list[Change]]]) -> Iterable[str]:
    for stack, changes in found:
        yield f"{stack}: {len(changes)}"
        named: dict[str, list[str]] = {}
        for change in changes:
            named.setdefault(change.type, []).append(plain(change.address).removeprefix(f"{change.type}."))
        yield from (f"- {plain(type_)}: {' '.join(names)}" for type_, names in named.items())


def _gravity(change: Change) -> tuple[bool, str]:
    return change.risk is not Risk.DESTRUCTIVE, change.address


def _size(text: str) -> int:
    return len(text.encode())
