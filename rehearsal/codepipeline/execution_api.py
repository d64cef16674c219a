"""The API's operations on executions: start, stop, retry, look at."""

from typing import Any

from rehearsal.codepipeline import views
from rehearsal.codepipeline.declaration import source_actions
from rehearsal.codepipeline.engine import Engine
from rehearsal.codepipeline.model import Execution, now
from rehearsal.codepipeline.pipeline import Pipeline
from rehearsal.codepipeline.registry import Registry, execution_of, page_start, refused, stage_of
from rehearsal.constraints import enforce
from rehearsal.identity import caller_arn
from rehearsal.protocol import Caller

CONCURRENT_EXECUTIONS = 50
"""In PARALLEL and QUEUED mode: https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html"""

Answer = dict[str, Any]


class ExecutionApi:
    """https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StartPipelineExecution.html and its like."""

    registry: Registry
    engine: Engine

    def start_pipeline_execution(self, caller: Caller, **parameters: Any) -> Answer:
        """Start an execution with ``variables`` and, where wanted, other commits than the branches' tips."""
        enforce("codepipeline", "StartPipelineExecution", parameters)
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["name"])
            token = parameters.get("clientRequestToken", "")
            if token in pipeline.requests:
                return {"pipelineExecutionId": pipeline.requests[token]}
            variables = _variables(pipeline, parameters.get("variables", []))
            commits = _commits(pipeline, parameters.get("sourceRevisions", []))
            trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": caller_arn(caller)}
            check_concurrency(pipeline)
            execution = self.engine.start(pipeline, trigger, variables, commits)
            if token:
                pipeline.requests[token] = execution.id
            return {"pipelineExecutionId": execution.id}

    def stop_pipeline_execution(self, caller: Caller, **parameters: Any) -> Answer:
        """Stop an execution after its running actions, or at once with ``abandon``."""
        enforce("codepipeline", "StopPipelineExecution", parameters)
        abandon = bool(parameters.get("abandon", False))
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            execution_id = parameters["pipelineExecutionId"]
            execution = next((each for each in pipeline.executions if each.id == execution_id), None)
            if execution is None or execution.ended:
                state = f"is {execution.status}" if execution else "does not exist"
                message = f"Unable to stop the pipeline execution {execution_id}: it {state}"
                raise refused("PipelineExecutionNotStoppable", message)
            if execution.stopping and (execution.abandoned or not abandon):
                raise refused("DuplicatedStopRequest", f"Execution {execution_id} is already being stopped this way")
            self.engine.stop(pipeline, execution, abandon=abandon, reason=parameters.get("reason", ""))
        return {"pipelineExecutionId": execution_id}

    def retry_stage_execution(self, caller: Caller, **parameters: Any) -> Answer:
        """Run a failed or stopped stage again, all of it or what did not succeed.

        https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageExecution.html
        """
        enforce("codepipeline", "RetryStageExecution", parameters)
        stage = parameters["stageName"]
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            stage_of(pipeline, stage)
            execution = execution_of(pipeline, parameters["pipelineExecutionId"])
            _check_retryable(pipeline, execution, stage)
            self.engine.retry(pipeline, execution, stage, parameters["retryMode"])
        return {"pipelineExecutionId": execution.id}

    def get_pipeline_execution(self, caller: Caller, **parameters: Any) -> Answer:
        """Return one execution."""
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            execution = execution_of(pipeline, parameters["pipelineExecutionId"])
            return {"pipelineExecution": views.execution_detail(pipeline, execution)}

    def list_pipeline_executions(self, caller: Caller, **parameters: Any) -> Answer:
        """Return executions, the latest first."""
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            found = pipeline.executions[::-1]
            if stage := parameters.get("filter", {}).get("succeededInStage", {}).get("stageName"):
                found = [each for each in found if stage in each.stages and each.stages[stage].status == "Succeeded"]
            start, size = page_start(parameters.get("nextToken", "")), parameters.get("maxResults", 100)
            shown, following = views.page(found, views.execution_summary, start, size)
        return {"pipelineExecutionSummaries": shown} | ({"nextToken": str(following)} if following else {})

    def list_action_executions(self, caller: Caller, **parameters: Any) -> Answer:
        """Return action executions, the latest first."""
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            wanted = parameters.get("filter", {})
            latest = wanted.get("latestInPipelineExecution", {}).get("pipelineExecutionId", "")
            only = wanted.get("pipelineExecutionId", latest)
            executions = [execution_of(pipeline, only)] if only else pipeline.executions
            runs = [(execution, run) for execution in executions for run in execution.history]
            if latest:
                runs = list({(run.stage, run.name): (execution, run) for execution, run in runs}.values())
            runs.sort(key=lambda pair: pair[1].started, reverse=True)
            start, size = page_start(parameters.get("nextToken", "")), parameters.get("maxResults", 100)
            shown, following = views.page(runs, lambda pair: views.action_detail(*pair), start, size)
        return {"actionExecutionDetails": shown} | ({"nextToken": str(following)} if following else {})

    def enable_stage_transition(self, caller: Caller, **parameters: Any) -> Answer:
        """Let executions into a stage again."""
        return self._switch(caller, parameters, enabled=True)

    def disable_stage_transition(self, caller: Caller, **parameters: Any) -> Answer:
        """Keep executions out of a stage; they wait in front of it."""
        enforce("codepipeline", "DisableStageTransition", parameters)
        return self._switch(caller, parameters, enabled=False)

    def _switch(self, caller: Caller, parameters: Answer, *, enabled: bool) -> Answer:
        stage = parameters["stageName"]
        if parameters["transitionType"] != "Inbound":
            raise refused("Validation", "the rehearsal does not emulate outbound transitions, which AWS never built")
        with self.engine.changed:
            pipeline = self.registry.pipeline(caller, parameters["pipelineName"])
            stage_of(pipeline, stage)
            transition = pipeline.transition(stage)
            transition.enabled, transition.reason = enabled, parameters.get("reason", "")
            transition.changed_by, transition.changed_at = caller_arn(caller), now()
            self.engine.gate.admit(pipeline, stage)
        return {}


def check_concurrency(pipeline: Pipeline) -> None:
    """Raise the API's error where a pipeline that does not supersede has too many executions at once."""
    unfinished = sum(not execution.ended for execution in pipeline.executions)
    if pipeline.definition["executionMode"] != "SUPERSEDED" and unfinished >= CONCURRENT_EXECUTIONS:
        message = f"Pipeline {pipeline.name} has reached the limit of {CONCURRENT_EXECUTIONS} concurrent executions"
        raise refused("ConcurrentPipelineExecutionsLimitExceeded", message)


def _variables(pipeline: Pipeline, given: list[dict[str, str]]) -> dict[str, str]:
    declared = {variable["name"]: variable for variable in pipeline.definition.get("variables", [])}
    values = {name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each}
    values |= {each["name"]: each["value"] for each in given}
    if unknown := sorted(set(values) - set(declared)):
        raise refused("Validation", f"Pipeline {pipeline.name} does not declare variable {unknown[0]}")
    if missing := sorted(set(declared) - set(values)):
        raise refused("Validation", f"Variable {missing[0]} has no default, so a value is required")
    return values


def _commits(pipeline: Pipeline, overrides: list[dict[str, str]]) -> dict[str, str]:
    sources = {action["name"] for action in source_actions(pipeline.definition)}
    for override in overrides:
        if override["actionName"] not in sources:
            raise refused("Validation", f"{override['actionName']} is no source action of pipeline {pipeline.name}")
        if override["revisionType"] != "COMMIT_ID":
            kind = override["revisionType"]
            raise refused("Validation", f"revisionType {kind} does not suit {override['actionName']}: use COMMIT_ID")
    return {override["actionName"]: override["revisionValue"] for override in overrides}


def _check_retryable(pipeline: Pipeline, execution: Execution, stage: str) -> None:
    run = execution.stages.get(stage)
    later = [each for each in pipeline.executions if each.number > execution.number and stage in each.stages]
    if (later and execution.mode != "PARALLEL") or pipeline.inside.get(stage) not in (None, execution):
        message = f"A later execution has been in stage {stage} since {execution.id} failed there"
        raise refused("NotLatestPipelineExecution", message)
    if run is None or run.status not in ("Failed", "Stopped") or not execution.ended:
        raise refused("StageNotRetryable", f"Unable to retry: stage {stage} has no failed actions in {execution.id}")
    if execution.definition["version"] != pipeline.definition["version"]:
        message = f"Unable to retry: the pipeline's structure has changed since execution {execution.id} started"
        raise refused("StageNotRetryable", message)
