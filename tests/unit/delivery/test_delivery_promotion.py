"""What prod's review says of staging: one build in both, and in what the plans differ."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.errors import UsageError
from delivery.promotion import Planned, compare
from delivery.record import Plan, Record, Release, StateVersion

PACKAGE = "f" * 64
RELEASE = Release(commit="c" * 40, release="e" * 64, lambda_sha256=PACKAGE)


def change(address: str, *actions: str, before: Any = None, after: Any = None) -> dict[str, Any]:
    """One entry of a plan's ``resource_changes``."""
    body = {"actions": list(actions), "before": before, "after": after}
    return {"address": address, "mode": "managed", "type": address.partition(".")[0], "change": body}


def planned(environment: str, *changes: dict[str, Any], release: Release = RELEASE, package: str = PACKAGE) -> Planned:
    """A plan of one environment."""
    plan = Plan(
        stack=f"chatbot-{environment}",
        release=release,
        has_changes=bool(changes),
        risk="ordinary",
        summary="",
        state=StateVersion(),
        files={"cdk.tf.json": environment * 10, "assets/package/1A/lambda.zip": package},
        terraform_version="1.11.4",
        providers={},
        expires_at="2026-12-01T00:00:00+00:00",
    )
    record = Record(environment=environment, plan_sha256="0" * 64, created_at="2026-11-01T00:00:00+00:00", plan=plan)
    return Planned({"resource_changes": list(changes)}, record)


def memory(environment: str, megabytes: int) -> dict[str, Any]:
    """A change of the function's memory."""
    name = f"acme-{environment}"
    before, after = {"name": name, "memory_size": 128}, {"name": name, "memory_size": megabytes}
    return change("aws_lambda_function.f", "update", before=before, after=after)


def test_the_same_build_is_proved_by_commit_and_package() -> None:
    """Both are named; values of the environments may differ."""
    text = compare(planned("prod", memory("prod", 1024)), planned("staging", memory("staging", 512)))

    assert text == (
        f"**The build that `staging` has:** commit `{'c' * 40}`, whose function's package `{PACKAGE}` is what both "
        "plans were made from.\n\nWhat changes is what changed in `staging`: 1 change of the same kind."
    )


def test_what_differs_is_listed() -> None:
    """What is here only, what was there only, and what is of another kind."""
    text = compare(
        planned("prod", memory("prod", 1), change("aws_sqs_queue.q", "delete"), change("aws_iam_role.r", "create")),
        planned(
            "staging", memory("staging", 1), change("aws_sqs_queue.q", "create"), change("aws_kms_key.k", "create")
        ),
    )

    assert "As in `staging`: 1 change. Otherwise:" in text
    assert [line for line in text.splitlines() if line[:1] in "+-!" and line] == [
        "+ aws_iam_role.r: create, here only",
        "- aws_kms_key.k: create, in staging only",
        "! aws_sqs_queue.q: delete; in staging create",
    ]


def test_other_attributes_are_another_change() -> None:
    """An update of the role is not the update of the memory that staging had."""
    role = change("aws_lambda_function.f", "update", before={"role": "a"}, after={"role": "b"})

    text = compare(planned("prod", role), planned("staging", memory("staging", 1)))

    assert "! aws_lambda_function.f: update of role; in staging update of memory_size" in text


@pytest.mark.parametrize(
    ("ours", "fault"),
    [
        (planned("prod", release=replace(RELEASE, commit="d" * 40)), f"of commit `{'d' * 12}`"),
        (planned("prod", release=Release(commit="")), "was not made from a recorded build"),
        (planned("prod", package="a" * 64), "the function's package is another"),
    ],
)
def test_another_build_is_said_to_be_one(ours: Planned, fault: str) -> None:
    """Loudly, since nobody looked at it where it was to be looked at first."""
    text = compare(ours, planned("staging"))

    assert text.startswith("**Not the build that `staging` has:**")
    assert fault in text


def test_a_package_that_the_build_did_not_record_is_found_in_both() -> None:
    """Equal is not enough: it has to be the one that was tested."""
    text = compare(planned("prod", package="a" * 64), planned("staging", package="a" * 64))

    assert "the function's package is not the one that the build recorded" in text


def test_nothing_to_change_is_said() -> None:
    """Here, there, or in both."""
    assert compare(planned("prod"), planned("staging")).endswith("Neither changes anything.")
    assert "had nothing to change" in compare(planned("prod", memory("prod", 1)), planned("staging"))


def test_a_plan_is_read_from_what_plan_wrote(tmp_path: Path) -> None:
    """And a folder that holds none costs one line."""
    one = planned("staging", memory("staging", 1))
    (tmp_path / "plan.json").write_text(json.dumps(one.plan))
    one.record.save(tmp_path / "record.json")

    assert Planned.load(tmp_path) == one
    (tmp_path / "record.json").write_text("{}")
    with pytest.raises(UsageError, match="holds no plan of an earlier environment"):
        Planned.load(tmp_path)
