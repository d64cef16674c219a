"""Where changes come from: a connection to GitHub, Bitbucket or GitLab, or a CodeCommit repository."""

from abc import abstractmethod

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktf_cdktf_provider_aws.codeconnections_connection import CodeconnectionsConnection
from cdktf_cdktf_provider_aws.codepipeline import Codepipeline, CodepipelineStageAction
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from stacks import policies
from stacks.pipeline.arns import Arns
from stacks.project import Project, Provider

ARTIFACT = "source"
NAMESPACE = "source"
ACTION = "Source"


class PipelineSource(Construct):
    """The pipeline's source: its action, what the pipeline's role needs for it, and what starts the pipeline."""

    def __init__(self, scope: Construct, id: str, *, project: Project) -> None:
        super().__init__(scope, id)
        self.project = project

    @abstractmethod
    def statements(self) -> list[policies.Statement]:
        """What the pipeline's role needs to fetch the source."""

    @abstractmethod
    def action(self) -> CodepipelineStageAction:
        """The action of the Source stage."""

    def start(self, pipeline: Codepipeline) -> None:
        """Start ``pipeline`` on a push, where the action alone does not."""

    def _action(self, provider: str, configuration: dict[str, str]) -> CodepipelineStageAction:
        return CodepipelineStageAction(
            name=ACTION,
            namespace=NAMESPACE,
            category="Source",
            owner="AWS",
            provider=provider,
            version="1",
            output_artifacts=[ARTIFACT],
            configuration={"BranchName": self.project.source.branch, "OutputArtifactFormat": "CODE_ZIP"}
            | configuration,
        )


class ConnectionSource(PipelineSource):
    """A repository behind a connection, which someone authorises in the console once.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
    """

    def __init__(self, scope: Construct, id: str, *, project: Project) -> None:
        super().__init__(scope, id, project=project)
        self.connection = CodeconnectionsConnection(
            self, "connection", name=project.name, provider_type=str(project.source.provider)
        )

    def statements(self) -> list[policies.Statement]:
        # IAM knows the service by both of its names.
        actions = ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
        return [policies.allow(actions, [self.connection.arn])]

    def action(self) -> CodepipelineStageAction:
        return self._action(
            "CodeStarSourceConnection",
            {
                "ConnectionArn": self.connection.arn,
                "FullRepositoryId": self.project.source.repository,
                "DetectChanges": "true",
            },
        )


class CodeCommitSource(PipelineSource):
    """A CodeCommit repository, whose pushes EventBridge tells the pipeline of.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
    """

    @property
    def _repository_arn(self) -> str:
        home = Arns(self.project.partition, self.project.account, self.project.region)
        return home.of("codecommit", self.project.source.repository)

    def statements(self) -> list[policies.Statement]:
        actions = (
            "CancelUploadArchive",
            "GetBranch",
            "GetCommit",
            "GetRepository",
            "GetUploadArchiveStatus",
            "UploadArchive",
        )
        return [policies.allow([f"codecommit:{action}" for action in actions], [self._repository_arn])]

    def action(self) -> CodepipelineStageAction:
        return self._action(
            "CodeCommit", {"RepositoryName": self.project.source.repository, "PollForSourceChanges": "false"}
        )

    def start(self, pipeline: Codepipeline) -> None:
        name = self.project.resource_name("push")
        role = IamRole(self, "role", name=name, assume_role_policy=policies.trust("events.amazonaws.com"))
        allowed = policies.document(policies.allow(["codepipeline:StartPipelineExecution"], [pipeline.arn]))
        IamRolePolicy(self, "policy", name="start", role=role.id, policy=allowed)
        rule = CloudwatchEventRule(
            self, "push", name=name, description="A push starts the pipeline.", event_pattern=self._pattern()
        )
        CloudwatchEventTarget(self, "pipeline", rule=rule.name, arn=pipeline.arn, role_arn=role.arn)

    def _pattern(self) -> str:
        """https://docs.aws.amazon.com/codepipeline/latest/userguide/create-cwe-codecommit.html"""
        return policies.compact(
            {
                "source": ["aws.codecommit"],
                "detail-type": ["CodeCommit Repository State Change"],
                "resources": [self._repository_arn],
                "detail": {
                    "event": ["referenceCreated", "referenceUpdated"],
                    "referenceType": ["branch"],
                    "referenceName": [self.project.source.branch],
                },
            }
        )


def source_of(scope: Construct, project: Project) -> PipelineSource:
    """The source that the settings ask for."""
    kind = CodeCommitSource if project.source.provider is Provider.CODECOMMIT else ConnectionSource
    return kind(scope, "source", project=project)
