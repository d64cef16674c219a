"""Second changes of every grade, approved, rejected, timed out, overtaken: the environment's own stages, for real."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from delivery.errors import Refusal
from tests.rehearsal.deliveries import AWS
from tests.rehearsal.environments import ALL, REGION, Delivery, create_pipeline, delivery
from tests.rehearsal.workshop import trust

APPROVE, DESTRUCTIVE = "prod-approve", "prod-approve-destructive"


def stack(value: str, *, log: bool = True, service: str = "lambda.amazonaws.com") -> dict[str, Any]:
    """A stack of something ordinary, something sensitive, and something that holds data."""
    s3 = {"bucket": ALL.bucket_name("state"), "key": "chatbot-prod/terraform.tfstate", "region": REGION}
    resources: dict[str, Any] = {
        "terraform_data": {"greeting": {"input": value}},
        "aws_iam_role": {"bot": {"name": "acme-prod-bot", "assume_role_policy": trust(service)}},
    }
    if log:
        resources["aws_cloudwatch_log_group"] = {"turns": {"name": "/acme/turns"}}
    return {
        "terraform": {"backend": {"s3": s3 | {"dynamodb_table": "acme-locks", "use_path_style": True}}, **AWS},
        "provider": {"aws": [{"region": REGION, "default_tags": [{"tags": {"Environment": "prod"}}]}]},
        "resource": resources,
        "output": {"url": {"value": "https://example.org/"}},
    }


@pytest.fixture(scope="module")
def made(lock: Path) -> Iterator[Delivery]:
    """An account to which the first change was delivered: its role made it sensitive, and Ann approved it."""
    # A provider listens on a socket in its build's own folder, whose path may have 108 characters at most.
    with (
        tempfile.TemporaryDirectory(prefix="acme-") as folder,
        delivery(Path(folder), lock) as made,
    ):
        made.write(stack("one"))
        first = create_pipeline(made)
        made.answer(APPROVE, made.asked(APPROVE, first)["token"], "ann", "Approved", "the first one")
        assert made.ends(first) == "Succeeded"
        yield made


def stages(made: Delivery, execution: str) -> dict[str, str]:
    """The status of every stage in the latest execution, which this has to be."""
    states = made.api.get_pipeline_state(name="acme")["stageStates"]
    latest = {state["stageName"]: state["latestExecution"] for state in states if "latestExecution" in state}
    return {name: each["status"] for name, each in latest.items() if each["pipelineExecutionId"] == execution}


def values(made: Delivery) -> list[str]:
    """What the state says is deployed."""
    where = {"Bucket": ALL.bucket_name("state"), "Key": "chatbot-prod/terraform.tfstate"}
    state = json.loads(made.cloud.client("s3").get_object(**where)["Body"].read())
    return sorted(resource["type"] for resource in state["resources"]) + [
        instance["attributes"]["input"]["value"]
        for resource in state["resources"]
        for instance in resource["instances"]
        if resource["type"] == "terraform_data"
    ]


def test_the_approver_and_their_words_are_in_the_record(made: Delivery) -> None:
    """Who let which plan pass, where, and what came of it."""
    first = made.executions()[-1]
    record, variables = made.record(first), made.variables(first)

    assert record["plan_sha256"] == variables["PLAN_SHA256"]
    assert (record["plan"]["pipeline"], record["plan"]["release"]["commit"]) == ("acme", "c0ffee")
    (approval,) = record["apply"]["approvals"]
    assert approval["by"] == f"arn:aws:iam::{ALL.account}:user/ann"
    assert (approval["comment"], approval["stage"]) == ("the first one", APPROVE)
    assert record["created_at"] <= approval["at"] <= record["apply"]["started_at"]
    assert (record["apply"]["status"], record["apply"]["execution"]) == ("applied", first)
    assert ":assumed-role/build/" in record["apply"]["by"]


def test_a_change_of_nothing_asks_nobody_and_closes_its_record(made: Delivery) -> None:
    """Both approvals are skipped; apply has nothing to do, and says so."""
    execution = made.push()

    assert made.ends(execution) == "Succeeded"
    assert {name: status for name, status in stages(made, execution).items() if "approve" in name} == {
        APPROVE: "Skipped",
        DESTRUCTIVE: "Skipped",
    }
    assert (made.variables(execution)["HAS_CHANGES"], made.variables(execution)["RISK"]) == ("false", "none")
    record = made.record(execution)
    assert (record["apply"]["status"], record["apply"].get("approvals")) == ("applied", [])
    assert "the plan is empty, nothing to apply" in made.log(execution, "Apply")


def test_a_rejected_plan_changes_nothing_and_stays_planned(made: Delivery) -> None:
    """What the approver was shown: summary, risk, digest, and a link that opens the review."""
    before = values(made)
    made.write(stack("two"))
    execution = made.push()
    asked = made.asked(APPROVE, execution)

    variables = made.variables(execution)
    assert asked["CustomData"] == (
        f"chatbot-prod: 1 to change: terraform_data.greeting. Risk: ordinary. Plan SHA-256: {variables['PLAN_SHA256']}"
    )
    review = requests.get(asked["ExternalEntityLink"], timeout=10)
    assert "<h1>chatbot-prod: 1 to change</h1>" in review.text

    made.answer(APPROVE, asked["token"], "bob", "Rejected", "not on a Friday")
    assert made.ends(execution) == "Failed"
    assert "apply" not in made.record(execution)
    assert values(made) == before


def test_an_overtaken_plan_is_refused_even_if_it_is_approved_and_the_newer_one_goes_on(made: Delivery) -> None:
    """The newer one loses data, so it is approved twice, by whom the record says in that order."""
    made.write(stack("three", service="edgelambda.amazonaws.com"))
    older = made.push()
    waiting = made.asked(APPROVE, older)
    assert made.variables(older)["RISK"] == "sensitive"
    assert "+     principal Service edgelambda.amazonaws.com" in made.log(older, "Plan")
    made.write(stack("four", log=False, service="edgelambda.amazonaws.com"))
    newer = made.push()
    made.until(lambda: bool(made.stage(APPROVE).get("inboundExecutions")))

    made.answer(APPROVE, waiting["token"], "ann", "Approved", "too late")
    assert made.ends(older) == "Failed"
    assert f"superseded: {newer} has entered stage prod-plan since" in made.log(older, "Apply")
    assert f"exit status {Refusal.SUPERSEDED.code}" in made.log(older, "Apply")
    refused = made.record(older)["apply"]
    assert (refused["status"], "superseded" in refused["said"]) == ("refused", True)
    assert values(made)[-1] == "one"

    variables = made.variables(newer)
    assert variables["RISK"] == "destructive"
    asked = made.asked(APPROVE, newer)
    made.answer(APPROVE, asked["token"], "bob", "Approved", "fine")
    again = made.asked(DESTRUCTIVE, newer)
    assert again["CustomData"].startswith(
        "DESTROYS DATA. chatbot-prod: 1 to destroy, 2 to change (destructive): DESTROY"
    )
    made.answer(DESTRUCTIVE, again["token"], "eve", "Approved", "the log was copied")

    assert made.ends(newer) == "Succeeded"
    approvals = made.record(newer)["apply"]["approvals"]
    assert [(each["by"].rpartition("/")[2], each["comment"]) for each in approvals] == [
        ("bob", "fine"),
        ("eve", "the log was copied"),
    ]
    assert values(made) == ["aws_iam_role", "terraform_data", "four"]


def test_an_approval_that_nobody_gives_ends_the_execution(made: Delivery) -> None:
    """Nothing is changed, and the plan cannot be applied by a retry of what comes after."""
    definition = made.api.get_pipeline(name="acme")["pipeline"]
    (approve,) = (each for each in definition["stages"] if each["name"] == APPROVE)
    approve["actions"][0]["timeoutInMinutes"] = 5
    made.api.update_pipeline(pipeline=definition)
    before = values(made)
    made.write(stack("five", log=False))
    execution = made.push()

    assert made.ends(execution) == "Failed"
    assert stages(made, execution)[APPROVE] == "Failed"
    assert "apply" not in made.record(execution)
    assert values(made) == before
