"""From one environment to the next: that both plans come from one build, and in what they differ."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delivery.changes import Change, read_plan
from delivery.errors import UsageError
from delivery.layout import coded, fenced
from delivery.record import Record

Json = dict[str, Any]

PACKAGE: Final = "lambda.zip"
MOST_LINES: Final = 40


@dataclass(frozen=True)
class Planned:
    """A plan and its record."""

    plan: Json
    record: Record

    @classmethod
    def load(cls, folder: Path) -> "Planned":
        """Read what ``plan`` wrote; raises ``UsageError`` where that is not what lies there."""
        try:
            plan = json.loads((folder / "plan.json").read_text())
            read_plan(plan)
            return cls(plan, Record.load(folder / "record.json"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError(f"{folder} holds no plan of an earlier environment ({error})") from error

    @property
    def name(self) -> str:
        """The environment it was made for."""
        return self.record.environment

    @property
    def packages(self) -> set[str]:
        """The digests of the function's packages that it was made from."""
        return {digest for path, digest in self.record.plan.files.items() if path.endswith(f"/{PACKAGE}")}


def compare(ours: Planned, before: Planned) -> str:
    """Return, as Markdown, what proves that ``ours`` brings the build that ``before`` brought, and how they differ."""
    faults = _faults(ours, before)
    if faults:
        first = f"**Not the build that {coded(before.name)} has:** {'; '.join(faults)}."
    else:
        release = ours.record.plan.release
        (package,) = ours.packages
        first = (
            f"**The build that {coded(before.name)} has:** commit {coded(release.commit)}, whose function's package "
            f"{coded(package)} is what both plans were made from."
        )
    return f"{first}\n\n{_shape(ours, before)}"


def _faults(ours: Planned, before: Planned) -> list[str]:
    """Return why the two plans do not come from one build."""
    release, earlier = ours.record.plan.release, before.record.plan.release
    found = []
    if not release.commit or not release.release:
        found.append("this plan was not made from a recorded build")
    elif release != earlier:
        found.append(f"this is build {coded(release.release[:12])} of commit {coded(release.commit[:12])}")
    if ours.packages != before.packages or len(ours.packages) != 1:
        found.append("the function's package is another")
    elif release.lambda_sha256 not in ours.packages:
        found.append("the function's package is not the one that the build recorded")
    return found


def _shape(ours: Planned, before: Planned) -> str:
    here, there = _changes(ours.plan), _changes(before.plan)
    if not here and not there:
        return "Neither changes anything."
    if not there:
        return f"{coded(before.name)} had nothing to change: an earlier execution brought it this far."
    alike = [address for address, change in here.items() if address in there and _alike(change, there[address])]
    lines = [
        *(f"+ {address}: {change.kind}, here only" for address, change in here.items() if address not in there),
        *(
            f"- {address}: {change.kind}, in {before.name} only"
            for address, change in there.items()
            if address not in here
        ),
        *(
            f"! {address}: {_told(change)}; in {before.name} {_told(there[address])}"
            for address, change in here.items()
            if address in there and address not in alike
        ),
    ]
    if not lines:
        return f"What changes is what changed in {coded(before.name)}: {_counted(len(alike))} of the same kind."
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more"]
    return f"As in {coded(before.name)}: {_counted(len(alike))}. Otherwise:\n\n{fenced(lines)}"


def _changes(plan: Json) -> dict[str, Change]:
    return {change.address: change for change in read_plan(plan).changes}


def _alike(one: Change, other: Change) -> bool:
    return one.kind == other.kind and _attributes(one) == _attributes(other)


def _attributes(change: Change) -> list[str]:
    return sorted({difference.path for difference in change.differences})


def _told(change: Change) -> str:
    return f"{change.kind} of {', '.join(_attributes(change))}" if change.differences else change.kind


def _counted(number: int) -> str:
    return f"{number} change" if number == 1 else f"{number} changes"
