"""How the API shows where a pipeline stands: its stages, their actions, and who waits in front of them."""

from rehearsal.codepipeline.model import ActionRun, ConditionRun, Declaration, Execution, Revision, StageRun
from rehearsal.codepipeline.pipeline import Pipeline, Transition
from rehearsal.codepipeline.views import present


def pipeline_state(pipeline: Pipeline) -> Declaration:
    """Return ``GetPipelineState``'s answer."""
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.definition["version"],
        "stageStates": [_stage_state(pipeline, stage) for stage in pipeline.definition["stages"]],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _stage_state(pipeline: Pipeline, stage: Declaration) -> Declaration:
    name = stage["name"]
    passes = [execution for execution in pipeline.executions if name in execution.stages]
    # The latest to have been there: the one inside, or whichever did something there last.
    latest = pipeline.inside.get(name) or max(passes, key=lambda execution: execution.number, default=None)
    run = latest.stages.get(name) if latest else None
    waiting = [
        {"pipelineExecutionId": execution.id, "status": "InProgress", "type": "STANDARD"}
        for execution in pipeline.waiting.get(name, [])
    ]
    shown = dict(run.conditions) if run else {}
    return present(
        stageName=name,
        inboundExecution=waiting[-1] if waiting else None,
        inboundExecutions=waiting,
        inboundTransitionState=_transition(pipeline.transition(name)),
        actionStates=[_action_state(pipeline, name, action) for action in stage["actions"]],
        latestExecution=_stage_execution(latest, run) if latest and run else None,
        beforeEntryConditionState=_condition(shown.get("beforeEntry")),
        onSuccessConditionState=_condition(shown.get("onSuccess")),
        onFailureConditionState=_condition(shown.get("onFailure")),
        retryStageMetadata=_retries(run) if run else None,
    )


def _stage_execution(execution: Execution, run: StageRun) -> Declaration:
    stopping = run.status == "InProgress" and execution.status == "Stopping"
    status = "Stopping" if stopping else run.status
    return {"pipelineExecutionId": execution.id, "status": status, "type": "STANDARD"}


def _action_state(pipeline: Pipeline, stage: str, action: Declaration) -> Declaration:
    runs = [
        (execution, run)
        for execution in pipeline.executions
        for run in execution.history
        if (run.stage, run.name) == (stage, action["name"])
    ]
    if not runs:
        return {"actionName": action["name"]}
    execution, run = max(runs, key=lambda pair: pair[1].started)
    revision = execution.revisions.get(run.name) if run.outcome.revision else None
    return present(
        actionName=action["name"],
        currentRevision=_current_revision(revision) if revision else None,
        latestExecution=_action_execution(run),
        entityUrl=run.resolved.get("ExternalEntityLink"),
        revisionUrl=revision.url if revision else None,
    )


def _action_execution(run: ActionRun) -> Declaration:
    return present(
        actionExecutionId=run.id,
        status=run.status,
        summary=run.summary,
        lastStatusChange=run.updated,
        token=run.token,
        lastUpdatedBy=run.updated_by,
        externalExecutionId=run.external_id,
        externalExecutionUrl=run.external_url,
        errorDetails={"code": run.error.code, "message": run.error.message} if run.error else None,
    )


def _condition(run: ConditionRun | None) -> Declaration | None:
    if run is None:
        return None
    rules = [
        {
            "ruleName": rule.name,
            "latestExecution": present(
                ruleExecutionId=rule.id, status=rule.status, summary=rule.summary, lastStatusChange=rule.at
            ),
        }
        for rule in run.rules
    ]
    latest = present(status=run.status, summary=run.summary, lastStatusChange=run.at)
    return {
        "latestExecution": present(status=run.status, summary=run.summary),
        "conditionStates": [{"latestExecution": latest, "ruleStates": rules}],
    }


def _retries(run: StageRun) -> Declaration:
    return present(
        autoStageRetryAttempt=run.automatic_retries or None,
        manualStageRetryAttempt=run.manual_retries or None,
        latestRetryTrigger=run.retry_trigger,
    )


def _transition(transition: Transition) -> Declaration:
    return {"enabled": transition.enabled} | present(
        lastChangedBy=transition.changed_by,
        lastChangedAt=transition.changed_at,
        disabledReason=transition.reason,
    )


def _current_revision(revision: Revision) -> Declaration:
    return {"revisionId": revision.id, "revisionChangeId": revision.id, "created": revision.created}
