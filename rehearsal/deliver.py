"""One delivery: the working tree pushed to the cloud's repository, and its execution followed to the end."""

import time
from pathlib import Path

from rehearsal import facts, journey, report
from rehearsal.addresses import addresses
from rehearsal.approvals import Policy
from rehearsal.configuration import Configuration
from rehearsal.errors import UserError
from rehearsal.follow import Pipeline
from rehearsal.reach import reaching
from rehearsal.screen import Screen
from rehearsal.serving import Serving
from rehearsal.typed import typed
from rehearsal.workingtree import Change, WorkingTree

SETTLING_SECONDS = 10.0
NAMED_FILES = 3


class Delivery:
    """Delivers the working tree of a project through the pipeline in the cloud that ``there`` names."""

    def __init__(self, configuration: Configuration, there: Serving, screen: Screen) -> None:
        self._configuration, self._there, self._screen = configuration, there, screen
        self._name = facts.pipeline(configuration)
        self._pipeline = Pipeline(there.client("codepipeline"), self._name)
        self.execution = ""
        """The execution's id, once there is one."""

    def deliver(self, *, policy: Policy, to: str | None, file: Path | None) -> int:
        """Push, follow and tell; return the exit code. Raises ``UserError`` and ``RehearsalError``."""
        with reaching(self._there, self._name):
            last_stage = self._configuration.last_stage(to, self._environments())
            self.execution = self._begin()
            with self._screen:
                ending = journey.accompany(
                    self._pipeline, self.execution, self._screen, policy=policy, last_stage=last_stage
                )
            client, tag = self._there.client("apigateway"), self._configuration.url_tag
            # Anew: the pipeline may have changed itself.
            urls = addresses(client, endpoint=self._there.endpoint, tag=tag, order=self._environments())
        journey.tell(self._screen, ending, urls)
        code = 0 if ending.succeeded else 1
        if file:
            report.write(file, ending.execution, urls=urls, message=ending.message, exit_code=code)
        return code

    def _environments(self) -> list[str]:
        return self._configuration.deployed_by(self._pipeline.stage_names())

    def _begin(self) -> str:
        """Push the working tree and return the id of the execution which that starts."""
        repository, branch = facts.repository(self._configuration)
        if repository not in self._there.git:
            served = ", ".join(self._there.git)
            raise UserError(
                f"the cloud that serves knows {served}, not {repository}; end it first: "
                + typed("down", project=self._configuration.project)
            )
        with WorkingTree(self._configuration.project) as tree:
            change = tree.change()
            self._describe(change)
            known = self._settled()
            if tree.push(change, Path(self._there.git[repository]), branch):
                self._screen.say(f"pushed {change.commit[:8]} to {repository} {branch}")
                return journey.begun(self._pipeline, change.commit, known)
        self._screen.say(f"{repository} {branch} holds exactly these files: starting an execution of the same revision")
        return self._pipeline.start()

    def _describe(self, change: Change) -> None:
        if change.uncommitted:
            count = len(change.uncommitted)
            files = "file" if count == 1 else "files"
            self._screen.say(f"{count} uncommitted {files} included, on top of HEAD {change.head[:8]}")
        if change.untracked:
            named = ", ".join(change.untracked[:NAMED_FILES])
            more = " ..." if len(change.untracked) > NAMED_FILES else ""
            count = len(change.untracked)
            self._screen.say(f"{count} untracked not included (git add makes them part of it): {named}{more}", "yellow")

    def _settled(self) -> frozenset[str]:
        """Return the executions there are, once the one that the pipeline's creation started has ended.

        Its source is empty, and must not find what is about to be pushed.
        https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-about-starting.html
        """
        deadline = time.monotonic() + SETTLING_SECONDS
        while True:
            executions = self._pipeline.executions()
            if all(each.commit or each.ended for each in executions) or time.monotonic() > deadline:
                return frozenset(each.identifier for each in executions)
            time.sleep(journey.POLL_SECONDS)
