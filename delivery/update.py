"""The pipeline's own update: it deploys its new definition, and lets that deliver the commit instead."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delivery.aws import asking, client, code
from delivery.errors import DeliveryError, UsageError
from delivery.plan import PLAN_FILE, Made, make_plan
from delivery.progress import say
from delivery.project import Project, Stack
from delivery.terraform import Terraform
from delivery.webhook import set_policy

NOBODY: Final = "none"
SOURCE_ACTION: Final = "Source"
UPDATED_BY: Final = "UPDATED_BY"


@dataclass(frozen=True)
class Execution:
    """The execution of the pipeline that this runs in."""

    pipeline: str
    id: str
    commit: str
    updated_by: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Execution":
        """Read it from the build's environment variables; raises ``UsageError`` naming the one that is missing."""
        names = ("PIPELINE_NAME", "PIPELINE_EXECUTION_ID", "COMMIT_ID")
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise UsageError(f"update runs inside the pipeline: environment variable {', '.join(missing)} is missing")
        pipeline, id_, commit = (environment[name] for name in names)
        return cls(pipeline, id_, commit, environment.get(UPDATED_BY) or NOBODY)

    @property
    def is_restart(self) -> bool:
        """Whether an update started this execution."""
        return self.updated_by != NOBODY


def update(project: Project, terraform: Terraform, stack: Stack, execution: Execution) -> None:
    """Update the pipeline's own stack; if that changed it, let a new execution deliver the commit in place of this one.

    Run again after it broke off, it goes on where it stopped. Raises ``DeliveryError``, in particular for a pipeline
    that differs from one synthesis to the next: it would restart for ever.
    """
    with tempfile.TemporaryDirectory(prefix="plan-") as name:
        made = make_plan(project, terraform, stack, Path(name))
        say(made.review.summary)
        if execution.is_restart:
            _refuse_loop(stack, made, execution)
        elif made.planned.has_changes:
            say(made.review.markdown())
            terraform.apply(stack, Path(name) / PLAN_FILE)
    set_policy(stack)
    with asking(
        f"stack {stack.name} is up to date, but pipeline {execution.pipeline} could not be restarted; retry the stage"
    ):
        pipeline = client("codepipeline")
        if made.planned.has_changes or (not execution.is_restart and _is_outdated(pipeline, execution)):
            _hand_over(pipeline, execution)
        else:
            say(f"{stack.name}: unchanged, this execution goes on")


def _refuse_loop(stack: Stack, made: Made, execution: Execution) -> None:
    if not made.planned.has_changes:
        return
    names = [change.address for change in made.planned.changes] or [item.path for item in made.planned.outputs]
    raise DeliveryError(
        f"stack {stack.name} changes on every synth, or another execution changed it since {execution.updated_by} did: "
        f"{', '.join(names[:10])}; not updated again, as the pipeline would restart for ever"
    )


def _is_outdated(pipeline: Any, execution: Execution) -> bool:
    """Tell whether the pipeline was redefined since ``execution`` began, e.g. by a run of this that then broke off.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html
    """
    began_with = _execution(pipeline, execution.pipeline, execution.id).get("pipelineVersion")
    current = pipeline.get_pipeline(name=execution.pipeline)["pipeline"].get("version")
    return began_with is not None and current is not None and began_with != current


def _hand_over(pipeline: Any, execution: Execution) -> None:
    """Start the one execution that takes this one's place, unless one is there that will do, and stop this one.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html
    """
    successor = _successor(pipeline, execution)
    if successor:
        say(f"execution {successor} is newer and delivers with the updated pipeline: no further one is started")
    else:
        successor = pipeline.start_pipeline_execution(
            name=execution.pipeline,
            clientRequestToken=execution.id,
            variables=[{"name": UPDATED_BY, "value": execution.id}],
            sourceRevisions=[
                {"actionName": SOURCE_ACTION, "revisionType": "COMMIT_ID", "revisionValue": execution.commit}
            ],
        )["pipelineExecutionId"]
        say(f"started execution {successor} of the updated pipeline with commit {execution.commit}")
    _stop(pipeline, execution, f"The pipeline was updated; execution {successor} takes over.")


def _successor(pipeline: Any, execution: Execution) -> str | None:
    """Return the newest execution that began after this one and goes on: it brings a newer commit, or is our restart.

    Restarting the older commit behind it would deliver that last.
    """
    pages = pipeline.get_paginator("list_pipeline_executions").paginate(pipelineName=execution.pipeline)
    for summary in (summary for page in pages for summary in page["pipelineExecutionSummaries"]):
        if summary["pipelineExecutionId"] == execution.id:
            return None
        if summary["status"] == "InProgress" or _was_started_by(pipeline, execution, summary["pipelineExecutionId"]):
            return str(summary["pipelineExecutionId"])
    return None


def _was_started_by(pipeline: Any, execution: Execution, other: str) -> bool:
    variables = _execution(pipeline, execution.pipeline, other).get("variables", [])
    return any(item["name"] == UPDATED_BY and item.get("resolvedValue") == execution.id for item in variables)


def _execution(pipeline: Any, name: str, id_: str) -> dict[str, Any]:
    answer = pipeline.get_pipeline_execution(pipelineName=name, pipelineExecutionId=id_)
    return dict(answer["pipelineExecution"])


def _stop(pipeline: Any, execution: Execution, reason: str) -> None:
    """Stop this execution once this action has ended; that it is being stopped already is as good.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StopPipelineExecution.html
    """
    from botocore.exceptions import ClientError

    try:
        pipeline.stop_pipeline_execution(
            pipelineName=execution.pipeline, pipelineExecutionId=execution.id, abandon=False, reason=reason[:200]
        )
    except ClientError as error:
        if code(error) not in ("DuplicatedStopRequestException", "PipelineExecutionNotStoppableException"):
            raise
