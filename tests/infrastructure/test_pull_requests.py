"""Reviews of pull requests: who may start what, what it may read, and what a stranger's code cannot reach."""

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from delivery.allowed import refusals
from stacks.project import Environment, Model, Project, Provider, SettingsError, Source
from stacks.review import Review
from stacks.settings import PROJECT
from tests.infrastructure.synthesis import Stack, synthesize
from tests.infrastructure.test_stacks import resources, statements

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:review/token-AbCdEf"
REVIEW = Review(allowed_actors=("583231", "42"), token_secret_arn=SECRET)
ON_GITHUB = Project(
    name="acme",
    bot_name="Acme",
    account="111122223333",
    region="eu-west-1",
    source=Source(provider=Provider.GITHUB, repository="acme/bot", branch="release/1.x"),
    environments=(
        Environment(name="dev"),
        Environment(name="prod", account="444455556666", region="us-east-1", drift_schedule="never"),
    ),
    review=REVIEW,
)
ON_CODECOMMIT = replace(ON_GITHUB, source=Source(provider=Provider.CODECOMMIT, repository="bot"), review=Review())


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    """A project on GitHub whose pull requests are reviewed."""
    return synthesize(ON_GITHUB, tmp_path_factory.mktemp("github"))


@pytest.fixture(scope="module")
def codecommit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    """The same on CodeCommit."""
    return synthesize(ON_CODECOMMIT, tmp_path_factory.mktemp("codecommit"))


@pytest.fixture(params=["github", "codecommit"])
def pipeline(request: pytest.FixtureRequest) -> Stack:
    """The pipeline's stack on either."""
    found: Stack = request.getfixturevalue(request.param)["pipeline"]
    return found


def project(pipeline: Stack, name: str) -> dict[str, Any]:
    """A build project by its name."""
    (found,) = (one for one in resources(pipeline, "aws_codebuild_project").values() if one["name"] == name)
    return dict(found)


def the(stack: Stack, kind: str, name: str) -> dict[str, Any]:
    """The resource of a kind whose name begins so; a digest of its path may follow."""
    (found,) = (one for key, one in resources(stack, kind).items() if re.fullmatch(rf"{name}(_[0-9A-F]{{8}})?", key))
    return dict(found)


def allowed(pipeline: Stack, part: str) -> list[dict[str, Any]]:
    """What the role of a part of the reviews may do."""
    return list(statements(the(pipeline, "aws_iam_role_policy", f"pull_requests_{part}_policy")))


def actions(found: list[dict[str, Any]]) -> set[str]:
    """Every action that statements allow."""
    return {action for statement in found for action in statement["Action"]}


def test_reviews_are_off_unless_settings_ask_for_them(tmp_path: Path) -> None:
    """Nobody runs strangers' code without having said so."""
    pipeline = synthesize(replace(ON_GITHUB, review=None), tmp_path)["pipeline"]

    assert "aws_codebuild_webhook" not in pipeline["resource"]
    assert not [one for one in resources(pipeline, "aws_codebuild_project").values() if one["name"] == "acme-review"]


def test_planning_a_branch_changes_nothing_and_reads_no_secret(pipeline: Stack) -> None:
    """Not even a lock is taken; what it writes are its log and what it found."""
    found = allowed(pipeline, "review")

    writes = {action for action in actions(found) if not re.match(r"\w[\w-]*:(Get|List|Describe|GET|BatchGet)", action)}
    assert writes <= {
        *("logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"),
        *("sts:AssumeRole", "codecommit:GitPull"),
        *("codeconnections:UseConnection", "codestar-connections:UseConnection"),
    }
    assert "dynamodb:PutItem" not in writes
    assert not {action for action in actions(found) if action.startswith(("secretsmanager:", "ssm:"))}
    (put,) = (statement for statement in found if "s3:PutObject" in statement["Action"])
    assert [resource.partition("/")[2] for resource in put["Resource"]] == ["pull-requests/builds/*"]


def test_no_object_that_a_branch_can_write_is_read_by_anything_that_deploys(pipeline: Stack) -> None:
    """Artifacts, caches, states and our delivery lie out of its reach; it reads no artifact either.

    It reads the states of chatbots, also of one that only the branch has: Terraform asks whether there is one.
    """
    found = allowed(pipeline, "review")

    reads = {
        resource.rpartition(":::")[2]
        for statement in found
        if "s3:GetObject" in statement["Action"]
        for resource in statement["Resource"]
    }
    assert reads == {
        "acme-state-111122223333-eu-west-1/chatbot-*/terraform.tfstate",
        "acme-state-111122223333-eu-west-1/delivery/main.zip",
    }
    review = project(pipeline, "acme-review")
    assert "cache" not in review
    assert review["artifacts"] == {"type": "NO_ARTIFACTS"}


def test_neither_build_follows_a_buildspec_of_the_branch(pipeline: Stack) -> None:
    """The commands are ours, and so is the code that they run."""
    review, comment = project(pipeline, "acme-review"), project(pipeline, "acme-comment")

    for one in (review, comment):
        assert one["source"]["buildspec"].startswith("version: 0.2\n")
    assert 'cd "$CODEBUILD_SRC_DIR_main"' in review["source"]["buildspec"]
    assert review["secondary_sources"] == [
        {"location": "acme-state-111122223333-eu-west-1/delivery/main.zip", "source_identifier": "main", "type": "S3"}
    ]
    assert (comment["source"]["type"], comment["source"]["location"]) == (
        "S3",
        "acme-state-111122223333-eu-west-1/delivery/main.zip",
    )
    assert "secondary_sources" not in comment


def test_the_token_is_within_reach_of_the_comment_only(github: dict[str, Stack]) -> None:
    """It is read by its ARN, and stands in no variable as text."""
    text = json.dumps(github)
    comment = project(github["pipeline"], "acme-comment")
    (token,) = (v for v in comment["environment"]["environment_variable"] if v["name"] == "REVIEW_TOKEN")

    assert token == {"name": "REVIEW_TOKEN", "type": "SECRETS_MANAGER", "value": SECRET}
    readers = [
        name.rpartition("_")[0]
        for name, policy in resources(github["pipeline"], "aws_iam_role_policy").items()
        if any("secretsmanager:GetSecretValue" in statement["Action"] for statement in statements(policy))
    ]
    assert readers == ["pull_requests_comment_policy"]
    assert [
        statement["Resource"]
        for statement in allowed(github["pipeline"], "comment")
        if "secretsmanager:GetSecretValue" in statement["Action"]
    ] == [[SECRET]]
    assert text.count(SECRET) == 3


def test_the_comment_reads_a_branchs_file_and_nothing_of_the_deployment(pipeline: Stack) -> None:
    """It can read neither a state nor an artifact, and describes none of the chatbot's resources."""
    found = allowed(pipeline, "comment")
    reads = [
        resource.rpartition(":::")[2].partition("/")[2] or resource
        for statement in found
        if "s3:GetObject" in statement["Action"]
        for resource in statement["Resource"]
    ]

    assert sorted(path.rpartition("}/")[2] for path in reads) == ["delivery/main.zip", "pull-requests/builds/*"]
    assert not {action for action in actions(found) if action.startswith(("lambda:", "dynamodb:", "iam:", "sts:"))}


def test_a_webhook_lets_nobody_in_whose_id_only_contains_an_allowed_one(github: dict[str, Stack]) -> None:
    """An unanchored pattern would: 583231 stands in 1583231 too. Reopening runs somebody else's code."""
    (webhook,) = resources(github["pipeline"], "aws_codebuild_webhook").values()
    (group,) = webhook["filter_group"]
    filters = {one["type"]: one["pattern"] for one in group["filter"]}
    actor = filters["ACTOR_ACCOUNT_ID"]

    assert [bool(re.search(actor, id_)) for id_ in ("583231", "42", "1583231", "5832310", "421", "", "42\n1")] == [
        *(True, True),
        *[False] * 5,
    ]
    assert [
        bool(re.search(filters["BASE_REF"], ref)) for ref in ("refs/heads/release/1.x", "refs/heads/release/1-x")
    ] == [
        True,
        False,
    ]
    assert filters["EVENT"] == "PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"


def test_a_forks_pull_request_waits_for_an_administrator_unless_forks_are_let_in(
    github: dict[str, Stack], codecommit: dict[str, Stack], tmp_path: Path
) -> None:
    """Both builds are told: the webhook's policy, which bootstrap sets, and whether the comment shows such a plan."""

    def said(pipeline: Stack) -> tuple[Any, str]:
        variables = project(pipeline, "acme-comment")["environment"]["environment_variable"]
        policy = pipeline["output"].get("pull_request_build_policy", {}).get("value")
        return policy, next(each["value"] for each in variables if each["name"] == "FORKS")

    bitbucket = Source(provider=Provider.BITBUCKET, repository="acme/bot")
    review = replace(REVIEW, allowed_actors=("5d5355e8c6b9320d9ea5b28d",))
    on_bitbucket = synthesize(replace(ON_GITHUB, source=bitbucket, review=review), tmp_path / "bitbucket")["pipeline"]
    let_in = replace(ON_GITHUB, review=replace(REVIEW, allow_forks=True))
    forks = {"requiresCommentApproval": "FORK_PULL_REQUESTS"}

    assert said(github["pipeline"]) == (
        {"project": "acme-review", "policy": forks | {"approverRoles": ["GITHUB_ADMIN"]}},
        "refused",
    )
    assert said(on_bitbucket)[0]["policy"] == forks | {"approverRoles": ["BITBUCKET_ADMIN"]}
    assert said(synthesize(let_in, tmp_path / "forks")["pipeline"]) == (
        {"project": "acme-review", "policy": {"requiresCommentApproval": "DISABLED"}},
        "shown",
    )
    assert said(codecommit["pipeline"]) == (None, "refused")


def test_a_commit_is_pending_as_soon_as_its_build_begins(
    github: dict[str, Stack], codecommit: dict[str, Stack]
) -> None:
    """CodeBuild itself says so, by a name that is not the verdict's: it ends before what it found is looked at."""
    source = project(github["pipeline"], "acme-review")["source"]

    assert source["report_build_status"] is True
    assert source["build_status_config"] == {"context": "acme/review-build"}
    assert "report_build_status" not in project(codecommit["pipeline"], "acme-review")["source"]


def test_updatepipeline_may_set_the_policy_of_that_one_webhook(github: dict[str, Stack]) -> None:
    """And look at what it has."""
    found = list(statements(the(github["pipeline"], "aws_iam_role_policy", "update_policy")))

    def on(action: str) -> set[str]:
        return {
            resource.partition(":project/")[2]
            for statement in found
            if any(fnmatchcase(action, pattern) for pattern in statement["Action"])
            for resource in statement["Resource"]
        }

    assert on("codebuild:UpdateWebhook") == {"acme-review"}
    assert on("codebuild:BatchGetProjects") == {"acme-*"}


def test_codecommit_tells_of_pull_requests_through_eventbridge(codecommit: dict[str, Stack]) -> None:
    """Only ids are handed over: titles and names of branches are somebody else's words."""
    pipeline = codecommit["pipeline"]
    pattern = json.loads(the(pipeline, "aws_cloudwatch_event_rule", "pull_requests_review_rule")["event_pattern"])
    transformer = the(pipeline, "aws_cloudwatch_event_target", "pull_requests_review_target")["input_transformer"]

    assert pattern["resources"] == ["arn:aws:codecommit:eu-west-1:111122223333:bot"]
    assert pattern["detail"]["destinationReference"] == ["refs/heads/main"]
    assert set(transformer["input_paths"].values()) == {"$.detail.sourceCommit", "$.detail.pullRequestId"}
    assert '"<' not in transformer["input_template"]
    assert "aws_codebuild_webhook" not in pipeline["resource"]


def test_nothing_approves_a_pull_request_unless_settings_ask_for_it(codecommit: dict[str, Stack]) -> None:
    """An approval counts for a team's own rules too."""
    pipeline = codecommit["pipeline"]

    assert "aws_codecommit_approval_rule_template" not in pipeline["resource"]
    assert "acme-approver" not in {role["name"] for role in resources(pipeline, "aws_iam_role").values()}
    assert not {action for action in actions(allowed(pipeline, "comment")) if "Approval" in action or "sts:" in action}


def test_a_rule_asks_for_the_approval_of_the_one_session_that_reviews(tmp_path: Path) -> None:
    """Only the comment's role can be that, and all that it can do so is to approve in this repository."""
    pipeline = synthesize(replace(ON_CODECOMMIT, review=Review(approval_rule=True)), tmp_path)["pipeline"]
    (template,) = resources(pipeline, "aws_codecommit_approval_rule_template").values()
    content = json.loads(template["content"])
    role = next(one for one in resources(pipeline, "aws_iam_role").values() if one["name"] == "acme-approver")
    (trusted,) = json.loads(role["assume_role_policy"])["Statement"]
    (granted,) = statements(the(pipeline, "aws_iam_role_policy", "pull_requests_approval_policy"))
    (assumed,) = (one for one in allowed(pipeline, "comment") if "sts:AssumeRole" in one["Action"])
    variables = project(pipeline, "acme-comment")["environment"]["environment_variable"]
    iam = "arn:aws:iam::111122223333:role"

    assert content["DestinationReferences"] == ["refs/heads/main"]
    assert content["Statements"] == [
        {
            "Type": "Approvers",
            "NumberOfApprovalsNeeded": 1,
            "ApprovalPoolMembers": ["arn:aws:sts::111122223333:assumed-role/acme-approver/review"],
        }
    ]
    assert trusted["Principal"] == {"AWS": f"{iam}/acme-comment"}
    assert trusted["Condition"] == {"StringEquals": {"sts:RoleSessionName": "review"}}
    assert granted["Action"] == ["codecommit:UpdatePullRequestApprovalState"]
    assert granted["Resource"] == ["arn:aws:codecommit:eu-west-1:111122223333:bot"]
    assert assumed["Resource"] == [f"{iam}/acme-approver"]
    assert {"name": "APPROVER", "value": f"{iam}/acme-approver"} in variables


def test_updatepipeline_may_make_the_rule_before_settings_ask_for_it(codecommit: dict[str, Stack]) -> None:
    """The apply that makes it, or takes it away, has the rights that the one before left."""
    found = list(statements(the(codecommit["pipeline"], "aws_iam_role_policy", "update_policy")))
    granted = {action for action in actions(found) if "Approval" in action}
    roles = {role for one in found if "iam:CreateRole" in one["Action"] for role in one["Resource"]}

    assert {"codecommit:CreateApprovalRuleTemplate", "codecommit:DeleteApprovalRuleTemplate"} <= granted
    assert "codecommit:AssociateApprovalRuleTemplateWithRepository" in granted
    assert "codecommit:UpdatePullRequestApprovalState" not in granted
    assert "arn:aws:iam::111122223333:role/acme-approver" in roles


def test_the_end_of_a_plan_starts_the_comment_and_nothing_else(pipeline: Stack) -> None:
    """Whatever its end is; the role that EventBridge takes may start that one project."""
    pattern = json.loads(the(pipeline, "aws_cloudwatch_event_rule", "pull_requests_comment_rule")["event_pattern"])
    (statement,) = statements(the(pipeline, "aws_iam_role_policy", "pull_requests_comment_start"))

    assert pattern["source"] == ["aws.codebuild"]
    assert set(pattern["detail"]["build-status"]) == {"FAILED", "FAULT", "STOPPED", "SUCCEEDED", "TIMED_OUT"}
    assert statement["Action"] == ["codebuild:StartBuild"]
    assert re.fullmatch(
        r"\$\{aws_codebuild_project\.pull_requests_comment_project(_\w+)?\.arn\}", *statement["Resource"]
    )


def test_an_environment_elsewhere_lets_the_review_read_as_its_plan_does(github: dict[str, Stack]) -> None:
    """Its plan role trusts one more role at home; its apply role does not."""
    roles = resources(github["access-prod"], "aws_iam_role")
    trusted = {
        name: json.loads(role["assume_role_policy"])["Statement"][0]["Principal"] for name, role in roles.items()
    }

    home = "arn:aws:iam::111122223333:role"
    assert trusted["plan"] == {"AWS": [f"{home}/acme-prod-plan", f"{home}/acme-review"]}
    assert trusted["apply"] == {"AWS": f"{home}/acme-prod-apply"}


def test_updatepipeline_hands_on_its_delivery_and_may_change_the_reviews(pipeline: Stack) -> None:
    """It may make every role that the stack has."""
    update = project(pipeline, "acme-update")
    found = list(statements(the(pipeline, "aws_iam_role_policy", "update_policy")))
    roles = {
        resource.rpartition("/")[2]
        for statement in found
        if "iam:CreateRole" in statement["Action"]
        for resource in statement["Resource"]
    }

    assert (
        "delivery update --stack pipeline --hand-on s3://acme-state-111122223333-eu-west-1/delivery/main.zip"
        in (update["source"]["buildspec"])
    )
    made = {role["name"] for role in resources(pipeline, "aws_iam_role").values()}
    assert [name for name in made if not any(fnmatchcase(name, pattern) for pattern in roles)] == []


@pytest.mark.parametrize(
    ("provider", "review", "problem"),
    [
        (Provider.GITHUB, Review(token_secret_arn=SECRET), "allowed_actors is empty; whose pull requests"),
        (Provider.GITHUB, replace(REVIEW, allowed_actors=("octocat",)), "'octocat' is no id of a GitHub account"),
        (Provider.GITHUB, replace(REVIEW, allowed_actors=("1|2",)), "'1|2' is no id of a GitHub account"),
        (Provider.BITBUCKET, replace(REVIEW, allowed_actors=(".*",)), "'.*' is no id of a Bitbucket account"),
        (Provider.GITHUB, replace(REVIEW, token_secret_arn=None), "token_secret_arn None is no secret's ARN"),
        (Provider.GITHUB, replace(REVIEW, token_secret_arn="ghp_123"), "is no secret's ARN, whole"),
        (
            Provider.GITHUB,
            replace(REVIEW, token_secret_arn=SECRET.replace("eu-", "us-")),
            "the secret lies in us-west-1",
        ),
        (Provider.GITLAB, REVIEW, "pull requests of GitLab are not reviewed"),
        (Provider.GITHUB, replace(REVIEW, approval_rule=True), "approval_rule is CodeCommit's; a commit on GitHub has"),
        (Provider.CODECOMMIT, Review(allow_forks=True), "CodeCommit has no forks; remove allow_forks"),
        (Provider.CODECOMMIT, REVIEW, "CodeCommit takes neither allowed_actors nor token_secret_arn; write Review()"),
    ],
)
def test_a_review_that_cannot_work_is_refused(provider: Provider, review: Review, problem: str) -> None:
    """In one line that says what to write instead."""
    repository = "bot" if provider is Provider.CODECOMMIT else "acme/bot"

    with pytest.raises(SettingsError, match=re.escape(problem)):
        replace(ON_GITHUB, source=Source(provider=provider, repository=repository), review=review)


@pytest.mark.parametrize("actor", ["5d5355e8c6b9320d9ea5b28d", "557058:ba8948b2-49da-43a9-9e8b-e7249b8e324c"])
def test_bitbuckets_accounts_have_ids_of_their_own_form(actor: str) -> None:
    """With letters, dashes and colons."""
    review = replace(REVIEW, allowed_actors=(actor,))
    found = replace(ON_GITHUB, source=Source(provider=Provider.BITBUCKET, repository="acme/bot"), review=review)

    assert found.review
    assert re.search(found.review.actors_pattern, actor)


SECRETS = re.compile(r"random_|tls_private_key|password|secret|aws_db_|aws_rds_|aws_iam_access_key|aws_ssm_parameter")


def test_the_chatbots_state_holds_no_secret(github: dict[str, Stack], stacks: dict[str, Stack]) -> None:
    """A plan reads the state, and a branch's plan is shown: no resource or output of it is one that keeps a secret."""
    for name, stack in {**github, **stacks}.items():
        if name.startswith("chatbot-"):
            kinds = [*stack["resource"], *stack.get("data", {})]
            assert not [kind for kind in kinds if SECRETS.search(kind)], name
            assert not [output for output, value in stack.get("output", {}).items() if value.get("sensitive")], name
            assert not re.findall(r'"(?:password|secret|token|private_key)\w*":', json.dumps(stack["resource"])), name


def test_what_we_synthesize_ourselves_may_be_planned(
    stacks: dict[str, Stack], github: dict[str, Stack], tmp_path: Path
) -> None:
    """Else no branch ever could; a model, and an environment that main does not have, are no exceptions."""
    model = Environment(name="qa", model=Model(id="amazon.nova-lite-v1:0", daily_tokens=10**6))
    more = synthesize(replace(PROJECT, environments=(*PROJECT.environments, model)), tmp_path)
    trusted = stacks[f"chatbot-{PROJECT.environments[0].name}"]

    for name, stack in more.items():
        if name.startswith("chatbot-"):
            assert refusals(name, stack, stacks.get(name, trusted)) == [], name
    assert refusals("chatbot-prod", github["chatbot-prod"], github["chatbot-dev"]) == []
