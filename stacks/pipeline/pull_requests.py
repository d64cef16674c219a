"""PullRequests: a project that plans branches and is not trusted, and one that comments and is.

See docs/decisions/0013-two-builds-for-a-pull-request.md.
"""

import json

from cdktf_cdktf_provider_aws.codebuild_project import (
    CodebuildProjectSource,
    CodebuildProjectSourceAuth,
    CodebuildProjectSourceBuildStatusConfig,
)
from constructs import Construct

from stacks import policies
from stacks.chatbot.stack import stack_id
from stacks.pipeline import buildspecs
from stacks.pipeline.approval import APPROVING, ReviewApproval, approver, manage_approval, repository
from stacks.pipeline.arns import Arns
from stacks.pipeline.artifacts import FINDINGS_PREFIX, SHOWN_PREFIX, Artifacts
from stacks.pipeline.environments import remote_role
from stacks.pipeline.permissions import ChatbotPermissions, StatePermissions
from stacks.pipeline.selfupdate import MANAGE_ROLES, MANAGE_RULES
from stacks.pipeline.source import ConnectionSource, PipelineSource
from stacks.pipeline.standalone import StandaloneProject, starter
from stacks.pipeline.webhook import start_on_webhooks
from stacks.project import Project, Provider
from stacks.review import Review

PLANNING = "review"
COMMENTING = "comment"
PARTS = (PLANNING, COMMENTING)
STACKS = "chatbot-*"
ADDRESSES = {Provider.GITHUB: "https://github.com", Provider.BITBUCKET: "https://bitbucket.org"}
USE_CONNECTION = [
    f"{service}:{action}"
    for service in ("codeconnections", "codestar-connections")
    for action in ("GetConnection", "GetConnectionToken", "UseConnection")
]
ENDED = ["FAILED", "FAULT", "STOPPED", "SUCCEEDED", "TIMED_OUT"]


class PullRequests(Construct):
    """Plans the pull requests of ``project`` against every environment, and comments on them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        project: Project,
        review: Review,
        artifacts: Artifacts,
        source: PipelineSource,
    ) -> None:
        super().__init__(scope, id)
        self._project, self._review = project, review
        self._home = Arns(project.partition, project.account, project.region)
        self.plan = self._planning(artifacts, source)
        self.comment = self._commenting(artifacts)
        if review.approval_rule:
            commenter = self._home.role(project.resource_name(COMMENTING))
            ReviewApproval(self, "approval", project=project, commenter=commenter).node.add_dependency(self.comment)
        if project.source.provider is Provider.CODECOMMIT:
            self._start_on_events()
        else:
            start_on_webhooks(self, project, review, self.plan)
        self.comment.start_on(
            {
                "source": ["aws.codebuild"],
                "detail-type": ["CodeBuild Build State Change"],
                "detail": {"project-name": [self.plan.name], "build-status": ENDED},
            },
            "The end of a branch's plan starts its comment.",
            {"build": "$.detail.build-id"},
            '{"environmentVariablesOverride":[{"name":"PLANNED_BUILD","value":<build>,"type":"PLAINTEXT"}]}',
        )

    def _planning(self, artifacts: Artifacts, source: PipelineSource) -> StandaloneProject:
        project = self._project
        remote = {
            stack_id(one): remote_role(project, one, "plan") for one in project.environments if project.is_remote(one)
        }
        return StandaloneProject(
            self,
            PLANNING,
            project=project,
            name=project.resource_name(PLANNING),
            artifacts=artifacts,
            description="Plans branches, whose code it runs: reads, holds no secret, and is trusted by nobody.",
            buildspec=buildspecs.review(),
            source=self._source(source, buildspecs.review()),
            statements=[
                # Also of an environment that the branch adds, whose state is not there yet.
                *StatePermissions(project, STACKS).look(),
                *(
                    statement
                    for one in project.environments
                    for statement in (
                        [policies.assume(remote[stack_id(one)])]
                        if project.is_remote(one)
                        else ChatbotPermissions(project, one).read()
                    )
                ),
                *self._fetch(source),
                policies.write_objects(artifacts.bucket.arn, FINDINGS_PREFIX),
            ],
            variables={
                "STACKS": STACKS,
                "BUCKET": artifacts.bucket.name,
                "DEPLOY_ROLES": json.dumps(remote, separators=(",", ":")),
            },
        )

    def _source(self, source: PipelineSource, buildspec: str) -> CodebuildProjectSource:
        """The branch's files; the buildspec is ours, whatever a branch has in its place."""
        settings, auth = self._project.source, None
        if isinstance(source, ConnectionSource):
            auth = CodebuildProjectSourceAuth(type="CODECONNECTIONS", resource=source.connection.arn)
            location = f"{ADDRESSES[settings.provider]}/{settings.repository}.git"
        else:
            domain = "amazonaws.com.cn" if self._project.partition == "aws-cn" else "amazonaws.com"
            host = f"https://git-codecommit.{self._project.region}.{domain}"
            location = f"{host}/v1/repos/{settings.repository}"
        # CodeBuild says through the connection that a build began, and its end; what it found is the comment's to say.
        status = CodebuildProjectSourceBuildStatusConfig(context=f"{self._project.name}/{PLANNING}-build")
        return CodebuildProjectSource(
            type=settings.provider.name,
            location=location,
            buildspec=buildspec,
            git_clone_depth=1,
            auth=auth,
            report_build_status=True if auth else None,
            build_status_config=status if auth else None,
        )

    def _fetch(self, source: PipelineSource) -> list[policies.Statement]:
        """Clone the repository.

        https://docs.aws.amazon.com/codebuild/latest/userguide/connections-github-app.html
        """
        if isinstance(source, ConnectionSource):
            return [policies.allow(USE_CONNECTION, [source.connection.arn])]
        return [policies.allow(["codecommit:GitPull"], [repository(self._project)])]

    def _commenting(self, artifacts: Artifacts) -> StandaloneProject:
        secret = self._review.token_secret_arn
        return StandaloneProject(
            self,
            COMMENTING,
            project=self._project,
            name=self._project.resource_name(COMMENTING),
            artifacts=artifacts,
            description="Comments on pull requests: runs none of their code, and takes a file from their builds.",
            buildspec=buildspecs.comment(),
            statements=[
                policies.allow(["codebuild:BatchGetBuilds"], [self.plan.arn]),
                *policies.read_objects(artifacts.bucket.arn, FINDINGS_PREFIX),
                policies.write_objects(artifacts.bucket.arn, SHOWN_PREFIX),
                *(self._read_token(secret) if secret else self._write_comments()),
                *([policies.assume(approver(self._project))] if self._review.approval_rule else []),
            ],
            variables={
                "PROVIDER": str(self._project.source.provider),
                "REPOSITORY": self._project.source.repository,
                "BUCKET": artifacts.bucket.name,
                "NAME": self._project.name,
                "FORKS": "shown" if self._review.allow_forks else "refused",
                **({"APPROVER": approver(self._project)} if self._review.approval_rule else {}),
            },
            secrets={"REVIEW_TOKEN": secret} if secret else {},
        )

    def _read_token(self, secret: str) -> list[policies.Statement]:
        """Read one secret, also if a key of one's own encrypts it.

        https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        """
        through = f"secretsmanager.{self._project.region}.amazonaws.com"
        condition = {"StringEquals": {"kms:ViaService": through, "kms:EncryptionContext:SecretARN": secret}}
        return [
            policies.allow(["secretsmanager:GetSecretValue"], [secret]),
            policies.allow(["kms:Decrypt"], [self._home.of("kms", "key/*")], condition),
        ]

    def _write_comments(self) -> list[policies.Statement]:
        actions = ("GetCommentsForPullRequest", "GetPullRequest", "PostCommentForPullRequest")
        return [
            policies.allow([f"codecommit:{action}" for action in actions], [repository(self._project)]),
            policies.allow_anywhere(
                ["codecommit:DeleteCommentContent", "codecommit:UpdateComment"],
                because="a comment is no resource; CodeCommit lets its author alone change it",
            ),
        ]

    def _start_on_events(self) -> None:
        """https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html"""
        self.plan.start_on(
            {
                "source": ["aws.codecommit"],
                "detail-type": ["CodeCommit Pull Request State Change"],
                "resources": [repository(self._project)],
                "detail": {
                    "event": ["pullRequestCreated", "pullRequestSourceBranchUpdated"],
                    "destinationReference": [f"refs/heads/{self._project.source.branch}"],
                },
            },
            "A pull request and every push to it start its plan.",
            {"commit": "$.detail.sourceCommit", "number": "$.detail.pullRequestId"},
            '{"sourceVersion":<commit>,'
            '"environmentVariablesOverride":[{"name":"PULL_REQUEST","value":<number>,"type":"PLAINTEXT"}]}',
        )


def manage_reviews(project: Project) -> list[policies.Statement]:
    """What UpdatePipeline needs to change this part of the pipeline's stack."""
    # Also where there is no rule yet, or none any more: what makes or removes it is granted before it does.
    approving = [project.resource_name(APPROVING)] if project.source.provider is Provider.CODECOMMIT else []
    home = Arns(project.partition, project.account, project.region)
    names = [project.resource_name(part) for part in PARTS]
    connections = [home.of(service, "connection/*") for service in ("codeconnections", "codestar-connections")]
    return [
        # CodeBuild makes a webhook in the name of whoever asks it to.
        *([] if project.source.provider is Provider.CODECOMMIT else [policies.allow(USE_CONNECTION, connections)]),
        policies.allow(MANAGE_ROLES, [home.role(name) for name in (*names, *map(starter, names), *approving)]),
        *(manage_approval(project) if approving else []),
        policies.allow(["codebuild:*Webhook"], [home.of("codebuild", f"project/{names[0]}")]),
        policies.allow(MANAGE_RULES, [home.of("events", f"rule/{name}") for name in names]),
    ]
