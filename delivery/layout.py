"""Markdown of any length from sections of items: what does not fit is cut from the bottom, and said to be."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

UNSHOWN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""https://www.unicode.org/reports/tr44/#General_Category_Values"""

CUT_WORDS = 100
"""More than what is said of a cut beside its sections, and of an item that is begun only."""

Item = Sequence[str]
"""The lines of one thing that is listed; they stay together."""


@dataclass(frozen=True)
class Section:
    """A heading, words below it, and items."""

    title: str
    items: Sequence[Item]
    render: Callable[[Iterable[str]], str]
    intro: str = ""
    whole: bool = False
    """Whether it is never cut, however long it gets."""

    def markdown(self, count: int) -> str:
        """Return it with the first ``count`` of its items."""
        body = self.render(line for item in self.items[:count] for line in item)
        return "\n\n".join(part for part in (f"## {self.title}", self.intro, body) if part)


def lay_out(head: Sequence[str], sections: Sequence[Section], foot: str, limit: int, elsewhere: str) -> str:
    """Return ``head``, as much of ``sections`` as fits into ``limit`` characters, what was cut, and ``foot``."""
    parts = list(head)
    room = limit - sum(len(part) + 2 for part in (*head, foot)) - sum(len(one.markdown(0)) for one in sections)
    said = sum(map(len, (_cut(one, len(one.items)) for one in sections)), len(elsewhere) + CUT_WORDS)
    cut: list[str] = []
    for section in sections:
        shown: list[Item] = []
        for item in section.items:
            # Once something is cut, all that follows is: a reader must not mistake a gap for the end.
            if not section.whole and (cut or room < _size(item)):
                break
            room -= _size(item)
            shown.append(item)
        left = len(section.items) - len(shown)
        if left and not cut:
            shown += _beginning(section.items[len(shown)], room - said)
        if shown:
            parts.append(replace(section, items=shown).markdown(len(shown)))
        if left:
            cut.append(_cut(section, left))
    if cut:
        parts.append(f"**Cut for length:** {'; '.join(cut)}. {elsewhere}")
    return "\n\n".join(part for part in (*parts, foot) if part) + "\n"


def _size(item: Item) -> int:
    return sum(len(line) + 3 for line in item)


def _cut(section: Section, left: int) -> str:
    return f"{left} of {len(section.items)} under “{section.title}”"


def _beginning(item: Item, room: int) -> list[Item]:
    """Return as many of the item's first lines as fit: at least what it is called should be read."""
    ends = accumulate(len(line) + 3 for line in item)
    count = sum(end <= room for end in ends)
    return [[*item[:count], f"… {len(item) - count} more lines"]] if count else []


def fenced(lines: Iterable[str]) -> str:
    """Return lines as a block of differences that nothing inside them can close."""
    text = "\n".join(plain(line) for line in lines)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{text}\n{fence}"


def quoted(lines: Iterable[str]) -> str:
    """Return someone else's Markdown as a quotation: whatever it says, it stays one."""
    return "\n".join(f"> {plain(line)}".rstrip() for line in lines)


def coded(text: str) -> str:
    """Return ``text`` as code within a line, which nothing inside it can close."""
    shown = plain(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def plain(text: str) -> str:
    """Return ``text`` without characters that move a terminal's cursor, turn the direction of writing or end a line."""
    return "".join("?" if unicodedata.category(character) in UNSHOWN else character for character in text)
