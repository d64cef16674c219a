"""The engine: executions travel through their stages in threads of their own."""

import logging
import threading

from rehearsal.codepipeline.actions import Actions
from rehearsal.codepipeline.gate import Gate
from rehearsal.codepipeline.model import Declaration, Execution
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.providers import Builds
from rehearsal.codepipeline.roles import Roles
from rehearsal.codepipeline.stage import Stages
from rehearsal.repositories import Repositories

PATIENCE_SECONDS = 30
LOG = logging.getLogger(__name__)


class Engine:
    """Executes pipelines. Whoever reads or changes them holds ``changed``, which is notified of every change."""

    def __init__(self, roles: Roles, builds: Builds, repositories: Repositories, minute: float) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.gate = Gate(self.changed)
        self._actions = Actions(roles, builds, repositories, self.changed)
        self._stages = Stages(self._actions, self.changed, minute)
        self._running: dict[threading.Thread, Execution] = {}
        self._closed = False

    def start(
        self, pipeline: Pipeline, trigger: Declaration, variables: dict[str, str], commits: dict[str, str]
    ) -> Execution:
        """Start an execution of the definition in force, for ``commits`` where they are given (by source action)."""
        with self.changed:
            number = len(pipeline.executions) + 1
            execution = Execution(number, pipeline.definition, trigger, variables, commits)
            pipeline.executions.append(execution)
            declared = [variable["name"] for variable in pipeline.definition.get("variables", [])]
            if missing := [name for name in declared if name not in variables]:
                execution.become("Failed", f"no value for the variables without default: {', '.join(missing)}")
            elif self._closed:
                execution.become("Stopped", "the rehearsal ended")
            else:
                self.gate.arrive(pipeline, execution, execution.definition["stages"][0]["name"])
                self._follow(pipeline, execution, 0, "")
            return execution

    def retry(self, pipeline: Pipeline, execution: Execution, stage: str, mode: str) -> None:
        """Run ``stage`` of an ended execution again, and go on from there."""
        with self.changed:
            execution.stopping = execution.abandoned = False
            execution.become("InProgress")
            run = execution.stages[stage]
            run.manual_retries, run.retry_trigger = run.manual_retries + 1, "ManualStageRetry"
            pipeline.inside[stage], execution.at = execution, stage
            names = [each["name"] for each in execution.definition["stages"]]
            self._follow(pipeline, execution, names.index(stage), mode)

    def stop(self, pipeline: Pipeline, execution: Execution, *, abandon: bool, reason: str) -> None:
        """Let ``execution`` go no further; ``abandon`` does not wait for its running actions."""
        with self.changed:
            execution.stopping, execution.stop_reason = True, reason
            execution.abandoned = execution.abandoned or abandon
            execution.become("Stopping", reason)
            self._readmit(pipeline)

    def outdate(self, pipeline: Pipeline) -> None:
        """Cancel every execution of an older definition, once its running actions are through.

        https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-edit.html
        """
        with self.changed:
            for execution in pipeline.executions:
                execution.outdated = execution.outdated or not execution.ended
            self._readmit(pipeline)

    def close(self) -> None:
        """Abandon everything; nothing of it runs any more when this returns."""
        with self.changed:
            self._closed = True
            running = dict(self._running)
            for execution in running.values():
                execution.stopping = execution.abandoned = True
                execution.stop_reason = "the rehearsal ended"
            self.changed.notify_all()
        self._actions.close(PATIENCE_SECONDS)
        for thread in running:
            thread.join(PATIENCE_SECONDS)

    def _readmit(self, pipeline: Pipeline) -> None:
        for stage in list(pipeline.waiting):
            self.gate.admit(pipeline, stage)
        self.changed.notify_all()

    def _follow(self, pipeline: Pipeline, execution: Execution, first: int, retry: str) -> None:
        thread = threading.Thread(
            target=self._travel,
            args=(pipeline, execution, first, retry),
            name=f"execution {pipeline.name} {execution.id}",
            daemon=True,
        )
        self._running[thread] = execution
        thread.start()

    def _travel(self, pipeline: Pipeline, execution: Execution, first: int, retry: str) -> None:
        try:
            stages = execution.definition["stages"][first:]
            for number, stage in enumerate(stages):
                if number:
                    self.gate.arrive(pipeline, execution, stage["name"])
                if not self.gate.entered(execution, stage["name"]):
                    break
                try:
                    goes_on = self._stages.run(pipeline, execution, stage, "" if number else retry)
                finally:
                    # Under one lock: whoever sees the execution ended may retry it, and finds the stage unlocked.
                    with self.changed:
                        self._settle(execution, stage["name"], last=number == len(stages) - 1)
                        self.gate.leave(pipeline, execution, stage["name"])
                if not goes_on:
                    break
        except Exception as error:
            LOG.exception("execution %s", execution.id)
            execution.become("Failed", f"the rehearsal itself failed: {type(error).__name__}: {error}")
        finally:
            with self.changed:
                self._settle(execution)
                self._running.pop(threading.current_thread(), None)
                self._readmit(pipeline)

    @staticmethod
    def _settle(execution: Execution, stage: str = "", *, last: bool = False) -> None:
        """Give ``execution`` its final status, if ``stage`` was the end of its way."""
        run = execution.stages.get(stage)
        if execution.ended:
            return
        if execution.stopping:
            execution.become("Stopped", execution.stop_reason)
        elif execution.outdated:
            execution.become("Cancelled", "The pipeline's definition was updated")
        elif run and run.status == "Failed":
            execution.become("Failed", run.failure or f"Stage {stage} failed")
        elif last:
            execution.become("Succeeded")
