"""What is known of one build, as BatchGetBuilds tells it.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Build.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.codebuild.limits import Halted
from rehearsal.events import event

IN_PROGRESS = "IN_PROGRESS"


class PhaseError(Exception):
    """A phase that failed: AWS's status ``code`` and one line for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class PhaseRecord:
    """One phase of one build."""

    type: str
    start: datetime
    end: datetime | None = None
    status: str = IN_PROGRESS
    contexts: list[dict[str, str]] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return the phase in AWS's shape."""
        shape: dict[str, Any] = {"phaseType": self.type, "startTime": self.start}
        if self.end is not None and self.type != "COMPLETED":
            seconds = round((self.end - self.start).total_seconds())
            shape |= {"phaseStatus": self.status, "endTime": self.end, "durationInSeconds": seconds}
            shape["contexts"] = self.contexts or [{"statusCode": "", "message": ""}]
        return shape


@dataclass
class BuildRecord:
    """One build; written by the thread that runs it, read by everyone."""

    id: str
    arn: str
    number: int
    account: str
    region: str
    project: dict[str, Any]
    """The project's definition as it was when the build started, overrides applied."""

    initiator: str
    log: Path
    resolved_source_version: str | None = None
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    end: datetime | None = None
    status: str = IN_PROGRESS
    message: str = ""
    phases: list[PhaseRecord] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    artifact_location: dict[str, Any] = field(default_factory=dict)
    report_arns: list[str] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        """The part of the id that is the build's own."""
        return self.id.rpartition(":")[2]

    @contextmanager
    def phase(self, name: str) -> Iterator[PhaseRecord]:
        """Record the phase ``name`` while the block lasts; what it raises ends it accordingly and goes on."""
        phase = PhaseRecord(name, datetime.now(UTC))
        self.phases.append(phase)
        try:
            yield phase
            phase.status = "SUCCEEDED"
        except PhaseError as error:
            phase.status = "FAILED"
            phase.contexts.append({"statusCode": error.code, "message": error.message})
            self.message = self.message or f"{name}: {error.message}"
            raise
        except Halted as halted:
            phase.status = halted.reason
            self.message = f"{name}: the build was stopped" if halted.reason == "STOPPED" else f"{name}: timed out"
            raise
        except Exception:
            phase.status = "FAULT"
            raise
        finally:
            phase.end = datetime.now(UTC)

    def finish(self, status: str) -> None:
        """Give the build its final status."""
        self.status, self.end = status, datetime.now(UTC)
        self.phases.append(PhaseRecord("COMPLETED", self.end, self.end, "SUCCEEDED"))

    def log_stream(self) -> tuple[str, str] | None:
        """Return the CloudWatch log group and stream of this build, ``None`` when its project wants none.

        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CloudWatchLogsConfig.html
        """
        wanted = self.project.get("logsConfig", {}).get("cloudWatchLogs", {})
        if wanted.get("status") == "DISABLED":
            return None
        prefix = f"{wanted['streamName']}/" if wanted.get("streamName") else ""
        return wanted.get("groupName") or f"/aws/codebuild/{self.project['name']}", prefix + self.uuid

    def describe(self) -> dict[str, Any]:
        """Return the build in AWS's shape."""
        shape: dict[str, Any] = {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": self.start,
            "currentPhase": self.phases[-1].type if self.phases else "SUBMITTED",
            "buildStatus": self.status,
            "projectName": self.project["name"],
            "phases": [phase.describe() for phase in list(self.phases)],
            "artifacts": self.artifact_location,
            "logs": self._logs(),
            "buildComplete": self.end is not None,
            "initiator": self.initiator,
            "exportedEnvironmentVariables": [{"name": name, "value": self.exported[name]} for name in self.exported],
            "reportArns": list(self.report_arns),
        }
        kept = ("source", "cache", "environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes")
        shape |= {key: self.project[key] for key in (*kept, "encryptionKey", "sourceVersion") if key in self.project}
        if self.resolved_source_version:
            shape |= {"resolvedSourceVersion": self.resolved_source_version}
            shape.setdefault("sourceVersion", self.resolved_source_version)
        if self.end is not None:
            shape["endTime"] = self.end
        return shape

    def event(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html"""
        about = self.describe()
        more = {
            "initiator": self.initiator,
            "build-number": self.number,
            "build-complete": about["buildComplete"],
            "build-start-time": self.start.strftime("%b %d, %Y %I:%M:%S %p"),
            "source": {key: value for key, value in about["source"].items() if key in ("type", "location")},
            "environment": {"image": about["environment"]["image"], "type": about["environment"]["type"]},
            "logs": {"deep-link": about["logs"]["deepLink"]},
        }
        if version := about.get("sourceVersion"):
            more["source-version"] = version
        return event(
            "aws.codebuild",
            "CodeBuild Build State Change",
            account=self.account,
            region=self.region,
            resources=[self.arn],
            detail={
                "build-status": self.status,
                "project-name": about["projectName"],
                "build-id": self.arn,
                "current-phase": about["currentPhase"],
                "version": "1",
                "additional-information": more,
            },
        )

    def _logs(self) -> dict[str, Any]:
        logs: dict[str, Any] = {"deepLink": self.log.absolute().as_uri()} | self.project.get("logsConfig", {})
        if stream := self.log_stream():
            where = f"arn:aws:logs:{self.region}:{self.account}"
            logs |= {"groupName": stream[0], "streamName": stream[1]}
            logs["cloudWatchLogsArn"] = f"{where}:log-group:{stream[0]}:log-stream:{stream[1]}"
        return logs
