"""StandaloneProject: a build project that no pipeline runs, with our delivery at hand, and what starts it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import (
    CloudwatchEventTarget,
    CloudwatchEventTargetInputTransformer,
)
from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProject,
    CodebuildProjectArtifacts,
    CodebuildProjectSecondarySources,
    CodebuildProjectSource,
)
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from stacks import policies
from stacks.pipeline.arns import Arns
from stacks.pipeline.artifacts import Artifacts
from stacks.pipeline.limits import check_buildspec
from stacks.pipeline.projects import BuildRole, environment
from stacks.project import Project

DELIVERY_KEY = "delivery/main.zip"
"""Where UpdatePipeline puts the delivery of the branch that is delivered: beside the states, where nothing expires."""

DELIVERY = "main"


class StandaloneProject(Construct):
    """A project without cache or artifacts, whose role may write its log, read our delivery, and do ``statements``.

    Our delivery is its source, or beside ``source`` the second one, which ``$CODEBUILD_SRC_DIR_main`` names.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        project: Project,
        name: str,
        artifacts: Artifacts,
        description: str,
        buildspec: str,
        statements: Iterable[policies.Statement],
        variables: Mapping[str, str],
        secrets: Mapping[str, str] = MappingProxyType({}),
        source: CodebuildProjectSource | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.own_name = name
        place = f"{project.bucket_name('state')}/{DELIVERY_KEY}"
        delivery = CodebuildProjectSource(type="S3", location=place, buildspec=check_buildspec(name, buildspec))
        second = CodebuildProjectSecondarySources(type="S3", location=place, source_identifier=DELIVERY)
        role = BuildRole(
            self,
            project,
            name,
            description,
            [*read_delivery(project), policies.use_key(artifacts.key_arn), *statements],
        )
        build = CodebuildProject(
            self,
            "project",
            name=name,
            description=description,
            service_role=role.arn,
            build_timeout=30,
            encryption_key=artifacts.key_arn,
            source=source or delivery,
            secondary_sources=[second] if source else None,
            artifacts=CodebuildProjectArtifacts(type="NO_ARTIFACTS"),
            environment=environment(variables, secrets),
            logs_config=role.logs_config,
            depends_on=[role.policy],
        )
        self.name, self.arn = build.name, build.arn

    def start_on(
        self, pattern: Mapping[str, object], description: str, paths: Mapping[str, str], template: str
    ) -> None:
        """Start a build for every event that ``pattern`` matches, with what ``template`` makes of its ``paths``.

        Variables of the template stand outside of quotes, where EventBridge writes values as JSON: none can break out.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
        """
        rule = CloudwatchEventRule(
            self,
            "rule",
            name=self.own_name,
            description=description,
            event_pattern=policies.compact(pattern),
        )
        self._target(rule, CloudwatchEventTargetInputTransformer(input_paths=paths, input_template=template))

    def start_every(self, schedule: str, description: str) -> None:
        """Start a build on ``schedule``."""
        rule = CloudwatchEventRule(
            self, "rule", name=self.own_name, description=description, schedule_expression=schedule
        )
        self._target(rule, None)

    def _target(self, rule: CloudwatchEventRule, transformer: CloudwatchEventTargetInputTransformer | None) -> None:
        role = IamRole(
            self,
            "starter",
            name=starter(self.own_name),
            assume_role_policy=policies.trust("events.amazonaws.com"),
        )
        allowed = policies.document(policies.allow(["codebuild:StartBuild"], [self.arn]))
        IamRolePolicy(self, "start", name="start", role=role.id, policy=allowed)
        CloudwatchEventTarget(
            self, "target", rule=rule.name, arn=self.arn, role_arn=role.arn, input_transformer=transformer
        )


def starter(name: str) -> str:
    """The role as which EventBridge starts the project of that name."""
    return f"{name}-start"


def delivery_arn(project: Project) -> str:
    """The object that holds our delivery."""
    return f"{_state_bucket(project)}/{DELIVERY_KEY}"


def read_delivery(project: Project) -> list[policies.Statement]:
    """Fetch our delivery as a source.

    https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
    """
    return [
        policies.allow(["s3:GetBucketAcl", "s3:GetBucketLocation"], [_state_bucket(project)]),
        policies.allow(["s3:GetObject", "s3:GetObjectVersion"], [delivery_arn(project)]),
    ]


def write_delivery(project: Project) -> policies.Statement:
    """Hand on our delivery."""
    return policies.allow(["s3:PutObject"], [delivery_arn(project)])


def _state_bucket(project: Project) -> str:
    return Arns(project.partition, project.account, project.region).bucket(project.bucket_name("state"))
