"""One stage, executed: its conditions, its actions by run order, and its retries."""

import math
import threading
import time
from collections.abc import Iterator
from itertools import groupby

from rehearsal.codepipeline.actions import Actions
from rehearsal.codepipeline.approval import TIMEOUT_MINUTES
from rehearsal.codepipeline.conditions import evaluate
from rehearsal.codepipeline.model import ActionError, ActionRun, Declaration, Execution, StageRun
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.variables import namespaces

FAILED_ACTIONS, ALL_ACTIONS = "FAILED_ACTIONS", "ALL_ACTIONS"


class Stages:
    """Executes stages; ``minute`` is how many seconds a minute of a time-out takes."""

    def __init__(self, actions: Actions, changed: threading.Condition, minute: float) -> None:
        self._actions, self._changed, self._minute = actions, changed, minute

    def run(self, pipeline: Pipeline, execution: Execution, stage: Declaration, retry: str = "") -> bool:
        """Execute ``stage``, or ``retry`` it. Returns whether the execution goes on to the next stage."""
        run = self._begin(execution, stage, retry)
        if not run.actions and not self._enter(execution, run, stage):
            return run.status == "Skipped"
        self._attempt(pipeline, execution, run, stage)
        failure = stage.get("onFailure", {})
        if run.status == "Failed" and failure.get("result") == "RETRY" and not execution.leaving:
            self._retry(pipeline, execution, run, stage, failure)
        if run.status == "Failed":
            self._judge(execution, run, stage, "onFailure")
        return run.status == "Succeeded"

    def _begin(self, execution: Execution, stage: Declaration, retry: str) -> StageRun:
        with self._changed:
            run = execution.stages.get(stage["name"]) if retry else None
            if run is None:
                run = execution.stages[stage["name"]] = StageRun(stage["name"])
            elif retry == ALL_ACTIONS:
                run.actions.clear()
                run.conditions.clear()
            run.status, run.failure = "InProgress", ""
            self._changed.notify_all()
            return run

    def _enter(self, execution: Execution, run: StageRun, stage: Declaration) -> bool:
        result = self._judge(execution, run, stage, "beforeEntry")
        if result is None:
            return True
        with self._changed:
            run.status = "Skipped" if result == "SKIP" else "Failed"
            run.failure = f"Stage {run.name} was not entered: {run.conditions['beforeEntry'].summary}"
            self._changed.notify_all()
        return False

    def _judge(self, execution: Execution, run: StageRun, stage: Declaration, place: str) -> str | None:
        """Evaluate the conditions of ``place``; return the result to engage, ``None`` where they hold."""
        for condition in stage.get(place, {}).get("conditions", []):
            with self._changed:
                judged = run.conditions[place] = evaluate(condition, namespaces(execution))
            if judged.status == "Errored":
                return "FAIL"
            if judged.status == "Failed":
                return str(condition.get("result", "FAIL"))
        return None

    def _retry(
        self, pipeline: Pipeline, execution: Execution, run: StageRun, stage: Declaration, how: Declaration
    ) -> None:
        # One automatic attempt: https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html
        with self._changed:
            run.automatic_retries, run.retry_trigger, run.status = 1, "AutomatedStageRetry", "InProgress"
            if how.get("retryConfiguration", {}).get("retryMode") == ALL_ACTIONS:
                run.actions.clear()
        self._attempt(pipeline, execution, run, stage)

    def _attempt(self, pipeline: Pipeline, execution: Execution, run: StageRun, stage: Declaration) -> None:
        done = all(self._group(pipeline, execution, run, group) for group in _by_run_order(stage["actions"]))
        with self._changed:
            failed = [action for action in run.actions.values() if action.status == "Failed"]
            if execution.stopping:
                run.status = "Stopped"
            elif execution.outdated:
                run.status = "Cancelled"
            else:
                run.status = "Failed" if failed or not done else "InProgress"
                run.failure = "; ".join(f"Action {action.name} of stage {run.name} failed" for action in failed)
        if run.status == "InProgress":
            status = "Succeeded" if self._judge(execution, run, stage, "onSuccess") is None else "Failed"
            with self._changed:
                run.status = status
                if status == "Failed":
                    run.failure = f"onSuccess of stage {run.name} does not hold: {run.conditions['onSuccess'].summary}"
        with self._changed:
            self._changed.notify_all()

    def _group(self, pipeline: Pipeline, execution: Execution, run: StageRun, group: list[Declaration]) -> bool:
        """Run the actions of one run order side by side; return whether the next ones may start."""
        with self._changed:
            if execution.leaving:
                return False
            due = [each for each in group if _due(run.actions.get(each["name"]))]
            version = int(execution.definition["version"])
            started = [ActionRun(run.name, declaration, version) for declaration in due]
            run.actions.update({action.name: action for action in started})
            execution.history += started
            self._changed.notify_all()
        for action in started:
            self._actions.start(pipeline, execution, action)
        self._wait(execution, started)
        return not execution.leaving and all(action.status == "Succeeded" for action in started)

    def _wait(self, execution: Execution, actions: list[ActionRun]) -> None:
        begun = time.monotonic()
        ends = {action.id: begun + _minutes(action) * self._minute for action in actions}
        while True:
            late: list[ActionRun] = []
            with self._changed:
                running = [action for action in actions if action.status == "InProgress"]
                if not running:
                    return
                if execution.abandoned:
                    for action in running:
                        action.end("Abandoned")
                    return
                late = [action for action in running if time.monotonic() >= ends[action.id]]
                for action in late:
                    action.error = ActionError("ActionTimedOut", f"no result within {_minutes(action):g} minutes")
                    action.end("Failed")
                if not late:
                    nearest = min(ends[action.id] for action in running) - time.monotonic()
                    self._changed.wait(min(nearest, threading.TIMEOUT_MAX))
            for action in late:
                self._actions.give_up(action)


def _by_run_order(actions: list[Declaration]) -> Iterator[list[Declaration]]:
    ordered = sorted(actions, key=lambda action: int(action["runOrder"]))
    return (list(group) for _, group in groupby(ordered, key=lambda action: int(action["runOrder"])))


def _due(previous: ActionRun | None) -> bool:
    return previous is None or previous.status != "Succeeded"


def _minutes(action: ActionRun) -> float:
    # Without a time-out of its own, an action ends by its provider's limit.
    unlimited = action.declaration["actionTypeId"]["category"] != "Approval"
    return float(action.declaration.get("timeoutInMinutes") or (math.inf if unlimited else TIMEOUT_MINUTES))
