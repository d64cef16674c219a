"""A plan as a person reads it: the dangerous first, the unchanged not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from delivery.attributes import Difference
from delivery.changes import Change, Planned
from delivery.layout import Item, Section, coded, fenced, lay_out, plain, quoted
from delivery.risk import Risk, holds

SUMMARY_LIMIT: Final = 880
"""An action's configuration value holds 1,000 characters, and shows the summary among other words.
https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"""

REVIEW_LIMIT: Final = 60_000
"""Comments of a pull request hold 65,536 characters on GitHub."""

LINES_PER_CHANGE: Final = 30
NAMED: Final = 10
LOST: Final = ("delete", "replace")
COUNTED: Final = (
    ("delete", "to destroy"),
    ("replace", "to replace"),
    ("forget", "to forget"),
    ("create", "to add"),
    ("update", "to change"),
)
SENTENCES: Final = {
    Risk.NONE: "Nothing changes.",
    Risk.ORDINARY: "**Ordinary:** no data is lost; no permission, key, network or public access is touched.",
    Risk.SENSITIVE: "**Sensitive:** it touches",
    Risk.DESTRUCTIVE: "**Destructive:** it loses",
}


@dataclass(frozen=True)
class Review:
    """What someone has to know before they let a plan be applied."""

    stack: str
    planned: Planned
    behaviour: str = ""
    """The answers of the bot that change, as Markdown."""

    foot: str = ""
    """What the plan is: its digest, its commit."""

    @property
    def verdict(self) -> str:
        """One line: how many of what."""
        changes = self.planned.changes
        numbers = [(sum(change.kind == kind for change in changes), words) for kind, words in COUNTED]
        numbers.append((sum(change.imported for change in changes), "to import"))
        numbers.append((sum(bool(change.moved_from) for change in changes), "to move"))
        counts = [f"{count} {words}" for count, words in numbers if count]
        if not counts:
            counts = ["outputs change"] if self.planned.has_changes else ["no changes"]
        risk = f" ({self.planned.risk})" if self.planned.risk > Risk.ORDINARY else ""
        return f"{self.stack}: {', '.join(counts)}{risk}"

    @property
    def summary(self) -> str:
        """The verdict and what it is about, gravest first, in at most 880 characters."""
        named = [f"{_verb(change)}{change.address}" for change in sorted(self.planned.changes, key=_gravity)]
        text = plain(self.verdict)
        for index, name in enumerate(named):
            rest = f" and {len(named) - index} more"
            addition = f"{': ' if index == 0 else ', '}{plain(name)}"
            if len(text) + len(addition) + len(rest) > SUMMARY_LIMIT:
                return text + rest
            text += addition
        return text

    def markdown(self, limit: int = REVIEW_LIMIT) -> str:
        """The whole review. However long it gets, everything destroyed or replaced is named."""
        head = [f"# {plain(self.verdict)}", self._sentence()]
        return lay_out(head, list(self._sections()), self.foot, limit, "See `plan.json` beside the plan.")

    def _sentence(self) -> str:
        """Why it has its grade, in words."""
        grave = [change for change in self.planned.changes if change.risk is self.planned.risk]
        reasons = sorted({change.reason for change in grave if change.reason})
        sentence = SENTENCES[self.planned.risk]
        if self.planned.risk < Risk.SENSITIVE:
            return sentence
        named = [reason.removeprefix("loses ") for reason in reasons]
        widening = sum(change.access.widens for change in self.planned.changes)
        counted = "1 change lets" if widening == 1 else f"{widening} changes let"
        more = f" **{counted} someone do more than before.**" if widening else ""
        return f"{sentence} {', '.join(named)}.{more}"

    def _sections(self) -> Iterable[Section]:
        lost = sorted((change for change in self.planned.changes if change.kind in LOST), key=_gravity)
        kept = sorted((change for change in self.planned.changes if change.kind not in LOST), key=_gravity)
        ordinary = [change for change in kept if change.risk is not Risk.SENSITIVE]
        if lost:
            yield Section(
                "Destroyed or replaced", [[_headline(change)] for change in lost], fenced, _stateful(lost), whole=True
            )
        sections = [
            ("Why they are replaced", [change for change in lost if change.kind == "replace"]),
            ("What they allowed", [change for change in lost if change.kind == "delete" and change.access.lines]),
            ("Sensitive", [change for change in kept if change.risk is Risk.SENSITIVE]),
        ]
        yield from _of_changes(sections)
        if self.behaviour.strip():
            yield Section("Answers that change", [[line] for line in self.behaviour.strip().splitlines()], quoted)
        sections = [
            ("Changed", [change for change in ordinary if change.kind != "create"]),
            ("Added", [change for change in ordinary if change.kind == "create"]),
        ]
        yield from _of_changes(sections)
        if self.planned.outputs:
            yield Section("Outputs", [[line] for line in _lines(self.planned.outputs)], fenced)
        yield from _of_changes([("Changed outside Terraform", list(self.planned.drift))])


def _of_changes(sections: Sequence[tuple[str, Sequence[Change]]]) -> Iterable[Section]:
    return (Section(title, [_item(change) for change in changes], fenced) for title, changes in sections if changes)


def _item(change: Change) -> Item:
    """Return a change: its headline, what it allows, its attributes; the sign stands first, for those who colour."""
    shown = tuple(one for one in change.differences if not change.access.covers(one.path))
    lines = [*change.access.lines, *_lines(shown, change.forcing)]
    return [_headline(change), *(f"{line[:1]}  {line[1:]}" for line in lines)]


def _stateful(lost: Sequence[Change]) -> str:
    """Say by name which of them hold data."""
    holding = [change for change in lost if holds(change.type)]
    if not holding:
        return ""
    named = [f"{coded(change.address)} ({holds(change.type)})" for change in holding[:NAMED]]
    more = [f"and {len(holding) - NAMED} more"] if len(holding) > NAMED else []
    return f"**{len(holding)} of {len(lost)} hold data:** {', '.join(named + more)}."


def _headline(change: Change) -> str:
    signs = {"create": "+", "delete": "-", "replace": "-/+", "forget": "-"}
    loud = change.reason.upper() if change.risk is Risk.DESTRUCTIVE else change.reason
    words = [word for word in (loud, "ALLOWS MORE" if change.access.widens else "", change.note) if word]
    return f"{signs.get(change.kind, '!')} {change.address}{' — ' if words else ''}{'; '.join(words)}"


def _lines(found: Sequence[Difference], forcing: frozenset[str] = frozenset()) -> list[str]:
    lines = [
        f"{difference}{'  (forces replacement)' if difference.path in forcing else ''}"
        for difference in sorted(found, key=lambda difference: difference.path not in forcing)
    ]
    if len(lines) > LINES_PER_CHANGE:
        return [*lines[:LINES_PER_CHANGE], f"… {len(lines) - LINES_PER_CHANGE} more attributes"]
    return lines


def _verb(change: Change) -> str:
    return {"delete": "DESTROY ", "replace": "REPLACE ", "forget": "forget "}.get(change.kind, "")


def _gravity(change: Change) -> tuple[int, bool, bool, str]:
    return -change.risk, change.kind not in LOST, not change.access.widens, change.address
