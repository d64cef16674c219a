"""The stages: from a push to the last environment, in order."""

import json
from collections.abc import Iterator, Mapping

from cdktf_cdktf_provider_aws.codepipeline import (
    CodepipelineStage,
    CodepipelineStageAction,
    CodepipelineStageBeforeEntry,
    CodepipelineStageBeforeEntryCondition,
    CodepipelineStageBeforeEntryConditionRule,
    CodepipelineStageBeforeEntryConditionRuleRuleTypeId,
)

from stacks.pipeline import source
from stacks.pipeline.environments import EnvironmentProjects, plan_artifact
from stacks.pipeline.projects import BuildProject
from stacks.project import Approval, Environment

BUILD_ARTIFACT = "build"
UPDATED_BY = "UPDATED_BY"
EXECUTION = {"PIPELINE_EXECUTION_ID": "#{codepipeline.PipelineExecutionId}"}
# Shorter than artifacts are kept, so that a plan can still be applied when it is approved.
APPROVAL_MINUTES = 7 * 24 * 60


def build_action(
    name: str,
    project: BuildProject,
    *,
    inputs: list[str],
    outputs: list[str] | None = None,
    namespace: str | None = None,
    variables: Mapping[str, str] | None = None,
    run_order: int = 1,
) -> CodepipelineStageAction:
    """An action that runs ``project`` on ``inputs``, the first of which it starts in.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
    """
    values = [{"name": key, "value": value, "type": "PLAINTEXT"} for key, value in (variables or {}).items()]
    configuration = {"ProjectName": project.name}
    if values:
        configuration["EnvironmentVariables"] = json.dumps(values, separators=(",", ":"))
    if len(inputs) > 1:
        configuration["PrimarySource"] = inputs[0]
    return CodepipelineStageAction(
        name=name,
        category="Build",
        owner="AWS",
        provider="CodeBuild",
        version="1",
        run_order=run_order,
        namespace=namespace,
        input_artifacts=inputs,
        output_artifacts=outputs,
        configuration=configuration,
    )


def first_stages(
    source_action: CodepipelineStageAction, build: BuildProject, update: BuildProject, pipeline: str
) -> list[CodepipelineStage]:
    """Source, Build and UpdatePipeline."""
    variables = EXECUTION | {
        "PIPELINE_NAME": pipeline,
        "COMMIT_ID": f"#{{{source.NAMESPACE}.CommitId}}",
        UPDATED_BY: f"#{{variables.{UPDATED_BY}}}",
    }
    return [
        CodepipelineStage(name="Source", action=[source_action]),
        CodepipelineStage(
            name="Build", action=[build_action("Build", build, inputs=[source.ARTIFACT], outputs=[BUILD_ARTIFACT])]
        ),
        CodepipelineStage(
            name="UpdatePipeline",
            action=[build_action("Update", update, inputs=[BUILD_ARTIFACT], variables=variables)],
        ),
    ]


def environment_stages(
    environment: Environment, projects: EnvironmentProjects, before: Environment | None
) -> list[CodepipelineStage]:
    """The stages of one environment: its plan, its approvals where there are any, its deployment."""
    return [_plan(environment, projects, before), *_approvals(environment), _deploy(environment, projects)]


def _plan(environment: Environment, projects: EnvironmentProjects, before: Environment | None) -> CodepipelineStage:
    action = build_action(
        "Plan",
        projects.plan,
        inputs=[BUILD_ARTIFACT, *([plan_artifact(before)] if before else [])],
        outputs=[plan_artifact(environment)],
        namespace=f"{environment.name}-plan",
        variables=EXECUTION,
    )
    return CodepipelineStage(name=f"{environment.name}-plan", action=[action])


def _approvals(environment: Environment) -> Iterator[CodepipelineStage]:
    """A stage for each approval: only a stage can be skipped, and may be granted to people of its own."""
    planned = f"{environment.name}-plan"
    if environment.approval is not Approval.NEVER:
        condition = _unless(planned, "HAS_CHANGES", "true") if environment.approval is Approval.ON_CHANGE else None
        yield _approve(f"{environment.name}-approve", planned, "", condition)
    if environment.destructive_approval:
        condition = _unless(planned, "RISK", "destructive")
        yield _approve(f"{environment.name}-approve-destructive", planned, "DESTROYS DATA. ", condition)


def _approve(
    name: str, planned: str, warning: str, condition: CodepipelineStageBeforeEntry | None
) -> CodepipelineStage:
    words = f"{warning}#{{{planned}.SUMMARY}}. Risk: #{{{planned}.RISK}}. Plan SHA-256: #{{{planned}.PLAN_SHA256}}"
    action = CodepipelineStageAction(
        name="Approve",
        category="Approval",
        owner="AWS",
        provider="Manual",
        version="1",
        timeout_in_minutes=APPROVAL_MINUTES,
        configuration={"CustomData": words, "ExternalEntityLink": f"#{{{planned}.REVIEW_URL}}"},
    )
    return CodepipelineStage(name=name, action=[action], before_entry=condition)


def _unless(planned: str, variable: str, value: str) -> CodepipelineStageBeforeEntry:
    """Skip the stage unless the plan's ``variable`` has ``value``.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-VariableCheck.html
    """
    rule = CodepipelineStageBeforeEntryConditionRule(
        name=variable.title().replace("_", ""),
        rule_type_id=CodepipelineStageBeforeEntryConditionRuleRuleTypeId(
            category="Rule", owner="AWS", provider="VariableCheck", version="1"
        ),
        configuration={"Variable": f"#{{{planned}.{variable}}}", "Operator": "EQ", "Value": value},
    )
    condition = CodepipelineStageBeforeEntryCondition(result="SKIP", rule=[rule])
    return CodepipelineStageBeforeEntry(condition=condition)


def _deploy(environment: Environment, projects: EnvironmentProjects) -> CodepipelineStage:
    applied = f"{environment.name}-apply"
    apply = build_action(
        "Apply",
        projects.apply,
        inputs=[BUILD_ARTIFACT, plan_artifact(environment)],
        namespace=applied,
        variables=EXECUTION | {"PLAN_SHA256": f"#{{{environment.name}-plan.PLAN_SHA256}}"},
        run_order=1,
    )
    verify = build_action(
        "Verify", projects.verify, inputs=[BUILD_ARTIFACT], variables={"URL": f"#{{{applied}.URL}}"}, run_order=2
    )
    return CodepipelineStage(name=f"{environment.name}-deploy", action=[apply, verify])
