"""A small cloud in which tests run real builds."""

import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.codebuild import BuildRequest, BuildResult, CodeBuild

REGION = "eu-west-1"
logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Offline:
    """The network of builds that need none."""

    def environment(self) -> dict[str, str]:
        """No variables."""
        return {}


def trust(service: str) -> str:
    """Return a trust policy that lets ``service`` assume a role."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Workshop:
    """A cloud with CodeBuild and one role that trusts it."""

    cloud: Cloud
    codebuild: CodeBuild
    folder: Path
    role: str
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1000)))

    @property
    def client(self) -> Any:
        """CodeBuild's client."""
        return self.cloud.client("codebuild")

    def project(self, buildspec: str = "", **settings: Any) -> str:
        """Create a project that a pipeline builds and return its name."""
        name = f"demo-{next(self.numbers)}"
        definition = {
            "source": {"type": "CODEPIPELINE", "buildspec": dedent(buildspec)},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            "serviceRole": self.role,
        }
        self.client.create_project(name=name, **definition | settings)
        return name

    def start(self, project: str, **request: Any) -> str:
        """Start a build as a pipeline does."""
        return self.codebuild.start(BuildRequest(project, self.cloud.account, REGION, **request))

    def build(self, project: str, **request: Any) -> BuildResult:
        """Build as a pipeline does, to the end."""
        return self.codebuild.wait(self.start(project, **request))

    def run(self, buildspec: str, *, settings: dict[str, Any] | None = None, **request: Any) -> BuildResult:
        """Build a new project with ``buildspec``."""
        return self.build(self.project(buildspec, **settings or {}), **request)

    def printed(self, result: BuildResult) -> list[str]:
        """Return what the build's commands printed, without CodeBuild's own lines."""
        return [line for line in result.log.read_text().splitlines() if not line.startswith("[Container]")]

    def phases(self, build_id: str) -> dict[str, str]:
        """Return the status of each phase."""
        build = self.client.batch_get_builds(ids=[build_id])["builds"][0]
        return {phase["phaseType"]: phase.get("phaseStatus", "") for phase in build["phases"]}


@contextmanager
def workshop(folder: Path, **timing: float) -> Iterator[Workshop]:
    """Open a workshop in ``folder`` and leave nothing running."""
    # moto remembers what earlier clouds of this process held, so each has an account of its own.
    account = str(secrets.randbelow(9 * 10**11) + 10**11)
    with Cloud(account=account, region=REGION) as cloud:
        policy = trust("codebuild.amazonaws.com")
        role = cloud.client("iam").create_role(RoleName="builder", AssumeRolePolicyDocument=policy)
        codebuild = CodeBuild(cloud, folder, Offline(), **timing)
        cloud.add([codebuild])
        try:
            yield Workshop(cloud, codebuild, folder, role["Role"]["Arn"])
        finally:
            codebuild.close()
