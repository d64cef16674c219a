"""Orphans: states without a stack are named, and end by a reviewed plan, with real Terraform."""

import json
import shutil
from pathlib import Path

import pytest

from tests.rehearsal.deliveries import BUCKET, World, data_stack, prepared_account, stack


@pytest.fixture
def world(tmp_path: Path, endpoint: str, lock: Path) -> World:
    """An account in which stack ``qa`` is deployed, and one that keeps data, ``data``; neither is synthesized."""
    found = prepared_account(tmp_path, endpoint, lock)
    found.write("kept", data_stack("kept", "stays"))
    return found


def deploy(world: World, name: str, *, keep: bool = True) -> None:
    """Apply a stack as a release would, then take it out of the settings."""
    done = world.delivery("terraform", name, "--", "init")
    done = world.delivery("terraform", name, "--", "apply", "-auto-approve")
    assert done.returncode == 0, done.stderr
    if keep:
        assert world.delivery("keep", "--stack", name).returncode == 0
    shutil.rmtree(world.folder / "cdktf.out" / "stacks" / name)


def groups(world: World) -> list[str]:
    """The log groups that there are."""
    return [each["logGroupName"] for each in world.client("logs").describe_log_groups()["logGroups"]]


def digest(world: World, folder: str = "retire") -> str:
    """The digest that the reviewer has seen."""
    return str(json.loads((world.folder / folder / "record.json").read_text())["plan_sha256"])


def test_a_state_without_a_stack_is_named_and_ends_by_its_reviewed_plan(world: World) -> None:
    """Named with the command that plans its end; once that is applied, it is an orphan no more."""
    world.write("qa", data_stack("qa", "one"))
    deploy(world, "qa")
    named = world.delivery("orphans")
    planned = world.delivery("retire", "--stack", "qa", "--out", "retire")
    review = planned.stdout
    applied = world.delivery("retire", "--stack", "qa", "--plan", "retire", "--sha256", digest(world))
    again = world.delivery("retire", "--stack", "qa", "--plan", "retire", "--sha256", digest(world))

    assert "orphan: stack qa is no longer synthesized" in named.stdout
    assert "python -m delivery retire --stack qa --out retire" in named.stdout
    assert "kept" not in named.stdout
    assert planned.returncode == 0, planned.stderr
    assert "# qa: 1 to destroy" in review
    assert "- terraform_data.greeting" in review
    assert applied.returncode == 0, applied.stderr
    assert world.values("qa") == []
    assert world.outcome("qa", digest(world))[0] == "applied"
    assert again.returncode != 0
    assert world.delivery("orphans").stdout == "every state has its stack\n"


def test_an_orphan_that_holds_data_is_destroyed_with_a_destructive_approval_only(world: World) -> None:
    """Without it nothing is applied, and what would be lost is named."""
    world.write("data", stack("data", {"aws_cloudwatch_log_group": {"turns": {"name": "turns"}}}))
    deploy(world, "data")
    planned = world.delivery("retire", "--stack", "data", "--out", "retire")
    apply = ("retire", "--stack", "data", "--plan", "retire", "--sha256", digest(world))
    refused = world.delivery(*apply)
    before = groups(world)
    approved = world.delivery(*apply, "--approve", "destructive")

    assert "# data: 1 to destroy (destructive)" in planned.stdout
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1].startswith("this plan loses data for good (data: 1 to destroy (destructive)")
    assert refused.stderr.splitlines()[-1].endswith("add --approve destructive")
    assert "turns" in before
    assert approved.returncode == 0, approved.stderr
    assert "turns" not in groups(world)


def test_an_orphan_of_which_no_release_is_kept_needs_a_stack_like_it(world: World) -> None:
    """Nobody guesses in which account and region its resources are."""
    world.write("old", data_stack("old", "one"))
    deploy(world, "old", keep=False)
    unknown = world.delivery("retire", "--stack", "old", "--out", "retire")
    planned = world.delivery("retire", "--stack", "old", "--out", "retire", "--like", "kept")

    assert unknown.returncode == 2
    assert unknown.stderr.startswith("no release of stack old is kept")
    assert "--like, one of kept, pipeline, state" in unknown.stderr
    assert "# old: 1 to destroy" in planned.stdout, planned.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--stack", "kept", "--out", "x"),
            "stack kept is synthesized: take its environment out of stacks/settings.py",
        ),
        (("--stack", "nobody", "--out", "x"), f"there is no state s3://{BUCKET}/nobody/terraform.tfstate"),
        (("--stack", "nobody"), "retire takes --out DIR to plan, or --plan DIR with --sha256 DIGEST to apply"),
        (("--stack", "nobody", "--plan", "x"), "retire takes --out DIR to plan, or --plan DIR with --sha256"),
        (("--stack", "nobody", "--plan", "x", "--sha256", "0"), "x holds no plan"),
    ],
)
def test_what_cannot_be_retired_is_one_line(world: World, arguments: tuple[str, ...], said: str) -> None:
    """With exit code 2."""
    done = world.delivery("retire", *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
