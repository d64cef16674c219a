"""What a build is asked for, and what comes of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"]


@dataclass(frozen=True)
class BuildRequest:
    """One build of ``project``, as CodePipeline's CodeBuild action asks for it.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
    """

    project: str
    account: str
    region: str
    sources: dict[str, Path] = field(default_factory=dict)
    """Artifact name to zip file."""

    primary_source: str = ""
    """Which of ``sources`` holds the buildspec; may be empty when there is one source or none."""

    environment: list[dict[str, str]] = field(default_factory=list)
    """The action's ``EnvironmentVariables``: ``name``, ``value``, ``type``."""

    artifact_names: list[str] = field(default_factory=list)
    """The action's output artifacts, in its order."""

    resolved_source_version: str | None = None
    initiator: str = "rehearsal"
    variables: dict[str, str] = field(default_factory=dict)
    """Further ``CODEBUILD_*`` variables."""


@dataclass(frozen=True)
class BuildResult:
    """How a build ended."""

    status: Status
    exported: dict[str, str]
    """The buildspec's ``exported-variables``."""

    artifacts: dict[str, Path]
    """Artifact name to zip file."""

    log: Path
    message: str
    """One line: what failed, empty when nothing did."""
