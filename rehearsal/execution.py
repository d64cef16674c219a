"""What is known of an execution: its stages, their actions, and how each of them stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ENDED = frozenset({"Cancelled", "Failed", "Stopped", "Succeeded", "Superseded"})
ACTION_ENDED = frozenset({"Abandoned", "Failed", "Succeeded"})


@dataclass(frozen=True)
class Action:
    """One action: how it stands, since when, what it says of itself and where its log lies."""

    stage: str
    name: str
    status: str = ""
    """As AWS names it; empty when it was not begun."""

    started: datetime | None = None
    updated: datetime | None = None
    category: str = ""
    """``Source``, ``Build``, ``Approval`` and so on."""

    message: str = ""
    log: Path | None = None
    link: str = ""

    @property
    def path(self) -> str:
        """``STAGE/ACTION``."""
        return f"{self.stage}/{self.name}"

    @property
    def outcome(self) -> str:
        """The status in a person's words: an approval that failed was rejected."""
        return "Rejected" if self.category == "Approval" and self.status == "Failed" else self.status

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes so far."""
        return _elapsed(self.started, self.updated if self.status in ACTION_ENDED else None)


@dataclass(frozen=True)
class Stage:
    """One stage and its actions, in the order in which they run."""

    name: str
    status: str = ""
    actions: tuple[Action, ...] = ()
    message: str = ""

    @property
    def seconds(self) -> float | None:
        """From the first action's begin to the last one's end."""
        begun = [action for action in self.actions if action.started]
        if not begun:
            return None
        running = any(action.status not in ACTION_ENDED for action in begun)
        ended = None if running else max(action.updated or _now() for action in begun)
        return _elapsed(min(action.started for action in begun if action.started), ended)


@dataclass(frozen=True)
class Execution:
    """One execution of the pipeline with all of its stages."""

    identifier: str
    status: str
    commit: str = ""
    summary: str = ""
    trigger: str = ""
    started: datetime | None = None
    updated: datetime | None = None
    stages: tuple[Stage, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in ENDED

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes so far."""
        return _elapsed(self.started, self.updated if self.ended else None)

    @property
    def actions(self) -> Iterator[Action]:
        """Every action of every stage."""
        return (action for stage in self.stages for action in stage.actions)

    def stage(self, name: str) -> Stage | None:
        """Return the stage called ``name``."""
        return next((stage for stage in self.stages if stage.name == name), None)


def failed_actions(execution: Execution) -> list[Action]:
    """Return the actions that failed."""
    return [action for action in execution.actions if action.status == "Failed"]


def _elapsed(started: datetime | None, ended: datetime | None) -> float | None:
    return max(0.0, ((ended or _now()) - started).total_seconds()) if started else None


def _now() -> datetime:
    return datetime.now(UTC)
