"""PipelineStack: artifacts, build projects and the pipeline."""

from typing import Any

from cdktf import TerraformOutput
from cdktf_cdktf_provider_aws.codepipeline import Codepipeline, CodepipelineVariable
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from stacks import policies
from stacks.base import BaseStack
from stacks.pipeline import buildspecs
from stacks.pipeline.artifacts import Artifacts
from stacks.pipeline.drift import Drift, manage_drift, watched
from stacks.pipeline.environments import EnvironmentProjects, environment_before
from stacks.pipeline.limits import check_stages
from stacks.pipeline.projects import BuildProject
from stacks.pipeline.pull_requests import PullRequests, manage_reviews
from stacks.pipeline.selfupdate import build_reports, list_states, manage_pipeline
from stacks.pipeline.source import PipelineSource, source_of
from stacks.pipeline.stages import UPDATED_BY, environment_stages, first_stages
from stacks.pipeline.standalone import DELIVERY_KEY, write_delivery
from stacks.project import Project


class PipelineStack(BaseStack):
    """The pipeline that delivers every environment, and itself."""

    def __init__(self, scope: Construct, *, project: Project) -> None:
        super().__init__(scope, "pipeline", project=project)
        artifacts = Artifacts(self, "store", project=project)
        source = source_of(self, project)
        build = self._project(
            "build",
            artifacts,
            description="Checks, tests and synthesizes a commit.",
            buildspec=buildspecs.BUILD,
            statements=[*build_reports(project), list_states(project)],
        )
        outside = bool(project.review or watched(project))
        hand_on = f"{project.bucket_name('state')}/{DELIVERY_KEY}" if outside else ""
        update = self._project(
            "update",
            artifacts,
            description="Brings the pipeline's own stack up to date.",
            buildspec=buildspecs.update(hand_on),
            statements=[
                *manage_pipeline(project),
                *(manage_reviews(project) if project.review else []),
                *manage_drift(project),
                *([write_delivery(project)] if outside else []),
            ],
        )
        environments = [
            EnvironmentProjects(self, one.name, project=project, environment=one, artifacts=artifacts)
            for one in project.environments
        ]
        stages = first_stages(source.action(), build, update, project.name)
        for projects in environments:
            stages += environment_stages(
                projects.environment, projects, environment_before(project, projects.environment)
            )
        every_project = [build, update, *(part for one in environments for part in (one.plan, one.apply, one.verify))]
        pipeline = Codepipeline(
            self,
            "pipeline",
            name=project.name,
            pipeline_type="V2",
            execution_mode="SUPERSEDED",
            role_arn=self._role(source, artifacts, every_project).arn,
            artifact_store=[artifacts.store()],
            stage=check_stages(stages),
            variable=[
                CodepipelineVariable(
                    name=UPDATED_BY,
                    default_value="none",
                    description="The execution that updated the pipeline and started this one.",
                )
            ],
        )
        source.start(pipeline)
        if project.review:
            PullRequests(
                self, "pull_requests", project=project, review=project.review, artifacts=artifacts, source=source
            )
        if watched(project):
            Drift(self, "drift", project=project, artifacts=artifacts)
        TerraformOutput(self, "pipeline_name", value=pipeline.name)

    def _project(self, part: str, artifacts: Artifacts, **arguments: Any) -> BuildProject:
        name = self.name_of(part)
        return BuildProject(self, part, project=self.project, name=name, artifacts=artifacts, **arguments)

    def _role(self, source: PipelineSource, artifacts: Artifacts, projects: list[BuildProject]) -> IamRole:
        """A role that fetches the source, carries artifacts and starts builds; it can deploy nothing by itself."""
        role = IamRole(
            self,
            "role",
            name=self.name_of("pipeline"),
            assume_role_policy=policies.trust("codepipeline.amazonaws.com", account=self.project.account),
        )
        start = policies.allow(
            ["codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"], [one.arn for one in projects]
        )
        allowed = policies.document(*artifacts.use(), *source.statements(), start)
        IamRolePolicy(self, "policy", name="pipeline", role=role.id, policy=allowed)
        return role
