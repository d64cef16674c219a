"""Drift: a look at every environment on a schedule, a topic that hears what moved, and an alarm while it has."""

from cdktf import TerraformOutput
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from constructs import Construct

from stacks import policies
from stacks.chatbot.stack import stack_id
from stacks.pipeline import buildspecs
from stacks.pipeline.arns import Arns
from stacks.pipeline.artifacts import Artifacts
from stacks.pipeline.environments import remote_role
from stacks.pipeline.permissions import ChatbotPermissions, StatePermissions
from stacks.pipeline.selfupdate import MANAGE_ROLES, MANAGE_RULES
from stacks.pipeline.standalone import StandaloneProject, starter
from stacks.project import Environment, Project

PART = "drift"
METRIC = "DriftedResources"
PERIOD_SECONDS = 300


class Drift(Construct):
    """Looks for drift in every environment of ``project`` whose settings ask for it."""

    def __init__(self, scope: Construct, id: str, *, project: Project, artifacts: Artifacts) -> None:
        super().__init__(scope, id)
        self._project, self._artifacts = project, artifacts
        self._topic = SnsTopic(self, "topic", name=project.resource_name(PART), kms_master_key_id=artifacts.key_arn)
        for environment in watched(project):
            self._watch(environment, environment.looks_for_drift or "")
            self._alarm(environment)
        TerraformOutput(self, "output", value=self._topic.arn).override_logical_id("drift_topic")

    def _watch(self, environment: Environment, schedule: str) -> None:
        project = self._project
        name = project.resource_name(PART, environment)
        state, remote = StatePermissions.of(project, environment), project.is_remote(environment)
        role = remote_role(project, environment, "plan")
        acting = [policies.assume(role)] if remote else [*ChatbotPermissions(project, environment).read(), trail()]
        build = StandaloneProject(
            self,
            environment.name,
            project=project,
            name=name,
            artifacts=self._artifacts,
            description=f"Looks whether {environment.name} is as it was released: reads, and changes nothing.",
            buildspec=buildspecs.drift(),
            statements=[
                *state.read(),
                *state.watch(),
                *acting,
                policies.allow(["sns:Publish"], [self._topic.arn]),
                policies.allow_anywhere(
                    ["cloudwatch:PutMetricData"],
                    because="a metric is no resource; its namespace limits it",
                    condition={"StringEquals": {"cloudwatch:namespace": project.name}},
                ),
            ],
            variables={
                "STACK": stack_id(environment),
                "TOPIC": self._topic.arn,
                "NAMESPACE": project.name,
                **({"TF_VAR_deploy_role_arn": role} if remote else {}),
            },
        )
        build.start_every(schedule, f"Looks for drift in {environment.name}.")

    def _alarm(self, environment: Environment) -> None:
        """An alarm that stays as the last look left it; what moved stands in the topic's message."""
        CloudwatchMetricAlarm(
            self,
            f"{environment.name}_alarm",
            alarm_name=self._project.resource_name(PART, environment),
            alarm_description=f"{environment.name} is not as it was released: topic {self._topic.name} has told how.",
            namespace=self._project.name,
            metric_name=METRIC,
            dimensions={"Stack": stack_id(environment)},
            statistic="Maximum",
            period=PERIOD_SECONDS,
            evaluation_periods=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            treat_missing_data="ignore",
        )


def watched(project: Project) -> list[Environment]:
    """The environments in which drift is looked for."""
    return [environment for environment in project.environments if environment.looks_for_drift]


def trail() -> policies.Statement:
    """Ask who changed a resource."""
    return policies.allow_anywhere(
        ["cloudtrail:LookupEvents"], because="events are no resources: LookupEvents takes none"
    )


def manage_drift(project: Project) -> list[policies.Statement]:
    """What UpdatePipeline needs to change this part of the pipeline's stack."""
    home = Arns(project.partition, project.account, project.region)
    # An environment that is added or removed brings names that this stack does not know yet.
    any_name = f"{project.name}-*-{PART}"
    return [
        policies.allow(MANAGE_ROLES, [home.role(any_name), home.role(starter(any_name))]),
        policies.allow(MANAGE_RULES, [home.of("events", f"rule/{any_name}")]),
        policies.allow([f"sns:{action}" for action in TOPIC_ACTIONS], [home.of("sns", project.resource_name(PART))]),
        policies.allow(
            [
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
            [home.of("cloudwatch", f"alarm:{any_name}")],
        ),
    ]


TOPIC_ACTIONS = (
    "CreateTopic",
    "DeleteTopic",
    "GetTopicAttributes",
    "ListTagsForResource",
    "SetTopicAttributes",
    "TagResource",
    "UntagResource",
)
