"""One execution followed to its end: shown, its approvals answered, stopped where that was asked for."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from rehearsal import approvals
from rehearsal.approvals import Answer, Approval, Policy
from rehearsal.errors import RehearsalError
from rehearsal.execution import Execution, failed_actions
from rehearsal.follow import Pipeline, started_by, successor
from rehearsal.rendering import duration
from rehearsal.screen import Screen

POLL_SECONDS = 0.8
START_SECONDS = 60.0
TAKEOVER_SECONDS = 5.0


@dataclass(frozen=True)
class Ending:
    """How a followed execution ended, in one line."""

    execution: Execution
    succeeded: bool
    message: str


def begun(pipeline: Pipeline, commit: str, known: frozenset[str]) -> str:
    """Wait for the execution that a push of ``commit`` starts, and return its id. Raises ``RehearsalError``."""
    deadline = time.monotonic() + START_SECONDS
    while (execution := started_by(pipeline, commit, known)) is None:
        if time.monotonic() > deadline:
            question = "does its source watch that repository and branch?"
            raise RehearsalError(
                f"the push of {commit[:8]} started no execution of pipeline {pipeline.name}; {question}"
            )
        time.sleep(POLL_SECONDS)
    return execution.identifier


def accompany(
    pipeline: Pipeline, identifier: str, screen: Screen, *, policy: Policy, last_stage: str | None = None
) -> Ending:
    """Follow the execution, and the one that a pipeline updating itself starts in its place, to the end."""
    execution: Execution | None = None
    reached = False
    while True:
        execution = pipeline.execution(identifier, execution)
        screen.show(execution)
        if not reached and last_stage and _to_be_stopped(execution, last_stage):
            reached = True
            _stop(pipeline, identifier, f"asked to end after {last_stage}")
        if execution.ended:
            heir = None if reached else _heir(pipeline, execution)
            if heir is None:
                return ending(execution, last_stage if reached else None)
            screen.say(f"the pipeline changed itself: execution {heir.identifier[:8]} takes over from {identifier[:8]}")
            identifier, execution = heir.identifier, None
            continue
        for approval in approvals.waiting(pipeline):
            # One beyond the last stage is seen before that this stage has succeeded; the next look tells.
            if approval.execution == identifier and (reached or not _lies_beyond(execution, approval, last_stage)):
                _settle(pipeline, screen, approval, policy, reached)
        time.sleep(POLL_SECONDS)


def _lies_beyond(execution: Execution, approval: Approval, last_stage: str | None) -> bool:
    names = [stage.name for stage in execution.stages]
    return last_stage in names and approval.stage in names[names.index(last_stage) + 1 :]


def _to_be_stopped(execution: Execution, name: str) -> bool:
    stage = execution.stage(name)
    return stage is not None and stage.status == "Succeeded" and stage is not execution.stages[-1]


def _stop(pipeline: Pipeline, identifier: str, reason: str) -> None:
    errors: Any = pipeline.client.exceptions
    # It may have ended by itself, or somebody may have stopped it already.
    with suppress(errors.PipelineExecutionNotStoppableException, errors.DuplicatedStopRequestException):
        pipeline.stop(identifier, reason)


def _settle(pipeline: Pipeline, screen: Screen, approval: Approval, policy: Policy, reached: bool) -> None:
    if reached:
        approvals.answer(pipeline, approval, Answer(False, "the execution was asked to end before this stage"))
        return
    still_waits = partial(_waits, pipeline, approval)
    decision = approvals.decide(screen, approval, policy, still_waits)
    if decision is not None and approvals.answer(pipeline, approval, decision) and screen.live:
        # Elsewhere the action's own line says so.
        word = "approved" if decision.approved else "rejected"
        screen.say(f"{approval.path} {word}: {decision.comment}")


def _waits(pipeline: Pipeline, approval: Approval) -> bool:
    return any(each.token == approval.token for each in approvals.waiting(pipeline))


def _heir(pipeline: Pipeline, execution: Execution) -> Execution | None:
    deadline = time.monotonic() + TAKEOVER_SECONDS
    while execution.status == "Stopped" and time.monotonic() < deadline:
        if (heir := successor(pipeline, execution)) is not None:
            return heir
        time.sleep(POLL_SECONDS)
    return successor(pipeline, execution)


def ending(execution: Execution, reached: str | None = None) -> Ending:
    """Return how an execution ended; ``reached`` is the stage after which it was asked to."""
    what = f"execution {execution.identifier[:8]}"
    took = f"after {duration(execution.seconds)}"
    if execution.status == "Succeeded":
        return Ending(execution, True, f"{what} succeeded {took}")
    if reached is not None and execution.status == "Stopped":
        return Ending(execution, True, f"{what} stopped {took}, once {reached} had succeeded, as asked")
    failed = failed_actions(execution)
    rejected = next((action for action in failed if action.outcome == "Rejected"), None)
    if rejected is not None:
        return Ending(execution, False, f"{what} was rejected at {rejected.path} {took}: {rejected.message}")
    stages = [stage for stage in execution.stages if stage.status == "Failed"]
    causes = [action.path for action in failed] or [f"{stage.name} ({stage.message})" for stage in stages]
    reason = f" at {', '.join(causes)}" if causes else f": {execution.summary}" if execution.summary else ""
    return Ending(execution, False, f"{what} {execution.status.lower()} {took}{reason}")


def tell(screen: Screen, ending: Ending, urls: Mapping[str, str]) -> None:
    """Print how it ended: the table, why if it failed, and what is deployed where."""
    screen.say()
    screen.table(ending.execution)
    screen.say()
    for action in failed_actions(ending.execution):
        if action.category != "Approval":
            screen.failure(action)
    screen.say(ending.message, "bold green" if ending.succeeded else "bold red")
    screen.urls(urls)
