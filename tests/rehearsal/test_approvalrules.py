"""CodeCommit's approvals: of a revision, by others than its author, counted by rules that a template gave."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.test_pullrequests import Studio, studio

__all__ = ["studio"]


def content(*pool: str, needed: int = 1, **more: Any) -> str:
    """The content of a template."""
    statement = {"Type": "Approvers", "NumberOfApprovalsNeeded": needed} | (
        {"ApprovalPoolMembers": pool} if pool else {}
    )
    return json.dumps({"Version": "2018-11-08", "Statements": [statement]} | more)


def template(studio: Studio, name: str, text: str) -> None:
    """A template that the repository is associated with."""
    codecommit = studio.codecommit
    codecommit.create_approval_rule_template(approvalRuleTemplateName=name, approvalRuleTemplateContent=text)
    codecommit.associate_approval_rule_template_with_repository(approvalRuleTemplateName=name, repositoryName="code")


def refused(call: Callable[..., Any], **parameters: Any) -> str:
    """The code of the error that a call is answered with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def revision(studio: Studio, number: str) -> dict[str, str]:
    """What an approval is of."""
    pull = studio.codecommit.get_pull_request(pullRequestId=number)["pullRequest"]
    return {"pullRequestId": number, "revisionId": pull["revisionId"]}


def test_an_approval_is_of_a_revision_and_of_somebody_else(studio: Studio) -> None:
    """A push makes it void; neither its author, nor anybody once it is closed, approves."""
    studio.push("feature")
    number = studio.open()
    other = studio.shop.cloud.client("codecommit", aws_access_key_id="somebody-else")
    first = revision(studio, number)
    author = refused(studio.codecommit.update_pull_request_approval_state, **first, approvalState="APPROVE")
    other.update_pull_request_approval_state(**first, approvalState="APPROVE")
    given = other.get_pull_request_approval_states(**first)["approvals"]
    studio.push("feature", "more")
    stale = refused(other.update_pull_request_approval_state, **first, approvalState="APPROVE")
    second = revision(studio, number)
    after = other.get_pull_request_approval_states(**second)["approvals"]
    studio.codecommit.update_pull_request_status(pullRequestId=number, pullRequestStatus="CLOSED")
    closed = refused(other.update_pull_request_approval_state, **second, approvalState="APPROVE")

    assert author == "PullRequestCannotBeApprovedByAuthorException"
    assert [(each["userArn"].rpartition("/")[2], each["approvalState"]) for each in given] == [
        ("somebody-else", "APPROVE")
    ]
    assert (stale, after, closed) == ("RevisionNotCurrentException", [], "PullRequestAlreadyClosedException")


def test_a_rule_counts_its_pool_and_one_without_a_pool_counts_everybody(studio: Studio) -> None:
    """Pull requests to other branches get no rule; one that was there before a template gets none either."""
    studio.push("feature")
    before = studio.open()
    member = f"arn:aws:iam::{studio.shop.cloud.account}:user/member"
    template(studio, "pool", content(member, DestinationReferences=["refs/heads/main"]))
    template(studio, "anybody", content())
    template(studio, "elsewhere", content(DestinationReferences=["refs/heads/release"]))
    number = studio.open()

    def approve(who: str) -> list[str]:
        client = studio.shop.cloud.client("codecommit", aws_access_key_id=who)
        client.update_pull_request_approval_state(**revision(studio, number), approvalState="APPROVE")
        return sorted(evaluation(number)["approvalRulesSatisfied"])

    def evaluation(which: str) -> dict[str, Any]:
        return dict(studio.codecommit.evaluate_pull_request_approval_rules(**revision(studio, which))["evaluation"])

    found = [approve("stranger"), approve("member")]

    assert found == [["anybody"], ["anybody", "pool"]]
    assert evaluation(number)["approved"]
    assert (evaluation(before)["approved"], evaluation(before)["approvalRulesNotSatisfied"]) == (True, [])


def test_templates_are_refused_by_aws_names(studio: Studio) -> None:
    """Also pools that the rehearsal does not know, which would count nobody."""
    codecommit = studio.codecommit
    template(studio, "one", content())
    create = codecommit.create_approval_rule_template

    assert (
        refused(create, approvalRuleTemplateName="one", approvalRuleTemplateContent=content())
        == "ApprovalRuleTemplateNameAlreadyExistsException"
    )
    for text in ("{}", "no", content(needed=0), content("CodeCommitApprovers:111122223333:Mary")):
        assert (
            refused(create, approvalRuleTemplateName="two", approvalRuleTemplateContent=text)
            == "InvalidApprovalRuleTemplateContentException"
        )
    assert (
        refused(codecommit.delete_approval_rule_template, approvalRuleTemplateName="one")
        == "ApprovalRuleTemplateInUseException"
    )
    assert (
        refused(codecommit.get_approval_rule_template, approvalRuleTemplateName="two")
        == "ApprovalRuleTemplateDoesNotExistException"
    )
