"""How the API shows executions: records in, the shapes of the API reference out."""

from collections.abc import Callable, Iterable
from typing import Any

from rehearsal.codepipeline.model import ActionRun, Declaration, Execution, Revision
from rehearsal.codepipeline.pipeline import Pipeline


def present(**values: Any) -> Declaration:
    """Return ``values`` without those that are missing or empty: AWS leaves such members out."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", {}, [])}


def execution_detail(pipeline: Pipeline, execution: Execution) -> Declaration:
    """Return ``PipelineExecution``."""
    return present(
        pipelineName=pipeline.name,
        pipelineVersion=execution.definition["version"],
        pipelineExecutionId=execution.id,
        status=execution.status,
        statusSummary=execution.summary,
        artifactRevisions=[_artifact_revision(revision) for revision in execution.revisions.values()],
        variables=[{"name": name, "resolvedValue": value} for name, value in execution.variables.items()],
        trigger=execution.trigger,
        executionMode=execution.mode,
        executionType="STANDARD",
    )


def execution_summary(execution: Execution) -> Declaration:
    """Return ``PipelineExecutionSummary``."""
    return present(
        pipelineExecutionId=execution.id,
        status=execution.status,
        statusSummary=execution.summary,
        startTime=execution.started,
        lastUpdateTime=execution.updated,
        sourceRevisions=[_source_revision(revision) for revision in execution.revisions.values()],
        trigger=execution.trigger,
        stopTrigger={"reason": execution.stop_reason} if execution.status in ("Stopping", "Stopped") else None,
        executionMode=execution.mode,
        executionType="STANDARD",
    )


def action_detail(execution: Execution, run: ActionRun) -> Declaration:
    """Return ``ActionExecutionDetail``."""
    declaration = run.declaration
    result = present(
        externalExecutionId=run.external_id,
        externalExecutionSummary=run.summary,
        externalExecutionUrl=run.external_url,
        errorDetails={"code": run.error.code, "message": run.error.message} if run.error else None,
    )
    return present(
        pipelineExecutionId=execution.id,
        actionExecutionId=run.id,
        pipelineVersion=run.version,
        stageName=run.stage,
        actionName=run.name,
        startTime=run.started,
        lastUpdateTime=run.updated,
        updatedBy=run.updated_by,
        status=run.status,
        input=present(
            actionTypeId=declaration["actionTypeId"],
            configuration=declaration["configuration"],
            resolvedConfiguration=dict(run.resolved),
            roleArn=declaration.get("roleArn"),
            region=declaration.get("region"),
            inputArtifacts=[artifact.location() for artifact in run.inputs],
            namespace=declaration.get("namespace"),
        ),
        output=present(
            outputArtifacts=[artifact.location() for artifact in run.outcome.artifacts],
            executionResult=result,
            outputVariables=run.outcome.variables,
        ),
    )


def page(
    items: Iterable[Any], show: Callable[[Any], Declaration], start: int, size: int
) -> tuple[list[Declaration], int]:
    """Return ``size`` shown items from ``start`` on, and where the next page starts (0: nowhere)."""
    every = list(items)
    end = start + size
    return [show(item) for item in every[start:end]], end if end < len(every) else 0


def _source_revision(revision: Revision) -> Declaration:
    return present(
        actionName=revision.action, revisionId=revision.id, revisionSummary=revision.summary, revisionUrl=revision.url
    )


def _artifact_revision(revision: Revision) -> Declaration:
    return present(
        name=revision.artifact,
        revisionId=revision.id,
        revisionSummary=revision.summary,
        created=revision.created,
        revisionUrl=revision.url,
    )
