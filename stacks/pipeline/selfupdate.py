"""What the Build and UpdatePipeline projects may do: report tests, and change the pipeline's own stack."""

from stacks import policies
from stacks.pipeline.arns import Arns
from stacks.pipeline.permissions import StatePermissions
from stacks.project import Project, Provider

MANAGE_ROLES = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)


MANAGE_RULES = ("events:*Rule", "events:*Targets", "events:*Resource", "events:ListTargetsByRule")


def build_reports(project: Project) -> list[policies.Statement]:
    """Publish test and coverage reports.

    https://docs.aws.amazon.com/codebuild/latest/userguide/test-permissions.html
    """
    group = _home(project).of("codebuild", f"report-group/{project.resource_name('build')}-*")
    actions = ("BatchPutCodeCoverages", "BatchPutTestCases", "CreateReport", "CreateReportGroup", "UpdateReport")
    return [policies.allow([f"codebuild:{action}" for action in actions], [group])]


def list_states(project: Project) -> policies.Statement:
    """See which states there are, to find those without a stack; read none."""
    return policies.allow(["s3:ListBucket"], [_home(project).bucket(project.bucket_name("state"))])


def manage_pipeline(project: Project) -> list[policies.Statement]:
    """Change the pipeline's own stack, and start the execution that runs on its new definition."""
    home = _home(project)
    pipeline = home.of("codepipeline", project.name)
    bucket = home.bucket(project.bucket_name("artifacts"))
    names = [project.resource_name(part) for part in ("build", "update", "pipeline", "push")]
    names += [
        project.resource_name(part, environment)
        for environment in project.environments
        for part in ("plan", "apply", "verify")
    ]
    # An environment that is added or removed brings names that this stack does not know yet.
    roles = [*map(home.role, names), *(home.role(f"{project.name}-*-{part}") for part in ("plan", "apply", "verify"))]
    return [
        *StatePermissions(project, "pipeline").write(),
        policies.allow(["codepipeline:*"], [pipeline, f"{pipeline}/*"]),
        policies.allow(
            ["codebuild:*Project", "codebuild:BatchGetProjects"], [home.of("codebuild", f"project/{project.name}-*")]
        ),
        policies.allow(["s3:*Bucket*", "s3:*Configuration"], [bucket]),
        policies.allow(MANAGE_ROLES, roles),
        *(
            policies.pass_role(home.role(f"{project.name}-*"), service)
            for service in ("codebuild.amazonaws.com", "codepipeline.amazonaws.com", "events.amazonaws.com")
        ),
        policies.allow(
            [
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:ListTagsForResource",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            [home.of("logs", f"log-group:/aws/codebuild/{project.name}-*")],
        ),
        *_source(project, home),
        policies.allow_anywhere(
            ["kms:ListAliases", "logs:DescribeLogGroups"], because="both list, and take no resource"
        ),
    ]


def _source(project: Project, home: Arns) -> list[policies.Statement]:
    if project.source.provider is Provider.CODECOMMIT:
        return [policies.allow(MANAGE_RULES, [home.of("events", f"rule/{project.resource_name('push')}")])]
    connections = [home.of("codeconnections", "connection/*"), home.of("codestar-connections", "connection/*")]
    actions = (
        "CreateConnection",
        "DeleteConnection",
        "GetConnection",
        "ListTagsForResource",
        "PassConnection",
        "TagResource",
        "UntagResource",
    )
    return [
        policies.allow(
            [f"{service}:{action}" for service in ("codeconnections", "codestar-connections") for action in actions],
            connections,
        )
    ]


def _home(project: Project) -> Arns:
    return Arns(project.partition, project.account, project.region)
