"""The gate in front of every stage: who may enter, who waits, and who is superseded."""

import threading

from rehearsal.codepipeline.model import Execution
from rehearsal.codepipeline.pipeline import Pipeline


class Gate:
    """Lets executions into stages as their execution mode has it. Every change to a pipeline happens under ``changed``.

    SUPERSEDED: a stage is locked while an execution is inside (also while an approval waits there); in front of it
    waits the most recent execution only, which supersedes older ones. QUEUED: they wait in the order they started.
    PARALLEL: nobody waits. https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
    """

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed

    def arrive(self, pipeline: Pipeline, execution: Execution, stage: str) -> None:
        """Put ``execution`` in front of ``stage``, and let it in if nothing keeps it out."""
        with self._changed:
            pipeline.waiting.setdefault(stage, []).append(execution)
            self.admit(pipeline, stage)

    def entered(self, execution: Execution, stage: str) -> bool:
        """Wait for ``execution`` to be let in. Returns ``False`` once it is clear that it never will."""
        with self._changed:
            self._changed.wait_for(lambda: execution.at == stage or execution.leaving)
            return execution.at == stage

    def leave(self, pipeline: Pipeline, execution: Execution, stage: str) -> None:
        """Unlock ``stage``, and let the next one in."""
        with self._changed:
            execution.at = ""
            if pipeline.inside.get(stage) is execution:
                del pipeline.inside[stage]
            self.admit(pipeline, stage)

    def admit(self, pipeline: Pipeline, stage: str) -> None:
        """Let in whoever may enter ``stage`` now; to be called after everything that can change the answer."""
        with self._changed:
            queue = [execution for execution in pipeline.waiting.get(stage, []) if not execution.leaving]
            queue.sort(key=lambda execution: execution.number)
            queue = _superseded(queue)
            if pipeline.transition(stage).enabled:
                queue = [execution for execution in queue if not self._let_in(pipeline, execution, stage)]
            pipeline.waiting[stage] = queue
            self._changed.notify_all()

    @staticmethod
    def _let_in(pipeline: Pipeline, execution: Execution, stage: str) -> bool:
        if execution.mode != "PARALLEL":
            if stage in pipeline.inside:
                return False
            pipeline.inside[stage] = execution
        execution.at = stage
        return True


def _superseded(queue: list[Execution]) -> list[Execution]:
    """Supersede every waiting execution that a more recent one waits beside, and return the rest."""
    kept = []
    for execution in queue:
        newer = [other for other in queue if other.number > execution.number]
        if execution.mode == "SUPERSEDED" and newer:
            execution.become("Superseded", f"Superseded by execution {newer[-1].id}")
        else:
            kept.append(execution)
    return kept
