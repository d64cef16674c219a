"""A pipeline: every version of its definition, its executions, and who stands where."""

from dataclasses import dataclass, field
from datetime import datetime

from rehearsal.codepipeline.model import Declaration, Execution, now


@dataclass
class Transition:
    """Whether executions may enter a stage."""

    enabled: bool = True
    changed_by: str = ""
    changed_at: datetime | None = None
    reason: str = ""


@dataclass
class Pipeline:
    """One pipeline: every version of its definition, its executions, and who stands where."""

    account: str
    region: str
    definitions: list[Declaration]
    tags: dict[str, str]
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    executions: list[Execution] = field(default_factory=list)
    transitions: dict[str, Transition] = field(default_factory=dict)
    inside: dict[str, Execution] = field(default_factory=dict)
    """Stage to the execution that holds it locked."""

    waiting: dict[str, list[Execution]] = field(default_factory=dict)
    """Stage to the executions in front of it."""

    requests: dict[str, str] = field(default_factory=dict)
    """clientRequestToken to the execution it started."""

    @property
    def definition(self) -> Declaration:
        """The definition in force."""
        return self.definitions[-1]

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return str(self.definition["name"])

    @property
    def arn(self) -> str:
        """The pipeline's ARN."""
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{self.name}"

    def transition(self, stage: str) -> Transition:
        """Return the inbound transition of ``stage``."""
        return self.transitions.setdefault(stage, Transition())
