"""BuildProject: one CodeBuild project that runs one buildspec under one role."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProject,
    CodebuildProjectArtifacts,
    CodebuildProjectCache,
    CodebuildProjectEnvironment,
    CodebuildProjectEnvironmentEnvironmentVariable,
    CodebuildProjectLogsConfig,
    CodebuildProjectLogsConfigCloudwatchLogs,
    CodebuildProjectSource,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from stacks import policies
from stacks.pipeline.artifacts import CACHE_PREFIX, Artifacts
from stacks.pipeline.limits import check_buildspec
from stacks.project import Project

# https://docs.aws.amazon.com/codebuild/latest/userguide/available-runtimes.html
IMAGE = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
SIZE = "BUILD_GENERAL1_SMALL"
LOG_DAYS = 30


class BuildProject(Construct):
    """A project whose role may write its log, use artifacts, and do what ``statements`` allow."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        project: Project,
        name: str,
        description: str,
        buildspec: str,
        artifacts: Artifacts,
        statements: Iterable[policies.Statement] = (),
        variables: Mapping[str, str] | None = None,
        timeout_minutes: int = 30,
    ) -> None:
        super().__init__(scope, id)
        role = BuildRole(self, project, name, description, [*artifacts.use(), *statements])
        build = CodebuildProject(
            self,
            "project",
            name=name,
            description=description,
            service_role=role.arn,
            build_timeout=timeout_minutes,
            encryption_key=artifacts.key_arn,
            source=CodebuildProjectSource(type="CODEPIPELINE", buildspec=check_buildspec(name, buildspec)),
            artifacts=CodebuildProjectArtifacts(type="CODEPIPELINE"),
            cache=CodebuildProjectCache(type="S3", location=f"{artifacts.bucket.name}/{CACHE_PREFIX}{name}"),
            environment=environment(variables or {}),
            logs_config=role.logs_config,
            depends_on=[role.policy],
        )
        self.name, self.arn = build.name, build.arn


class BuildRole:
    """The role of a build project, with its log group; both lie in the project's own scope."""

    def __init__(
        self,
        scope: Construct,
        project: Project,
        name: str,
        description: str,
        statements: Iterable[policies.Statement],
    ) -> None:
        logs = CloudwatchLogGroup(scope, "logs", name=f"/aws/codebuild/{name}", retention_in_days=LOG_DAYS)
        role = IamRole(
            scope,
            "role",
            name=name,
            description=description,
            assume_role_policy=policies.trust("codebuild.amazonaws.com", account=project.account),
        )
        allowed = policies.document(policies.write_logs(logs.arn), *statements)
        self.policy = IamRolePolicy(scope, "policy", name="build", role=role.id, policy=allowed)
        self.arn = role.arn
        self.logs_config = CodebuildProjectLogsConfig(
            cloudwatch_logs=CodebuildProjectLogsConfigCloudwatchLogs(group_name=logs.name)
        )


def environment(
    variables: Mapping[str, str], secrets: Mapping[str, str] = MappingProxyType({})
) -> CodebuildProjectEnvironment:
    """The environment that builds run in; ``secrets`` are variables whose values lie in the secrets they name."""
    plain = [CodebuildProjectEnvironmentEnvironmentVariable(name=key, value=value) for key, value in variables.items()]
    hidden = [
        CodebuildProjectEnvironmentEnvironmentVariable(name=key, value=arn, type="SECRETS_MANAGER")
        for key, arn in secrets.items()
    ]
    return CodebuildProjectEnvironment(
        type="LINUX_CONTAINER", image=IMAGE, compute_type=SIZE, environment_variable=plain + hidden
    )
