"""The policy of a webhook, where CodeBuild answers what it seldom does: one line, and never taken for set."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from delivery import webhook
from delivery.errors import DeliveryError
from delivery.project import Stack

FORKS_WAIT = {"requiresCommentApproval": "FORK_PULL_REQUESTS", "approverRoles": ["GITHUB_ADMIN"]}
LET_IN = {"requiresCommentApproval": "DISABLED"}
FILTERS = [[{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}]]


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack that asks for the policy."""
    output = {webhook.OUTPUT: {"value": {"project": "acme-review", "policy": FORKS_WAIT}}}
    backend = {"s3": {"bucket": "b", "key": "k", "region": "eu-west-1"}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": backend}, "output": output}))
    return Stack("pipeline", tmp_path)


@pytest.fixture
def codebuild(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """CodeBuild's API: answers of its own form, in an order that is given."""
    client = boto3.client("codebuild", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    monkeypatch.setattr(webhook, "client", lambda *_: client)
    stubber = Stubber(client)
    stubber.activate()
    return stubber


@pytest.mark.parametrize("answer", [{}, {"webhook": {}}, {"webhook": {"pullRequestBuildPolicy": LET_IN}}])
def test_an_answer_without_the_policy_is_not_taken_for_it(
    stack: Stack, codebuild: Stubber, answer: dict[str, Any]
) -> None:
    """Forks that are not shut out are not said to be."""
    codebuild.add_response("batch_get_projects", {"projects": [{"webhook": {"filterGroups": FILTERS}}]})
    codebuild.add_response("update_webhook", answer)

    with pytest.raises(DeliveryError, match=r"^which pull requests start builds of acme-review .*: CodeBuild keeps "):
        webhook.set_policy(stack)


def test_who_may_not_set_the_policy_learns_what_is_missing(stack: Stack, codebuild: Stubber) -> None:
    """By the name that IAM has for it."""
    codebuild.add_response("batch_get_projects", {"projects": [{"webhook": {"filterGroups": FILTERS}}]})
    codebuild.add_client_error("update_webhook", "AccessDeniedException", "not authorized: codebuild:UpdateWebhook")

    with pytest.raises(DeliveryError, match=r"^which pull requests .*AccessDeniedException.*codebuild:UpdateWebhook$"):
        webhook.set_policy(stack)


@pytest.mark.parametrize("projects", [[], [{}]])
def test_a_project_or_a_webhook_that_is_not_there_is_named(
    stack: Stack, codebuild: Stubber, projects: list[dict[str, Any]]
) -> None:
    """With the stack that makes it."""
    codebuild.add_response("batch_get_projects", {"projects": projects})

    with pytest.raises(DeliveryError, match=r"acme-review .*: it has no webhook; apply stack pipeline$"):
        webhook.set_policy(stack)
