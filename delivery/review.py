"""A plan as a person reads it: the dangerous first, the unchanged not at all."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from delivery.attributes import Difference
from delivery.changes import Change, Planned
from delivery.risk import STATEFUL, Risk

SUMMARY_LIMIT: Final = 900
"""An action's configuration value holds 1,000 characters, and shows the summary among other words.
https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"""

REVIEW_LIMIT: Final = 60_000
"""Comments of a pull request hold 65,536 characters on GitHub."""

LINES_PER_CHANGE: Final = 30
COUNTED: Final = (
    ("delete", "to destroy"),
    ("replace", "to replace"),
    ("forget", "to forget"),
    ("create", "to add"),
    ("update", "to change"),
    ("import", "to import"),
    ("move", "to move"),
)


@dataclass(frozen=True)
class Review:
    """What someone has to know before they let a plan be applied."""

    stack: str
    planned: Planned

    @property
    def verdict(self) -> str:
        """One line: how many of what."""
        counts = [
            f"{count} {words}"
            for kind, words in COUNTED
            if (count := sum(change.kind == kind for change in self.planned.changes))
        ]
        if not counts:
            counts = ["outputs change"] if self.planned.has_changes else ["no changes"]
        risk = f" ({self.planned.risk})" if self.planned.risk > Risk.ORDINARY else ""
        return f"{self.stack}: {', '.join(counts)}{risk}"

    @property
    def summary(self) -> str:
        """The verdict and what it is about, gravest first, in at most 900 characters."""
        named = [f"{_verb(change)}{change.address}" for change in sorted(self.planned.changes, key=_gravity)]
        text = _plain(self.verdict)
        for index, name in enumerate(named):
            rest = f" and {len(named) - index} more"
            addition = f"{': ' if index == 0 else ', '}{_plain(name)}"
            if len(text) + len(addition) + len(rest) > SUMMARY_LIMIT:
                return text + rest
            text += addition
        return text

    def markdown(self) -> str:
        """The whole review. However long it gets, everything destroyed or replaced is named."""
        lost = [change for change in self.planned.changes if change.kind in ("delete", "replace")]
        lost.sort(key=_gravity)
        parts = [f"# {_plain(self.verdict)}"]
        if lost:
            stateful = sum(change.type in STATEFUL for change in lost)
            warning = f"**{stateful} of {len(lost)} hold data.**\n\n" if stateful else ""
            parts.append(f"## Destroyed or replaced\n\n{warning}{_fenced([_headline(change) for change in lost])}")
        room = REVIEW_LIMIT - sum(map(len, parts))
        for title, changes in self._sections(lost):
            section, left = _section(title, changes, room)
            parts.append(section)
            room -= len(section)
            if left:
                parts.append(f"… and {left} more under “{title}”: see `plan.json`.")
        if self.planned.outputs and room > 0:
            parts.append(f"## Outputs\n\n{_fenced(_lines(self.planned.outputs))}")
        return "\n\n".join(parts) + "\n"

    def _sections(self, lost: list[Change]) -> list[tuple[str, list[Change]]]:
        kept = sorted((change for change in self.planned.changes if change not in lost), key=_gravity)
        ordinary = [change for change in kept if change.risk is not Risk.SENSITIVE]
        sections = [
            ("Why they are replaced", [change for change in lost if change.kind == "replace"]),
            ("Sensitive", [change for change in kept if change.risk is Risk.SENSITIVE]),
            ("Changed", [change for change in ordinary if change.kind != "create"]),
            ("Added", [change for change in ordinary if change.kind == "create"]),
        ]
        sections.append(("Changed outside Terraform", list(self.planned.drift)))
        return [(title, changes) for title, changes in sections if changes]


def _section(title: str, changes: list[Change], room: int) -> tuple[str, int]:
    """Return as much of a section as there is room for, and how many changes that leaves out."""
    blocks: list[list[str]] = []
    for change in changes:
        block = [_headline(change), *(f"  {line}" for line in _lines(change.differences, change.forcing))]
        room -= sum(len(line) + 1 for line in block)
        if room < 0:
            break
        blocks.append(block)
    return f"## {title}\n\n{_fenced([line for block in blocks for line in block])}", len(changes) - len(blocks)


def _headline(change: Change) -> str:
    signs = {"create": "+", "delete": "-", "replace": "-/+", "forget": "-"}
    words = [
        word
        for word in (change.reason.upper() if change.risk is Risk.DESTRUCTIVE else change.reason, change.note)
        if word
    ]
    return f"{signs.get(change.kind, '!')} {change.address}{' — ' if words else ''}{'; '.join(words)}"


def _lines(found: tuple[Difference, ...], forcing: frozenset[str] = frozenset()) -> list[str]:
    lines = [
        f"{difference}{'  (forces replacement)' if difference.path in forcing else ''}"
        for difference in sorted(found, key=lambda difference: difference.path not in forcing)
    ]
    if len(lines) > LINES_PER_CHANGE:
        return [*lines[:LINES_PER_CHANGE], f"… {len(lines) - LINES_PER_CHANGE} more attributes"]
    return lines


def _fenced(lines: list[str]) -> str:
    """Return lines as a block that nothing inside them can close."""
    text = "\n".join(_plain(line) for line in lines)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{text}\n{fence}"


def _plain(text: str) -> str:
    """Return ``text`` without characters that move a terminal's cursor or turn the direction of writing."""
    return "".join("?" if unicodedata.category(character).startswith("C") else character for character in text)


def _verb(change: Change) -> str:
    return {"delete": "DESTROY ", "replace": "REPLACE ", "forget": "forget "}.get(change.kind, "")


def _gravity(change: Change) -> tuple[int, bool, str]:
    return -change.risk, change.kind not in ("delete", "replace"), change.address
