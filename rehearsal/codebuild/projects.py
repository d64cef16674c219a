"""Build projects: what Terraform creates, reads back, changes and deletes.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html
"""

import re
import threading
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from rehearsal.codebuild.variables import CODEBUILD
from rehearsal.identity import trusts
from rehearsal.protocol import Caller, ServiceError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,149}")
TIMEOUT_MINUTES = range(5, 2161)
DEFAULT_TIMEOUT, DEFAULT_QUEUED_TIMEOUT = 60, 480
NOT_EMULATED = {
    "vpcConfig": "builds run on this machine, not in a VPC",
    "fileSystemLocations": "there is no EFS here",
    "buildBatchConfig": "batch builds need several hosts",
    "secondaryArtifacts": "a pipeline's further artifacts stand in the buildspec's secondary-artifacts",
}


class Projects:
    """The projects of every account and region."""

    def __init__(self) -> None:
        self._projects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def create(self, caller: Caller, definition: dict[str, Any]) -> dict[str, Any]:
        """Store a new project and return it; raises ``ServiceError``."""
        name = definition["name"]
        if not NAME.fullmatch(name):
            raise ServiceError("InvalidInputException", f"project name {name!r}: use 2 to 150 letters, digits, - and _")
        now = datetime.now(UTC)
        arn = f"arn:aws:codebuild:{caller.region}:{caller.account}:project/{name}"
        project = _defaults(caller, {"arn": arn, "created": now, "lastModified": now} | definition)
        check(project)
        with self._lock:
            if self._key(caller, name) in self._projects:
                raise ServiceError("ResourceAlreadyExistsException", f"Project already exists: {arn}")
            self._projects[self._key(caller, name)] = project
        return deepcopy(project)

    def update(self, caller: Caller, changes: dict[str, Any]) -> dict[str, Any]:
        """Change what ``changes`` names and return the project; raises ``ServiceError``.

        https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html
        """
        with self._lock:
            before = self._projects.get(self._key(caller, changes["name"]))
            if before is None:
                raise unknown(changes["name"])
            after = _defaults(caller, before | changes | {"lastModified": datetime.now(UTC)})
            if after.get("concurrentBuildLimit", 0) < 0:  # -1 takes the limit away
                del after["concurrentBuildLimit"]
            check(after)
            self._projects[self._key(caller, changes["name"])] = after
        return deepcopy(after)

    def hang(self, caller: Caller, name: str, webhook: dict[str, Any] | None) -> None:
        """Give a project its webhook, or take it away."""
        with self._lock:
            project = self._projects[self._key(caller, _short(name))]
            project.pop("webhook", None)
            if webhook is not None:
                project["webhook"] = deepcopy(webhook)

    def delete(self, caller: Caller, name: str) -> None:
        """Forget a project; one that is not there is as good as deleted, as on AWS."""
        with self._lock:
            self._projects.pop(self._key(caller, _short(name)), None)

    def get(self, caller: Caller, name: str) -> dict[str, Any] | None:
        """Return a project by name or ARN."""
        with self._lock:
            return deepcopy(self._projects.get(self._key(caller, _short(name))))

    def names(self, caller: Caller) -> list[str]:
        """Return the names of the caller's projects."""
        with self._lock:
            return sorted(
                name for account, region, name in self._projects if self._key(caller, name)[:2] == (account, region)
            )

    @staticmethod
    def _key(caller: Caller, name: str) -> tuple[str, str, str]:
        return caller.account, caller.region, name


def unknown(name: str) -> ServiceError:
    """Return the error for a project that does not exist."""
    return ServiceError("ResourceNotFoundException", f"Project cannot be found: {name}")


def check(project: dict[str, Any]) -> None:
    """Raise ``ServiceError`` for a project that could never build."""
    for key, reason in NOT_EMULATED.items():
        if any(project.get(key, {}).values() if isinstance(project.get(key), dict) else project.get(key, [])):
            raise ServiceError("InvalidInputException", f"the rehearsal does not emulate a project's {key}: {reason}")
    if any(each["type"] != "S3" for each in project.get("secondarySources", [])):
        raise ServiceError("InvalidInputException", "the rehearsal takes secondary sources from S3 only")
    piped = {project["source"]["type"] == "CODEPIPELINE", project["artifacts"]["type"] == "CODEPIPELINE"}
    if len(piped) == 2:
        raise ServiceError(
            "InvalidInputException", "source and artifacts must both be of type CODEPIPELINE, or neither"
        )
    if project["source"]["type"] == "NO_SOURCE" and "\n" not in project["source"].get("buildspec", "").strip():
        raise ServiceError("InvalidInputException", "a project without source needs its buildspec inline")
    if project["timeoutInMinutes"] not in TIMEOUT_MINUTES:
        raise ServiceError("InvalidInputException", "Invalid timeout: between 5 and 2160 minutes")
    if not trusts(project["serviceRole"], CODEBUILD, source_arn=project["arn"]):
        # AWS words it "CodeBuild is not authorized to perform: sts:AssumeRole", on which Terraform tries again for two
        # minutes, because a new role may not have spread yet. Here it has.
        role = project["serviceRole"]
        message = f"service role {role} does not exist or does not trust {CODEBUILD}: name it in its trust policy"
        raise ServiceError("InvalidInputException", message)


def _defaults(caller: Caller, project: dict[str, Any]) -> dict[str, Any]:
    """Return ``project`` with what AWS adds to it."""
    key = f"arn:aws:kms:{caller.region}:{caller.account}:alias/aws/s3"
    artifacts = {"encryptionDisabled": False} | project["artifacts"]
    if artifacts["type"] != "NO_ARTIFACTS":
        artifacts = {"name": project["name"], "packaging": "NONE"} | artifacts
    return {
        "timeoutInMinutes": DEFAULT_TIMEOUT,
        "queuedTimeoutInMinutes": DEFAULT_QUEUED_TIMEOUT,
        "encryptionKey": key,
        "cache": {"type": "NO_CACHE"},
        "tags": [],
        "projectVisibility": "PRIVATE",
        **{name: value for name, value in project.items() if name != "badgeEnabled"},
        "badge": {"badgeEnabled": project.get("badgeEnabled", False)},
        "source": {"insecureSsl": False} | project["source"],
        "artifacts": artifacts,
        "environment": {"privilegedMode": False, "imagePullCredentialsType": "CODEBUILD", "environmentVariables": []}
        | project["environment"],
    }


def _short(name: str) -> str:
    return name.rpartition(":project/")[2]
