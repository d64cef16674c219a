"""What an action provider is given, and what it must be able to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rehearsal.codebuild import BuildRequest, BuildResult
from rehearsal.codepipeline.model import ActionRun, Artifact, Declaration, Execution, Outcome
from rehearsal.codepipeline.pipeline import Pipeline


class Builds(Protocol):
    """What CodePipeline needs of CodeBuild."""

    def start(self, request: BuildRequest) -> str:
        """Start a build and return its id."""

    def wait(self, build_id: str) -> BuildResult:
        """Return how it ended, once it has."""

    def stop(self, build_id: str) -> object:
        """End it before its time."""


@dataclass(frozen=True)
class Task:
    """One action to perform, with its configuration's variables resolved."""

    pipeline: Pipeline
    execution: Execution
    run: ActionRun
    configuration: dict[str, str]
    folder: Path
    """Private to this action, gone when it ends."""

    @property
    def definition(self) -> Declaration:
        """The definition that the action belongs to."""
        return self.execution.definition

    @property
    def role(self) -> str:
        """The role the action runs under: its own, or the pipeline's."""
        return str(self.run.declaration.get("roleArn") or self.definition["roleArn"])

    @property
    def inputs(self) -> list[Artifact]:
        """The action's input artifacts."""
        return self.run.inputs

    @property
    def output_names(self) -> list[str]:
        """The names of its output artifacts."""
        return [artifact["name"] for artifact in self.run.declaration["outputArtifacts"]]


class Provider(Protocol):
    """Performs actions of one type."""

    def __call__(self, task: Task) -> Outcome | None:
        """Return what came of it, or ``None`` if an API call will end the action. Raises ``ActionError``."""
