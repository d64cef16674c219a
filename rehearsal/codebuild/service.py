"""CodeBuild's API: projects are stored, builds run on threads of this process.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Operations.html
"""

import logging
import threading
from pathlib import Path
from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.codebuild import projects, sources
from rehearsal.codebuild.builds import Builds
from rehearsal.codebuild.caches import forget_drafts
from rehearsal.codebuild.host import Host, Network
from rehearsal.codebuild.model import BuildRequest, BuildResult, Status
from rehearsal.codebuild.overrides import overridden
from rehearsal.codebuild.paging import page
from rehearsal.codebuild.record import BuildRecord
from rehearsal.codebuild.reportgroups import ReportOperations
from rehearsal.codebuild.reports import Reports
from rehearsal.codebuild.variables import check_variables
from rehearsal.codebuild.webhooks import PullRequestEvent, WebhookOperations
from rehearsal.events import Match, deliver
from rehearsal.protocol import Caller, ServiceError
from rehearsal.repositories import Repositories

LOG = logging.getLogger(__name__)

RESULTS: dict[str, Status] = {"SUCCEEDED": "SUCCEEDED", "STOPPED": "STOPPED", "TIMED_OUT": "TIMED_OUT"}


class CodeBuild(ReportOperations, WebhookOperations):
    """CodeBuild in ``cloud``; builds live below ``folder`` and reach the network through ``proxy``.

    ``minute`` is how many seconds a minute of a project's time-out lasts, ``grace`` how many a stopped build has
    unless ``hurry`` is set; ``repositories`` hold what GitHub, Bitbucket and CodeCommit would.
    """

    service = "codebuild"
    target_prefixes = ("CodeBuild_20161006",)

    def __init__(
        self,
        cloud: Cloud,
        folder: Path,
        proxy: Network,
        *,
        minute: float = 60.0,
        grace: float = 30.0,
        hurry: threading.Event | None = None,
        builds: Path | None = None,
        repositories: Repositories | None = None,
    ) -> None:
        self.reports = Reports()
        folder = folder.absolute()
        forget_drafts(folder / "cache")
        host = Host(
            cloud,
            folder,
            proxy,
            self.reports,
            minute,
            grace,
            hurry or threading.Event(),
            builds=builds or folder / "builds",
            repositories=repositories,
        )
        self.builds = Builds(host, self._tell)
        self._projects = projects.Projects()

    # What the pipeline calls.

    def start(self, request: BuildRequest) -> str:
        """Start a build and return its id; raises ``ServiceError``."""
        check_variables(request.environment)
        caller = Caller(request.account, request.region, "")
        project = self._projects.get(caller, request.project)
        if project is None:
            raise projects.unknown(request.project)
        return self.builds.begin(caller, project, request).id

    def wait(self, build_id: str) -> BuildResult:
        """Return how the build ended, once it has."""
        running = self.builds.find(build_id)
        running.done.wait()
        record = running.record
        status = RESULTS.get(record.status, "FAILED")
        return BuildResult(status, dict(record.exported), dict(record.artifacts), record.log, record.message)

    def stop(self, build_id: str) -> None:
        """Ask a build to end: SIGINT first, so that Terraform saves its state, then harder."""
        self.builds.find(build_id).build.limits.stopped.set()

    def close(self) -> None:
        """Stop every build and wait until nothing of them is left."""
        self.builds.close()

    # What GitHub and Bitbucket call.

    def hear(self, caller: Caller, name: str, told: PullRequestEvent) -> str | None:
        """Start the build of a pull request that the project's webhook lets through, and return its id, if it does.

        https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html
        """
        if not self.starts(caller, name, told):
            return None
        return self._start(caller, name, {"sourceVersion": f"pr/{told.number}"}, "webhook").id

    # What EventBridge calls, and is told.

    def target(self, match: Match) -> None:
        """Start the build that a rule targets; what the rule hands over are StartBuild's parameters.

        https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications.html
        """
        _, _, _, region, account, project = match.target.split(":", 5)
        given = match.input if isinstance(match.input, dict) else {}
        # Without an input of its own, a target is given the event, in which CodeBuild finds no parameter.
        parameters = {} if "detail-type" in given else given
        initiator = match.rule.rpartition(":")[2]
        try:
            self._start(Caller(account, region, ""), project.removeprefix("project/"), parameters, initiator)
        except ServiceError as error:
            LOG.warning("%s cannot start %s: %s", initiator, match.target, error.message)

    def _tell(self, record: BuildRecord) -> None:
        deliver(record.event(), {"codebuild": self.target})

    # The API.

    def create_project(self, caller: Caller, **definition: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CreateProject.html"""
        return {"project": self._projects.create(caller, definition)}

    def update_project(self, caller: Caller, **changes: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html"""
        return {"project": self._projects.update(caller, changes)}

    def delete_project(self, caller: Caller, name: str) -> None:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_DeleteProject.html"""
        self._projects.delete(caller, name)

    def batch_get_projects(self, caller: Caller, names: list[str]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html"""
        found = {name: self._projects.get(caller, name) for name in names}
        return {
            "projects": [project for project in found.values() if project],
            "projectsNotFound": [name for name, project in found.items() if not project],
        }

    def list_projects(self, caller: Caller, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListProjects.html"""
        names = self._projects.names(caller)
        return page("projects", names[::-1] if query.get("sortOrder") == "DESCENDING" else names, query)

    def start_build(self, caller: Caller, projectName: str, **overrides: Any) -> dict[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StartBuild.html"""
        return {"build": self._start(caller, projectName, overrides, caller.access_key or "rehearsal").describe()}

    def _start(self, caller: Caller, name: str, overrides: dict[str, Any], initiator: str) -> BuildRecord:
        project = self._projects.get(caller, name)
        if project is None:
            raise projects.unknown(name)
        project = overridden(project, overrides)
        sources.check(project["source"])
        request = BuildRequest(project["name"], caller.account, caller.region, initiator=initiator)
        return self.builds.begin(caller, project, request)

    def stop_build(self, caller: Caller, id: str) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StopBuild.html"""
        running = self.builds.find(id, caller)
        self.stop(running.record.id)
        return {"build": running.record.describe()}

    def batch_get_builds(self, caller: Caller, ids: list[str]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html"""
        mine = {build.id: build for build in self.builds.of(caller)}
        wanted = {each: each.rpartition(":build/")[2] for each in ids}
        return {
            "builds": [mine[name].describe() for name in wanted.values() if name in mine],
            "buildsNotFound": [each for each, name in wanted.items() if name not in mine],
        }

    def list_builds(self, caller: Caller, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuilds.html"""
        return page("ids", _ordered([build.id for build in self.builds.of(caller)], query), query)

    def list_builds_for_project(self, caller: Caller, projectName: str, **query: Any) -> dict[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuildsForProject.html"""
        project = self._projects.get(caller, projectName)
        if project is None:
            raise projects.unknown(projectName)
        ids = [build.id for build in self.builds.of(caller) if build.project["arn"] == project["arn"]]
        return page("ids", _ordered(ids, query), query)


def _ordered(ids: list[str], query: dict[str, Any]) -> list[str]:
    """Newest first unless asked otherwise."""
    return ids if query.get("sortOrder") == "ASCENDING" else ids[::-1]
