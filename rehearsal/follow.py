"""An execution as its pipeline's API shows it, and how it goes on: AWS calls only."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rehearsal.execution import Action, Execution, Stage

CONDITIONS = ("beforeEntryConditionState", "onSuccessConditionState", "onFailureConditionState")


class Pipeline:
    """One pipeline, seen and driven through a boto3 client of CodePipeline."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        self._definition = cache(self._read_definition)

    def executions(self, limit: int = 20) -> list[Execution]:
        """Return the newest executions without their stages, the newest first."""
        answer = self.client.list_pipeline_executions(pipelineName=self.name, maxResults=limit)
        return [_summarized(each) for each in answer["pipelineExecutionSummaries"]]

    def execution(self, identifier: str, before: Execution | None = None) -> Execution:
        """Return the execution with its stages; ``before`` lends what a newer execution hides by now."""
        shown = self.client.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=identifier)
        execution = shown["pipelineExecution"]
        listed = next((each for each in self.executions() if each.identifier == identifier), None)
        actions = {action.path: action for action in self._actions(identifier)}
        states = self._states()
        stages = []
        for name, names in self._definition(execution["pipelineVersion"]):
            of_stage = tuple(actions.get(f"{name}/{each}", Action(name, each)) for each in names)
            earlier = before.stage(name) if before else None
            stages.append(_stage(name, of_stage, states.get(name, {}), identifier, earlier))
        return Execution(
            identifier=identifier,
            status=execution["status"],
            commit=_commit(execution.get("artifactRevisions", [])),
            summary=execution.get("statusSummary", ""),
            trigger=execution.get("trigger", {}).get("triggerType", ""),
            started=listed.started if listed else (before.started if before else None),
            updated=listed.updated if listed else None,
            stages=tuple(stages),
        )

    def stage_names(self) -> list[str]:
        """Return the names of the stages of the definition in force."""
        return [stage["name"] for stage in self.client.get_pipeline(name=self.name)["pipeline"]["stages"]]

    def start(self) -> str:
        """Start an execution of what the source holds, and return its id."""
        return str(self.client.start_pipeline_execution(name=self.name)["pipelineExecutionId"])

    def stop(self, identifier: str, reason: str) -> None:
        """Have the execution end after the actions that are under way."""
        self.client.stop_pipeline_execution(
            pipelineName=self.name, pipelineExecutionId=identifier, abandon=False, reason=reason[:200]
        )

    def action_details(self, identifier: str) -> Iterator[Mapping[str, Any]]:
        """Yield the execution's action executions as the API has them, the newest first."""
        pages = self.client.get_paginator("list_action_executions").paginate(
            pipelineName=self.name, filter={"pipelineExecutionId": identifier}
        )
        for page in pages:
            yield from page["actionExecutionDetails"]

    def _actions(self, identifier: str) -> list[Action]:
        # The oldest first, so that the retry of an action stands in the place of its first try.
        details = sorted(self.action_details(identifier), key=lambda detail: detail["startTime"])
        return [_action(detail) for detail in details]

    def _states(self) -> dict[str, Mapping[str, Any]]:
        state = self.client.get_pipeline_state(name=self.name)
        return {stage["stageName"]: stage for stage in state.get("stageStates", [])}

    def _read_definition(self, version: int) -> list[tuple[str, list[str]]]:
        pipeline = self.client.get_pipeline(name=self.name, version=version)["pipeline"]
        ordered = (
            (stage["name"], sorted(stage["actions"], key=lambda action: action.get("runOrder", 1)))
            for stage in pipeline["stages"]
        )
        return [(name, [action["name"] for action in actions]) for name, actions in ordered]


def started_by(pipeline: Pipeline, commit: str, known: frozenset[str]) -> Execution | None:
    """Return the first execution of ``commit`` that is not among the ``known`` ones.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ListPipelineExecutions.html
    """
    fresh = [each for each in pipeline.executions() if each.identifier not in known]
    of_commit = [each for each in fresh if each.commit == commit]
    if of_commit or not fresh:
        return of_commit[-1] if of_commit else None
    # A source action that failed tells no revision: the last to end that way is as close as one gets.
    return fresh[0] if all(each.ended for each in fresh) else None


def successor(pipeline: Pipeline, ended: Execution) -> Execution | None:
    """Return the execution that took over the commit of ``ended``, as one does that a pipeline's own update starts."""
    if ended.status not in {"Stopped", "Superseded", "Cancelled"} or ended.started is None:
        return None
    newer = (each for each in pipeline.executions() if each.started and each.started > ended.started)
    return next((each for each in newer if each.commit == ended.commit), None)


def _summarized(summary: Mapping[str, Any]) -> Execution:
    return Execution(
        identifier=summary["pipelineExecutionId"],
        status=summary["status"],
        commit=_commit(summary.get("sourceRevisions", [])),
        summary=summary.get("statusSummary", ""),
        trigger=summary.get("trigger", {}).get("triggerType", ""),
        started=summary.get("startTime"),
        updated=summary.get("lastUpdateTime"),
    )


def _commit(revisions: list[Mapping[str, Any]]) -> str:
    return str(revisions[0].get("revisionId", "")) if revisions else ""


def _action(detail: Mapping[str, Any]) -> Action:
    result = detail.get("output", {}).get("executionResult", {})
    error = result.get("errorDetails", {})
    link = result.get("externalExecutionUrl", "")
    address = urlsplit(link)
    return Action(
        stage=detail["stageName"],
        name=detail["actionName"],
        status=detail["status"],
        started=detail["startTime"],
        updated=detail.get("lastUpdateTime"),
        category=detail.get("input", {}).get("actionTypeId", {}).get("category", ""),
        message=error.get("message") or result.get("externalExecutionSummary", ""),
        log=Path(unquote(address.path)) if address.scheme == "file" else None,
        link=link,
    )


def _stage(
    name: str, actions: tuple[Action, ...], state: Mapping[str, Any], identifier: str, before: Stage | None
) -> Stage:
    """Compose a stage from its state, or, once a newer execution is in it, from what is known otherwise."""
    latest = state.get("latestExecution", {})
    if latest.get("pipelineExecutionId") != identifier:
        status = _derived(actions) or (before.status if before else "")
        return Stage(name, status, actions, before.message if before else "")
    conditions = (state.get(key, {}).get("latestExecution", {}) for key in CONDITIONS)
    message = next((each["summary"] for each in conditions if each.get("summary")), "")
    return Stage(name, latest.get("status", ""), actions, message)


def _derived(actions: tuple[Action, ...]) -> str:
    statuses = {action.status for action in actions}
    if statuses == {"Succeeded"}:
        return "Succeeded"
    return next((status for status in ("Failed", "InProgress", "Abandoned") if status in statuses), "")
