"""The builds that run, and that ran: each on a thread of this process."""

import itertools
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.codebuild.build import Build
from rehearsal.codebuild.host import Host
from rehearsal.codebuild.model import BuildRequest
from rehearsal.codebuild.record import IN_PROGRESS, BuildRecord
from rehearsal.codebuild.sources import HOSTS
from rehearsal.protocol import Caller, ServiceError


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


class Builds:
    """Every build of ``host``, by its id; ``tell`` hears when one starts, and when it has ended."""

    def __init__(self, host: Host, tell: Callable[[BuildRecord], None]) -> None:
        self._host, self._tell = host, tell
        self._builds: dict[str, Running] = {}
        self._numbers: defaultdict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
        self._lock = threading.Lock()
        self._closed = False

    def begin(self, caller: Caller, project: dict[str, Any], request: BuildRequest) -> BuildRecord:
        """Run a build of ``project`` on a thread of its own; raises ``ServiceError`` at the project's limit."""
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
                resolved_source_version=request.resolved_source_version or _version(project),
            )
            build, done = Build(record, request, self._host), threading.Event()
            thread = threading.Thread(target=self._execute, args=(build, done), name=build_id)
            self._builds[build_id] = Running(build, thread, done)
            thread.start()
        return record

    def _execute(self, build: Build, done: threading.Event) -> None:
        self._tell(build.record)
        try:
            build.run()
        finally:
            done.set()
        build.tidy()
        self._tell(build.record)

    def _check_limit(self, project: dict[str, Any]) -> None:
        """https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html (concurrentBuildLimit)"""
        others = (each.record for each in self._builds.values())
        running = sum(each.status == IN_PROGRESS and each.project["arn"] == project["arn"] for each in others)
        limit = project.get("concurrentBuildLimit")
        if limit and running >= limit:
            message = f"Cannot have more than {limit} build(s) of {project['name']} at a time: its concurrentBuildLimit"
            raise ServiceError("AccountLimitExceededException", message)

    def find(self, build_id: str, caller: Caller | None = None) -> Running:
        """Return a build by its id or ARN; raises ``ServiceError`` where ``caller`` has none such."""
        running = self._builds.get(build_id.rpartition(":build/")[2])
        if running is None or (
            caller and (caller.account, caller.region) != (running.record.account, running.record.region)
        ):
            raise ServiceError("ResourceNotFoundException", f"Build cannot be found: {build_id}")
        return running

    def of(self, caller: Caller) -> list[BuildRecord]:
        """Return the builds of the caller's account and region, oldest first."""
        records = [running.record for running in list(self._builds.values())]
        return [each for each in records if (each.account, each.region) == (caller.account, caller.region)]

    def close(self) -> None:
        """Stop every build and wait until nothing of them is left."""
        with self._lock:
            self._closed = True
            builds = list(self._builds.values())
        for running in builds:
            running.build.limits.stopped.set()
        for running in builds:
            running.thread.join()


def _version(project: dict[str, Any]) -> str | None:
    """Return the version of a source that is no repository, whose versions have to be looked up first."""
    return None if project["source"]["type"] in HOSTS else project.get("sourceVersion")
