"""Actions: each runs in a thread of its own, and whatever happens there ends up in its record."""

import logging
import threading
from pathlib import Path

from rehearsal.codepipeline.approval import ManualApproval
from rehearsal.codepipeline.artifacts import ArtifactStore
from rehearsal.codepipeline.build import CodeBuildAction
from rehearsal.codepipeline.model import ActionError, ActionRun, Artifact, Execution, Outcome
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.providers import Builds, Provider, Task
from rehearsal.codepipeline.roles import Roles
from rehearsal.codepipeline.source import CodeCommitSource, ConnectionSource
from rehearsal.codepipeline.variables import namespaces, resolve
from rehearsal.identity import trusts
from rehearsal.repositories import Repositories
from rehearsal.scratch import scratch

LOG = logging.getLogger(__name__)


class Actions:
    """Performs actions with the provider of their type."""

    def __init__(self, roles: Roles, builds: Builds, repositories: Repositories, changed: threading.Condition) -> None:
        store = ArtifactStore(roles)
        self._changed, self._builds = changed, builds
        self._threads: dict[threading.Thread, ActionRun] = {}
        self._providers: dict[str, Provider] = {
            "CodeStarSourceConnection": ConnectionSource(repositories, store, roles),
            "CodeCommit": CodeCommitSource(repositories, store, roles),
            "CodeBuild": CodeBuildAction(builds, store),
            "Manual": ManualApproval(roles),
        }

    def start(self, pipeline: Pipeline, execution: Execution, run: ActionRun) -> None:
        """Perform ``run`` in the background."""
        thread = threading.Thread(
            target=self._perform, args=(pipeline, execution, run), name=f"action {run.stage}/{run.name}", daemon=True
        )
        with self._changed:
            self._threads = {each: its for each, its in self._threads.items() if each.is_alive()}
            thread.start()
            self._threads[thread] = run

    def give_up(self, run: ActionRun) -> None:
        """Stop what ``run`` started outside, since nobody waits for it any more."""
        if run.external_id and run.declaration["actionTypeId"]["provider"] == "CodeBuild":
            try:
                self._builds.stop(run.external_id)
            except Exception:
                LOG.exception("the build of action %s could not be stopped", run.name)

    def close(self, seconds: float) -> None:
        """Stop every build, also of abandoned actions, and wait ``seconds`` at most for each action's thread."""
        with self._changed:
            alive = {thread: run for thread, run in self._threads.items() if thread.is_alive()}
        for run in alive.values():
            self.give_up(run)
        for thread in alive:
            thread.join(seconds)

    def _perform(self, pipeline: Pipeline, execution: Execution, run: ActionRun) -> None:
        outcome, error = None, None
        try:
            with scratch() as folder:
                outcome = self._outcome(pipeline, execution, run, folder)
        except ActionError as reason:
            error = reason
        except Exception as reason:
            LOG.exception("action %s of stage %s", run.name, run.stage)
            error = ActionError("InternalError", f"the rehearsal itself failed: {type(reason).__name__}: {reason}")
        with self._changed:
            if run.status == "InProgress" and (outcome or error):
                run.error = error
                if outcome:
                    _keep(execution, run, outcome)
                run.end("Succeeded" if outcome else "Failed")
            self._changed.notify_all()

    def _outcome(self, pipeline: Pipeline, execution: Execution, run: ActionRun, folder: Path) -> Outcome | None:
        declaration, role = run.declaration, execution.definition["roleArn"]
        if not trusts(role, "codepipeline.amazonaws.com", source_arn=pipeline.arn):
            message = f"CodePipeline is not authorized to perform AssumeRole on role {role}"
            raise ActionError("PermissionError", message)
        with self._changed:
            known = namespaces(execution)
            run.inputs = [_input(execution, run, artifact["name"]) for artifact in declaration["inputArtifacts"]]
        for key, value in declaration["configuration"].items():
            run.resolved[key] = resolve(value, known, where=f"{key} of action {run.name}")
        task = Task(pipeline, execution, run, dict(run.resolved), folder)
        return self._providers[declaration["actionTypeId"]["provider"]](task)


def _input(execution: Execution, run: ActionRun, name: str) -> Artifact:
    if name not in execution.artifacts:
        # Its maker's stage was skipped.
        raise ActionError("ConfigurationError", f"input artifact {name} of action {run.name} was never made")
    return execution.artifacts[name]


def _keep(execution: Execution, run: ActionRun, outcome: Outcome) -> None:
    run.outcome, run.summary = outcome, outcome.summary
    execution.artifacts |= {artifact.name: artifact for artifact in outcome.artifacts}
    if namespace := run.declaration.get("namespace"):
        execution.namespaces[namespace] = outcome.variables
    if outcome.revision:
        execution.revisions[run.name] = outcome.revision
