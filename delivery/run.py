"""The pipeline's execution that a command runs in: who approved its plan, and whether a newer one has overtaken it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from delivery.aws import asking, client
from delivery.errors import PlanRefusedError, Refusal
from delivery.record import Approval

Detail = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One execution of a pipeline, asked through CodePipeline's API; raises ``DeliveryError`` where that fails."""

    pipeline: str
    execution: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Run | None":
        """Read it from the build's environment variables; ``None`` outside of a pipeline."""
        pipeline, execution = environment.get("PIPELINE_NAME", ""), environment.get("PIPELINE_EXECUTION_ID", "")
        return cls(pipeline, execution) if pipeline and execution else None

    def check(self, plan_sha256: str, anew: str) -> None:
        """Raise ``PlanRefusedError`` unless this execution handed on that digest and is the last to have planned there.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetPipelineState.html
        """
        planned = self._planned(plan_sha256)
        if planned is None:
            what = f"no action of execution {self.execution} handed on a plan of digest {plan_sha256}"
            raise PlanRefusedError(Refusal.ALTERED, what, anew)
        stages = (stage for stage in self._state["stageStates"] if stage["stageName"] == planned["stageName"])
        latest = next((stage["latestExecution"]["pipelineExecutionId"] for stage in stages), self.execution)
        if latest != self.execution:
            what = f"execution {self.execution} is superseded: {latest} has entered stage {planned['stageName']} since"
            raise PlanRefusedError(Refusal.SUPERSEDED, what, "The newer execution's plan is the one to approve")

    def approvals(self, plan_sha256: str) -> tuple[Approval, ...]:
        """Return who approved what since the plan of that digest was made, in that order.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListActionExecutions.html
        """
        planned = self._planned(plan_sha256)
        if planned is None:
            return ()
        states = {
            action.get("latestExecution", {}).get("actionExecutionId"): action["latestExecution"]
            for stage in self._state["stageStates"]
            for action in stage.get("actionStates", [])
            if "latestExecution" in action
        }
        return tuple(
            _approval(action, states.get(action["actionExecutionId"], {}))
            for action in sorted(self._actions, key=lambda action: action["startTime"])
            if action["input"]["actionTypeId"]["category"] == "Approval" and action["status"] == "Succeeded"
            if action["startTime"] >= planned["startTime"]
        )

    def _planned(self, plan_sha256: str) -> Detail | None:
        """Return the action that handed on the plan of that digest."""
        digests = (
            (action, action.get("output", {}).get("outputVariables", {}).get("PLAN_SHA256")) for action in self._actions
        )
        return next((action for action, digest in digests if digest == plan_sha256), None)

    @cached_property
    def _actions(self) -> list[Detail]:
        with asking(f"cannot see the actions of execution {self.execution}"):
            pages = client("codepipeline").get_paginator("list_action_executions")
            found = pages.paginate(pipelineName=self.pipeline, filter={"pipelineExecutionId": self.execution})
            return [action for page in found for action in page["actionExecutionDetails"]]

    @cached_property
    def _state(self) -> Detail:
        with asking(f"cannot see the state of pipeline {self.pipeline}"):
            return dict(client("codepipeline").get_pipeline_state(name=self.pipeline))


def _approval(action: Detail, state: Detail) -> Approval:
    """Return an approval; the state shows the comment of an action's latest execution, the list its own summary."""
    result = action.get("output", {}).get("executionResult", {})
    return Approval(
        by=state.get("lastUpdatedBy") or action.get("updatedBy", "unknown"),
        at=action["lastUpdateTime"].isoformat(timespec="seconds"),
        comment=state.get("summary") or result.get("externalExecutionSummary", ""),
        stage=action["stageName"],
    )
