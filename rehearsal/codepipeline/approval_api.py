"""The API's operation on approvals."""

from typing import Any

from rehearsal.codepipeline.engine import Engine
from rehearsal.codepipeline.model import ActionError, ActionRun
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.registry import Registry, refused, stage_of
from rehearsal.constraints import enforce
from rehearsal.identity import caller_arn
from rehearsal.protocol import Caller


class ApprovalApi:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PutApprovalResult.html"""

    registry: Registry
    engine: Engine

    def put_approval_result(self, caller: Caller, **parameters: Any) -> dict[str, Any]:
        """Approve or reject what waits under the token that GetPipelineState told."""
        enforce("codepipeline", "PutApprovalResult", parameters)
        result = parameters["result"]
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            stage = stage_of(pipeline, parameters["stageName"])
            if parameters["actionName"] not in [action["name"] for action in stage["actions"]]:
                raise refused("ActionNotFound", f"Stage {stage['name']} has no action {parameters['actionName']}")
            run = _waiting(pipeline, stage["name"], parameters["actionName"], parameters["token"])
            run.updated_by, run.summary = caller_arn(caller), result["summary"]
            if result["status"] == "Rejected":
                comment = f": {result['summary']}" if result["summary"] else ""
                run.error = ActionError("ApprovalRejected", f"rejected by {run.updated_by}{comment}")
            run.approved_with = parameters["token"]
            run.end("Succeeded" if result["status"] == "Approved" else "Failed")
            self.engine.changed.notify_all()
            return {"approvedAt": run.updated}


def _waiting(pipeline: Pipeline, stage: str, action: str, token: str) -> ActionRun:
    runs = [
        run
        for execution in pipeline.executions
        for run in execution.history
        if (run.stage, run.name) == (stage, action)
    ]
    if open_runs := [run for run in runs if run.token == token]:
        return open_runs[0]
    if any(run.approved_with == token for run in runs):
        raise refused("ApprovalAlreadyCompleted", f"The approval action {action} has already been approved or rejected")
    raise refused("InvalidApprovalToken", f"The token is not the one that approval action {action} waits for")
