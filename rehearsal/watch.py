"""What a serving rehearsal tells: one line when an execution begins, waits for approval, or ends."""

import time

from rehearsal import approvals, facts
from rehearsal.configuration import Configuration
from rehearsal.execution import Execution
from rehearsal.follow import Pipeline
from rehearsal.reach import reaching
from rehearsal.rendering import duration, mark
from rehearsal.screen import Screen
from rehearsal.serving import Serving

POLL_SECONDS = 1.0


def watch(configuration: Configuration, there: Serving, screen: Screen) -> None:
    """Tell of executions until interrupted."""
    name = facts.pipeline(configuration)
    pipeline = Pipeline(there.client("codepipeline"), name)
    with reaching(there, name):
        known = {execution.identifier: execution.status for execution in pipeline.executions()}
        asked: set[str] = set()
        while True:
            for execution in reversed(pipeline.executions()):
                _tell(screen, execution, known.get(execution.identifier))
                known[execution.identifier] = execution.status
            for approval in approvals.waiting(pipeline):
                if approval.token not in asked:
                    screen.say(f"{approval.path} waits for approval: {approvals.how_to_answer(configuration.project)}")
                    asked.add(approval.token)
            time.sleep(POLL_SECONDS)


def _tell(screen: Screen, execution: Execution, before: str | None) -> None:
    what = f"execution {execution.identifier[:8]}"
    if before is None:
        screen.say(f"{what} began")
    if execution.ended and before != execution.status:
        screen.say(f"{what} {mark(execution.status).plain} after {duration(execution.seconds)}")
