"""What CodePipeline remembers of executions: how far each stage and action of them came."""

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Declaration = dict[str, Any]
"""A part of a pipeline's definition, in the API's own shape."""

ENDED = frozenset({"Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"})


def now() -> datetime:
    """Return the time, as the API tells it."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an id for an execution, an action execution or an approval."""
    return str(uuid.uuid4())


class ActionError(Exception):
    """Why an action failed, as its ``errorDetails`` say."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Artifact:
    """An artifact of one execution: where it lies, and which source revision it comes from."""

    name: str
    bucket: str
    key: str
    revision: str | None = None

    def location(self) -> Declaration:
        """Return it as ``ArtifactDetail``."""
        return {"name": self.name, "s3location": {"bucket": self.bucket, "key": self.key}}


@dataclass(frozen=True)
class Revision:
    """The source revision that an execution runs for, per source action."""

    action: str
    artifact: str
    id: str
    summary: str
    created: datetime
    url: str


@dataclass(frozen=True)
class Outcome:
    """What a succeeded action leaves behind."""

    variables: dict[str, str] = field(default_factory=dict)
    artifacts: list[Artifact] = field(default_factory=list)
    revision: Revision | None = None
    summary: str = ""


@dataclass
class ActionRun:
    """One execution of one action."""

    stage: str
    declaration: Declaration
    version: int
    id: str = field(default_factory=new_id)
    status: str = "InProgress"
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    resolved: dict[str, str] = field(default_factory=dict)
    inputs: list[Artifact] = field(default_factory=list)
    outcome: Outcome = field(default_factory=Outcome)
    summary: str = ""
    token: str = ""
    """What an open approval wants to be answered with."""

    approved_with: str = ""
    """The token it was answered with."""

    updated_by: str = ""
    external_id: str = ""
    external_url: str = ""
    error: ActionError | None = None
    over: threading.Event = field(default_factory=threading.Event)
    """Set once the status is final, also when nobody waited for the action's own end."""

    @property
    def name(self) -> str:
        """The action's name."""
        return str(self.declaration["name"])

    def end(self, status: str) -> None:
        """Give it its final status."""
        self.status, self.updated, self.token = status, now(), ""
        self.over.set()


@dataclass
class RuleRun:
    """One evaluation of one rule of a condition."""

    name: str
    status: str
    summary: str
    at: datetime = field(default_factory=now)
    id: str = field(default_factory=new_id)


@dataclass
class ConditionRun:
    """One evaluation of a stage's condition."""

    status: str
    summary: str
    rules: list[RuleRun]
    at: datetime = field(default_factory=now)


@dataclass
class StageRun:
    """One pass of an execution through a stage."""

    name: str
    status: str = "InProgress"
    actions: dict[str, ActionRun] = field(default_factory=dict)
    conditions: dict[str, ConditionRun] = field(default_factory=dict)
    failure: str = ""
    """Why it failed, in one line."""

    automatic_retries: int = 0
    manual_retries: int = 0
    retry_trigger: str = ""


@dataclass
class Execution:
    """One run of a set of changes through the definition that was in force when it started."""

    number: int
    definition: Declaration
    trigger: Declaration
    variables: dict[str, str]
    overrides: dict[str, str]
    """Source action to the commit it shall fetch instead of the branch's tip."""

    id: str = field(default_factory=new_id)
    status: str = "InProgress"
    summary: str = ""
    started: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    at: str = ""
    """The stage it is in, empty while it waits between stages."""

    stages: dict[str, StageRun] = field(default_factory=dict)
    history: list[ActionRun] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    stopping: bool = False
    abandoned: bool = False
    stop_reason: str = ""
    outdated: bool = False
    """The pipeline's definition was updated meanwhile."""

    @property
    def ended(self) -> bool:
        """Whether its status is final (unless a stage is retried)."""
        return self.status in ENDED

    @property
    def leaving(self) -> bool:
        """Whether it goes no further than the actions that run now."""
        return self.ended or self.stopping or self.outdated

    @property
    def mode(self) -> str:
        """The execution mode it was started in."""
        return str(self.definition["executionMode"])

    def become(self, status: str, summary: str = "") -> None:
        """Change its status."""
        self.status, self.summary, self.updated = status, summary, now()
