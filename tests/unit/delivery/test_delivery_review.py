"""Reading a plan: what it changes, how dangerous that is, and what a person gets to see."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.changes import read_plan
from delivery.redaction import concealed, without_secrets
from delivery.review import REVIEW_LIMIT, SUMMARY_LIMIT, Review


def change(address: str, *actions: str, **details: Any) -> dict[str, Any]:
    """One entry of a plan's ``resource_changes``."""
    item = {name: details.pop(name) for name in ("previous_address", "deposed", "action_reason") if name in details}
    return {
        "address": address,
        "mode": "managed",
        "type": address.partition(".")[0],
        "change": {"actions": list(actions), "before": {}, "after": {}} | details,
    } | item


def review(*changes: dict[str, Any], **plan: Any) -> Review:
    """The review of a plan of stack ``dev`` with these changes."""
    return Review("dev", read_plan({"resource_changes": list(changes)} | plan))


@pytest.mark.parametrize(
    ("item", "risk"),
    [
        (change("aws_lambda_function.bot", "update", before={"memory_size": 1}, after={"memory_size": 2}), "ordinary"),
        (change("aws_lambda_function.bot", "delete"), "ordinary"),
        (change("aws_dynamodb_table.turns", "update"), "ordinary"),
        (change("aws_dynamodb_table.turns", "create"), "ordinary"),
        (change("aws_dynamodb_table.turns", "delete"), "destructive"),
        (change("aws_dynamodb_table.turns", "delete", "create"), "destructive"),
        (change("aws_dynamodb_table.turns", "create", "delete"), "destructive"),
        (change("aws_s3_bucket.artifacts", "delete", deposed="abc"), "destructive"),
        (change("aws_dynamodb_table.turns", "forget"), "sensitive"),
        (change("aws_iam_role.bot", "create"), "sensitive"),
        (change("aws_kms_key.state", "update"), "sensitive"),
        (change("aws_lambda_permission.api", "create"), "sensitive"),
        (change("aws_s3_bucket_policy.artifacts", "update"), "sensitive"),
        (change("aws_lambda_function.bot", "update", before={"role": "a"}, after={"role": "b"}), "sensitive"),
        (
            change("aws_dynamodb_table.t", "update", before={"deletion_protection_enabled": True}, after={}),
            "sensitive",
        ),
        (change("aws_lambda_function.bot", "no-op"), "none"),
    ],
)
def test_each_change_has_its_grade(item: dict[str, Any], risk: str) -> None:
    """Losing data is the gravest; permissions, keys and public access come next; reading is nothing."""
    assert str(review(item).planned.risk) == risk


def test_nothing_to_do_is_no_change() -> None:
    """Data sources that are read, and outputs that stay, are not changes."""
    read = change("aws_caller_identity.me", "read") | {"mode": "data"}
    planned = review(read, change("aws_iam_role.bot", "no-op"), output_changes={"url": {"actions": ["no-op"]}}).planned

    assert (planned.has_changes, str(planned.risk)) == (False, "none")


def test_what_only_the_state_notices_is_a_change() -> None:
    """A moved or imported resource, or a new output, has to be applied to become true."""
    moved = review(change("aws_iam_role.b", "no-op", previous_address="aws_iam_role.a"))
    imported = review(change("aws_iam_role.b", "no-op", importing={"id": "b"}))
    output = review(output_changes={"url": {"actions": ["create"], "before": None, "after": "https://example.org"}})

    assert [found.planned.has_changes for found in (moved, imported, output)] == [True, True, True]
    assert "moved from aws_iam_role.a" in moved.markdown()
    assert '+ url: "https://example.org"' in output.markdown()


def test_attributes_show_as_a_small_difference() -> None:
    """Only what differs is shown, inside of JSON documents too, with what forces a replacement first."""
    found = review(
        change(
            "aws_iam_policy.bot",
            "delete",
            "create",
            before={
                "name": "a",
                "policy": json.dumps({"Statement": [{"Effect": "Deny", "Action": "s3:*"}]}),
                "path": "/",
            },
            after={
                "name": "b",
                "policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}),
                "path": "/",
            },
            after_unknown={"arn": True},
            replace_paths=[["name"]],
        )
    ).markdown()

    lines = [line.strip() for line in found.splitlines()]
    first = lines.index('! name: "a" -> "b"  (forces replacement)')
    assert lines[first + 1 : first + 3] == [
        "+ arn: (known after apply)",
        '! policy.Statement[0].Effect: "Deny" -> "Allow"',
    ]
    assert "path:" not in found


def test_the_dangerous_comes_first() -> None:
    """Destroyed data stands above everything, and in the summary too."""
    found = review(
        change("aws_lambda_function.bot", "update"),
        change("aws_iam_role.bot", "create"),
        change("aws_dynamodb_table.turns", "delete", "create"),
    )

    assert found.summary == (
        "dev: 1 to replace, 1 to add, 1 to change (destructive): "
        "REPLACE aws_dynamodb_table.turns, aws_iam_role.bot, aws_lambda_function.bot"
    )
    text = found.markdown()
    assert "LOSES A TABLE AND ITS ITEMS" in text
    assert (
        text.index("aws_dynamodb_table.turns") < text.index("aws_iam_role.bot") < text.index("aws_lambda_function.bot")
    )


def test_no_length_loses_what_is_destroyed() -> None:
    """However many other changes there are, every destroyed resource is named; what is left out is counted."""
    long = {f"attribute_{index}": "x" * 150 for index in range(40)}
    updates = [change(f"aws_lambda_function.f{index}", "update", before={}, after=long) for index in range(200)]
    destroys = [change(f"aws_sqs_queue.q{index}", "delete") for index in range(900)]

    found = review(*updates, *destroys)

    text = found.markdown()
    assert all(f"- aws_sqs_queue.q{index} " in text for index in range(900))
    assert len(text) < REVIEW_LIMIT + 90 * 900
    assert "more under “Changed”: see `plan.json`." in text
    assert len(found.summary) <= SUMMARY_LIMIT


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_no_value_breaks_out_of_its_block(address: str, value: str) -> None:
    """Names and values are someone else's: they cannot end the block they stand in, nor move the terminal's cursor."""
    found = review(change(f"aws_ssm_parameter.{address}", "update", before={}, after={"value": value}))
    text = found.markdown()

    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert len(found.summary) <= SUMMARY_LIMIT
    assert "\n" not in found.summary
    fence = text.splitlines()[4].removesuffix("diff")
    assert set(fence) == {"`"}
    assert [line for line in text.splitlines() if line.startswith(fence)] == [f"{fence}diff", fence]


def test_secrets_are_hidden_on_both_sides_and_where_they_were_copied() -> None:
    """A secret on one side is hidden on the other, and an unmarked copy of it is found."""
    plan = {
        "resource_changes": [
            change(
                "aws_ssm_parameter.token",
                "update",
                before={"value": "old-secret", "copy": "is old-secret!", "list": [{"a": "listed-secret"}]},
                after={"value": "new-secret", "copy": "is new-secret!", "list": [{"a": "listed-other"}]},
                before_sensitive={"value": True},
                after_sensitive={"list": [{"a": True}]},
            )
        ],
        "output_changes": {
            "token": {"actions": ["update"], "before": "old-secret", "after": "new-secret", "before_sensitive": True}
        },
        "variables": {"password": {"value": "hunter22"}},
        "prior_state": {"values": "old-secret"},
        "configuration": {"constant": "new-secret"},
    }

    hidden = concealed(plan)
    text = json.dumps(without_secrets(hidden)) + Review("dev", read_plan(hidden)).markdown()

    assert not [word for word in ("old-secret", "new-secret", "listed", "hunter22") if word in text]
    assert "! value: (sensitive value) -> (sensitive value)" in text


def test_drift_that_the_plan_answers_stands_apart() -> None:
    """What somebody changed by hand is not what the code changes; what the provider computes is neither."""
    drift = change("aws_lambda_function.bot", "update", before={"timeout": 3}, after={"timeout": 9})
    answer = change("aws_lambda_function.bot", "update", before={"timeout": 9}, after={"timeout": 3})
    computed = change("aws_iam_role.bot", "update", before={}, after={"inline_policy": "x"})

    found = review(answer, resource_drift=[drift, computed]).markdown()

    assert "## Changed outside Terraform" in found
    assert "aws_iam_role.bot" not in found
