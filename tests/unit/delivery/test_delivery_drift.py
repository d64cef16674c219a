"""Reading drift: what moved outside of Terraform, what a release left undone, and who did it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.drift import read_drift
from delivery.trail import Trail

SINCE = datetime(2026, 11, 1, tzinfo=UTC)


def item(address: str, *actions: str, before: Any = None, after: Any = None) -> dict[str, Any]:
    """One entry of a plan's lists of changes."""
    change = {"actions": list(actions), "before": before, "after": after}
    return {"address": address, "mode": "managed", "type": address.partition(".")[0], "change": change}


def plan(changes: list[dict[str, Any]], drift: list[dict[str, Any]]) -> dict[str, Any]:
    """A plan as Terraform shows it."""
    return {"resource_changes": changes, "resource_drift": drift}


MOVED = plan(
    [item("aws_lambda_function.f", "update", before={"timeout": 99}, after={"timeout": 15})],
    [item("aws_lambda_function.f", "update", before={"timeout": 15}, after={"timeout": 99})],
)


def test_what_moved_shows_from_what_it_was_to_what_it_is() -> None:
    """Not from what it is to what a release would make of it."""
    found = read_drift(MOVED)

    assert found.lines == ["aws_lambda_function.f was changed", "  ! timeout: 15 -> 99"]
    assert found.resources == 1


def test_what_the_provider_computes_is_no_drift() -> None:
    """Terraform lists it, and would do nothing about it."""
    computed = item("aws_iam_role.r", "update", before={}, after={"inline_policy": "x"})

    assert read_drift(plan([item("aws_iam_role.r", "no-op")], [computed])).resources == 0


def test_what_was_deleted_by_hand_is_said_to_be() -> None:
    """A release would create it again."""
    gone = plan(
        [item("aws_sqs_queue.q", "create", after={"name": "q"})],
        [item("aws_sqs_queue.q", "delete", before={"name": "q"})],
    )

    assert read_drift(gone).lines == ["aws_sqs_queue.q was deleted"]


def test_what_a_replacement_left_behind_is_traced_too() -> None:
    """It has the address of what replaced it, and is called by its own name."""
    left = item("aws_sqs_queue.q", "delete", before={"name": "q"}) | {"deposed": "abc"}

    found = read_drift(plan([left], [left]), trail())

    assert found.lines[0] == "aws_sqs_queue.q (deposed abc) was deleted"


def test_what_only_follows_from_it_is_not_counted() -> None:
    """An alias moves to the version that its function will have: nobody changed the alias."""
    alias = item("aws_lambda_alias.live", "update", before={"function_version": "1"}, after={})
    alias["change"]["after_unknown"] = {"function_version": True}

    assert read_drift(plan([*MOVED["resource_changes"], alias], MOVED["resource_drift"])).resources == 1


def test_what_a_release_left_undone_is_not_blamed_on_anybody() -> None:
    """An apply that broke off leaves differences that nobody made by hand."""
    found = read_drift(plan([item("aws_sqs_queue.q", "create", after={"name": "q"})], []))

    assert found.resources == 1
    assert "not known to have been changed; a release would create it" in found.lines[0]


def test_the_same_drift_has_the_same_fingerprint_and_another_has_not() -> None:
    """Else it would be told every day, or a second one never."""
    further = plan(
        [item("aws_lambda_function.f", "update", before={"timeout": 98}, after={"timeout": 15})],
        [item("aws_lambda_function.f", "update", before={"timeout": 15}, after={"timeout": 98})],
    )

    assert read_drift(MOVED).fingerprint == read_drift(MOVED).fingerprint != read_drift(further).fingerprint
    assert read_drift(plan([], [])).fingerprint == ""


class CloudTrail:
    """CloudTrail as its API page has it."""

    def __init__(self, events: list[dict[str, Any]], error: str = "") -> None:
        self.events, self.error, self.asked = events, error, []

    def lookup_events(self, **question: Any) -> dict[str, Any]:
        """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"""
        self.asked.append(question)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "LookupEvents")
        (attribute,) = question["LookupAttributes"]
        return {"Events": [event for event in self.events if attribute["AttributeValue"] in event["names"]]}


def event(name: str, who: str, minute: int, *names: str) -> dict[str, Any]:
    """One event of CloudTrail's."""
    time = datetime(2026, 11, 2, 10, minute, tzinfo=UTC)
    return {"EventId": f"{minute}", "EventName": name, "EventTime": time, "Username": who, "names": names}


def trail(*events: dict[str, Any], error: str = "") -> Trail:
    """The trail of an account with these events."""
    return Trail("eu-west-1", SINCE, _client=CloudTrail(list(events), error))


CHANGE = {"before": {"arn": "arn:f", "function_name": "f", "timeout": 15}, "after": {"arn": "arn:f"}}


def test_who_moved_it_is_told_newest_first_without_those_who_only_looked() -> None:
    """By whichever of its names CloudTrail knows the resource."""
    found = trail(
        event("UpdateFunctionConfiguration20150331v2", "ann", 1, "f"),
        event("GetFunction20150331v2", "bob", 2, "f"),
        event("UpdateFunctionCode20150331v2", "eve", 3, "arn:f"),
        event("DeleteFunction20150331", "max", 4, "other"),
    ).of_resource(CHANGE)

    assert found == [
        "2026-11-02 10:03 UpdateFunctionCode20150331v2 by eve",
        "2026-11-02 10:01 UpdateFunctionConfiguration20150331v2 by ann",
    ]


def test_that_nobody_is_known_is_said() -> None:
    """CloudTrail keeps 90 days, and not every change is one of its events."""
    assert trail().of_resource(CHANGE) == ["who did it is not known: CloudTrail has no event since 2026-11-01 00:00"]


def test_that_cloudtrail_is_unavailable_is_said_and_asked_once() -> None:
    """A missing permission costs one question, not one for each resource."""
    asked = trail(error="AccessDeniedException")
    lines = [asked.of_resource(CHANGE) for _ in range(3)]

    assert lines == [["who did it is not known: CloudTrail is unavailable here (AccessDeniedException)"]] * 3
    assert len(asked._client.asked) == 1


@pytest.mark.parametrize("before", [None, {}, {"arn": None}, {"arn": 5}])
def test_a_resource_without_a_name_costs_no_question(before: Any) -> None:
    """There is nothing to ask for."""
    asked = trail()

    assert asked.of_resource({"before": before, "after": None})[0].startswith("who did it is not known")
    assert asked._client.asked == []
