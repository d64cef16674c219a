"""Comments on a pull request of CodeCommit, made with AWS's SDK as CodeBuild's role would."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from delivery.comments import State, Status, publish
from delivery.comments.body import compose
from delivery.comments.codecommit import CodeCommit
from delivery.errors import DeliveryError
from tests.rehearsal.test_pullrequests import Studio, studio
from tests.rehearsal.workshop import REGION, trust

__all__ = ["studio"]
MARKER = "parley: review"


@pytest.fixture
def number(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> str:
    """An open pull request, in a world that the environment's credentials lead to."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "somebody")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", studio.shop.cloud.endpoint)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    studio.push("feature", "one")
    return studio.open()


def act(studio: Studio, monkeypatch: pytest.MonkeyPatch, session: str) -> None:
    """Take the credentials of one session of the commenting role."""
    iam, sts = studio.shop.cloud.client("iam"), studio.shop.cloud.client("sts")
    role = "commenter"
    if role not in [each["RoleName"] for each in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust("codebuild.amazonaws.com"))
    arn = f"arn:aws:iam::{studio.shop.cloud.account}:role/{role}"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def review(
    studio: Studio, number: str, text: str, commit: str, state: State = State.SUCCESS, approver: str = ""
) -> None:
    """Publish a review."""
    status = Status("parley/review", state, text, "https://example.org")
    publish(CodeCommit("code", number, approver), marker=MARKER, text=text, commit=commit, status=status)


def shown(studio: Studio, number: str) -> list[dict[str, Any]]:
    """The comments that a reader sees."""
    pages = studio.codecommit.get_paginator("get_comments_for_pull_request").paginate(pullRequestId=number)
    threads = [thread for page in pages for thread in page["commentsForPullRequestData"]]
    return [each for thread in threads for each in thread["comments"] if not each["deleted"]]


def test_every_push_brings_the_one_comment_up_to_date(
    studio: Studio, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place where it is the same author to CodeCommit; by a new one for the old where it is another session."""
    act(studio, monkeypatch, "AWSCodeBuild-1")
    review(studio, number, "first", studio.push("feature", "two"))
    (first,) = shown(studio, number)
    review(studio, number, "second", studio.push("feature", "three"))
    (second,) = shown(studio, number)
    act(studio, monkeypatch, "AWSCodeBuild-2")
    review(studio, number, "third", studio.push("feature", "four"))
    (third,) = shown(studio, number)
    assert third["commentId"] != second["commentId"]

    assert [each["content"].rpartition("\n")[2] for each in (first, second, third)] == ["first", "second", "third"]
    assert first["commentId"] == second["commentId"]


def test_a_strangers_comment_is_left_alone_and_ours_is_found_behind_hundreds(
    studio: Studio, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are followed; another author's marker counts for nothing."""
    act(studio, monkeypatch, "AWSCodeBuild-1")
    commit = studio.push("feature", "two")
    pull = studio.codecommit.get_pull_request(pullRequestId=number)["pullRequest"]["pullRequestTargets"][0]
    for index in range(150):
        studio.codecommit.post_comment_for_pull_request(
            pullRequestId=number,
            repositoryName="code",
            beforeCommitId=pull["destinationCommit"],
            afterCommitId=commit,
            content=f'[//]: # "{MARKER}"\n\nstranger {index}',
        )
    review(studio, number, "ours", commit)
    review(studio, number, "ours again", studio.push("feature", "three"))

    texts = [each["content"].rpartition("\n")[2] for each in shown(studio, number)]
    assert texts == [*(f"stranger {index}" for index in range(150)), "ours again"]


def test_an_older_commits_review_and_a_closed_pull_requests_are_not_posted(studio: Studio, number: str) -> None:
    """The comment speaks of what the pull request stands at."""
    old = studio.push("feature", "two")
    new = studio.push("feature", "three")
    review(studio, number, "old", old)
    studio.codecommit.update_pull_request_status(pullRequestId=number, pullRequestStatus="CLOSED")
    review(studio, number, "new", new)

    assert shown(studio, number) == []


@pytest.fixture
def approver(studio: Studio, number: str) -> str:
    """The role that approves, and a rule that asks for it; the rule holds for pull requests opened from now on."""
    iam, codecommit = studio.shop.cloud.client("iam"), studio.codecommit
    role = iam.create_role(RoleName="approver", AssumeRolePolicyDocument=trust("codebuild.amazonaws.com"))["Role"][
        "Arn"
    ]
    pool = f"arn:aws:sts::{studio.shop.cloud.account}:assumed-role/approver/review"
    statement = {"Type": "Approvers", "NumberOfApprovalsNeeded": 1, "ApprovalPoolMembers": [pool]}
    content = json.dumps({"Version": "2018-11-08", "Statements": [statement]})
    codecommit.create_approval_rule_template(approvalRuleTemplateName="review", approvalRuleTemplateContent=content)
    codecommit.associate_approval_rule_template_with_repository(
        approvalRuleTemplateName="review", repositoryName="code"
    )
    return str(role)


def is_approved(studio: Studio, number: str) -> bool:
    """Whether the rules of a pull request are satisfied as it stands."""
    revision = studio.codecommit.get_pull_request(pullRequestId=number)["pullRequest"]["revisionId"]
    answer = studio.codecommit.evaluate_pull_request_approval_rules(pullRequestId=number, revisionId=revision)
    return bool(answer["evaluation"]["approved"])


def test_a_review_approves_what_it_could_plan_and_another_build_takes_that_back(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, approver: str
) -> None:
    """Of the same revision, in another session of the comment's role; a push needs an approval of its own."""
    first = studio.push("feature", "two")
    number = studio.open()
    found = [is_approved(studio, number)]
    act(studio, monkeypatch, "AWSCodeBuild-1")
    review(studio, number, "planned", first, approver=approver)
    found.append(is_approved(studio, number))
    act(studio, monkeypatch, "AWSCodeBuild-2")
    review(studio, number, "not planned", first, State.FAILURE, approver)
    found.append(is_approved(studio, number))
    review(studio, number, "planned", first, approver=approver)
    second = studio.push("feature", "three")
    found.append(is_approved(studio, number))
    review(studio, number, "planned", second, approver=approver)
    found.append(is_approved(studio, number))

    assert found == [False, True, False, False, True]


def test_a_review_without_an_approver_approves_nothing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, approver: str
) -> None:
    """The verdict is its comment's."""
    commit = studio.push("feature", "two")
    number = studio.open()
    act(studio, monkeypatch, "AWSCodeBuild-1")
    review(studio, number, "planned", commit)

    assert not is_approved(studio, number)
    assert len(shown(studio, number)) == 1


def test_what_was_pushed_while_a_review_ended_is_not_approved_by_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, approver: str
) -> None:
    """Neither an older commit's review nor one overtaken between question and answer; nothing fails over it."""
    old = studio.push("feature", "two")
    number = studio.open()
    act(studio, monkeypatch, "AWSCodeBuild-1")
    overtaken = CodeCommit("code", number, approver)
    assert overtaken.standing().is_at(old)
    new = studio.push("feature", "three")
    overtaken.set_status(old, Status("parley/review", State.SUCCESS, "planned", "https://example.org"))
    review(studio, number, "planned", old, approver=approver)
    found = [is_approved(studio, number)]
    review(studio, number, "planned", new, approver=approver)
    studio.codecommit.update_pull_request_status(pullRequestId=number, pullRequestStatus="CLOSED")
    review(studio, number, "not planned", new, State.FAILURE, approver)

    assert [*found, is_approved(studio, number)] == [False, True]


def test_what_codecommit_refuses_is_one_line(studio: Studio, number: str) -> None:
    """A pull request that is not there."""
    with pytest.raises(DeliveryError, match=r"^pull request 99 of code: .*PullRequestDoesNotExistException"):
        review(studio, "99", "x", "a" * 40)


def test_a_full_comment_is_accepted(studio: Studio, number: str, tmp_path: Path) -> None:
    """The limit that we keep is the one that CodeCommit has, hidden line included."""
    from delivery.changes import read_plan
    from delivery.review import Review

    changes = [
        {"address": f"aws_sqs_queue.q{index}", "type": "aws_sqs_queue", "change": {"actions": ["delete"]}}
        for index in range(400)
    ]
    plan = read_plan(json.loads(json.dumps({"resource_changes": changes})))
    room = CodeCommit.limit - len(f'[//]: # "{MARKER}"\n\n')
    review(
        studio, number, compose([Review("dev", plan)], head="# x", foot="y", limit=room), studio.push("feature", "z")
    )

    assert "q399" in shown(studio, number)[0]["content"]
