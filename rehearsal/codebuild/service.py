"""CodeBuild's API: projects are stored, builds run on threads of this process.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Operations.html
"""

import itertools
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.cloud import Cloud
from rehearsal.codebuild import projects, sources
from rehearsal.codebuild.build import Build
from rehearsal.codebuild.host import Host, Network
from rehearsal.codebuild.model import BuildRequest, BuildResult, Status
from rehearsal.codebuild.overrides import overridden
from rehearsal.codebuild.paging import page
from rehearsal.codebuild.record import IN_PROGRESS, BuildRecord
from rehearsal.codebuild.reportgroups import ReportOperations
from rehearsal.codebuild.reports import Reports
from rehearsal.codebuild.variables import check_variables
from rehearsal.protocol import Caller, ServiceError

RESULTS: dict[str, Status] = {"SUCCEEDED": "SUCCEEDED", "STOPPED": "STOPPED", "TIMED_OUT": "TIMED_OUT"}


@dataclass(frozen=True)
class Running:
    """A build and the thread that runs it."""

    build: Build
    thread: threading.Thread
    done: threading.Event

    @property
    def record(self) -> BuildRecord:
        """What is known of the build."""
        return self.build.record


class CodeBuild(ReportOperations):
    """CodeBuild in ``cloud``; builds live below ``folder`` and reach the network through ``proxy``.

    ``minute`` is how many seconds a minute of a project's time-out lasts, ``grace`` how many a stopped build has
    unless ``hurry`` is set.
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
    ) -> None:
        self.reports = Reports()
        folder = folder.absolute()
        self._host = Host(
            cloud,
            folder,
            proxy,
            self.reports,
            minute,
            grace,
            hurry or threading.Event(),
            builds=builds or folder / "builds",
        )
        self._projects = projects.Projects()
        self._builds: dict[str, Running] = {}
        self._numbers: defaultdict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
        self._lock = threading.Lock()
        self._closed = False

    # What the pipeline calls.

    def start(self, request: BuildRequest) -> str:
        """Start a build and return its id; raises ``ServiceError``."""
        check_variables(request.environment)
        caller = Caller(request.account, request.region, "")
        project = self._projects.get(caller, request.project)
        if project is None:
            raise projects.unknown(request.project)
        return self._start(caller, project, request).id

    def wait(self, build_id: str) -> BuildResult:
        """Return how the build ended, once it has."""
        running = self._running(build_id)
        running.done.wait()
        record = running.record
        status = RESULTS.get(record.status, "FAILED")
        return BuildResult(status, dict(record.exported), dict(record.artifacts), record.log, record.message)

    def stop(self, build_id: str) -> None:
        """Ask a build to end: SIGINT first, so that Terraform saves its state, then harder."""
        self._running(build_id).build.limits.stopped.set()

    def close(self) -> None:
        """Stop every build and wait until nothing of them is left."""
        with self._lock:
            self._closed = True
            builds = list(self._builds.values())
        for running in builds:
            running.build.limits.stopped.set()
        for running in builds:
            running.thread.join()

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
        project = self._projects.get(caller, projectName)
        if project is None:
            raise projects.unknown(projectName)
        project = overridden(project, overrides)
        sources.check(project["source"])
        request = BuildRequest(
            project["name"], caller.account, caller.region, initiator=caller.access_key or "rehearsal"
        )
        return {"build": self._start(caller, project, request).describe()}

    def stop_build(self, caller: Caller, id: str) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_StopBuild.html"""
        running = self._running(id, caller)
        self.stop(running.record.id)
        return {"build": running.record.describe()}

    def batch_get_builds(self, caller: Caller, ids: list[str]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetBuilds.html"""
        mine = {build.id: build for build in self._of(caller)}
        wanted = {each: each.rpartition(":build/")[2] for each in ids}
        return {
            "builds": [mine[name].describe() for name in wanted.values() if name in mine],
            "buildsNotFound": [each for each, name in wanted.items() if name not in mine],
        }

    def list_builds(self, caller: Caller, **query: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuilds.html"""
        return page("ids", _ordered([build.id for build in self._of(caller)], query), query)

    def list_builds_for_project(self, caller: Caller, projectName: str, **query: Any) -> dict[str, Any]:  # noqa: N803
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ListBuildsForProject.html"""
        project = self._projects.get(caller, projectName)
        if project is None:
            raise projects.unknown(projectName)
        ids = [build.id for build in self._of(caller) if build.project["arn"] == project["arn"]]
        return page("ids", _ordered(ids, query), query)

    def _start(self, caller: Caller, project: dict[str, Any], request: BuildRequest) -> BuildRecord:
        build_id = f"{project['name']}:{uuid.uuid4()}"
        with self._lock:
            if self._closed:
                raise ServiceError("AccountLimitExceededException", "the rehearsal is ending, no build starts any more")
            self._check_limit(project)
            record = BuildRecord(
                id=build_id,
                arn=f"arn:aws:codebuild:{caller.region}:{caller.account}:build/{build_id}",
                number=next(self._numbers[project["arn"]]),
                account=caller.account,
                region=caller.region,
                project=project,
                initiator=request.initiator,
                log=self._host.folder / "logs" / project["name"] / f"{build_id.rpartition(':')[2]}.log",
                resolved_source_version=request.resolved_source_version or project.get("sourceVersion"),
            )
            build, done = Build(record, request, self._host), threading.Event()
            thread = threading.Thread(target=_execute, args=(build, done), name=build_id)
            self._builds[build_id] = Running(build, thread, done)
            thread.start()
        return record

    def _check_limit(self, project: dict[str, Any]) -> None:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html (concurrentBuildLimit)"""
        others = (each.record for each in self._builds.values())
        running = sum(each.status == IN_PROGRESS and each.project["arn"] == project["arn"] for each in others)
        limit = project.get("concurrentBuildLimit")
        if limit and running >= limit:
            message = f"Cannot have more than {limit} build(s) of {project['name']} at a time: its concurrentBuildLimit"
            raise ServiceError("AccountLimitExceededException", message)

    def _running(self, build_id: str, caller: Caller | None = None) -> Running:
        running = self._builds.get(build_id.rpartition(":build/")[2])
        if running is None or (
            caller and (caller.account, caller.region) != (running.record.account, running.record.region)
        ):
            raise ServiceError("ResourceNotFoundException", f"Build cannot be found: {build_id}")
        return running

    def _of(self, caller: Caller) -> list[BuildRecord]:
        records = [running.record for running in list(self._builds.values())]
        return [each for each in records if (each.account, each.region) == (caller.account, caller.region)]


def _execute(build: Build, done: threading.Event) -> None:
    try:
        build.run()
    finally:
        done.set()
    build.tidy()


def _ordered(ids: list[str], query: dict[str, Any]) -> list[str]:
    """Newest first unless asked otherwise."""
    return ids if query.get("sortOrder") == "ASCENDING" else ids[::-1]
