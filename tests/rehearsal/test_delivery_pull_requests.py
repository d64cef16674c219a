"""Pull requests, lived: a branch is planned by real Terraform in a build of its own, and commented on by another."""

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.team import PROJECT, Team, edit, rewrite

REVIEW, COMMENT = "acme-review", "acme-comment"


@pytest.fixture
def built(ours: Team) -> int:
    """How many branches were planned before this test."""
    codebuild = ours.client("codebuild")
    return len(codebuild.list_builds_for_project(projectName=REVIEW)["ids"])


@dataclass(frozen=True)
class Reviewed:
    """A pull request that was pushed to twice, and the comments that its readers saw after each."""

    number: str
    commit: str
    before: str
    after: str


@pytest.fixture(scope="module")
def reviewed(ours: Team) -> Reviewed:
    """One whose branch and title would do harm in a shell."""
    branch, title = "feature/$(touch${IFS}pwned)", "more'; touch pwned; $(touch pwned) \"}]"
    ours.push(branch, edit("chatbot-dev", '"memory_size": \\d+', '"memory_size": 1024'))
    number = ours.open(branch, title)
    ours.builds(COMMENT, 1)
    (before,) = ours.comments(number)
    commit = ours.push(branch, edit("chatbot-dev", '"timeout": \\d+', '"timeout": 29'))
    ours.builds(COMMENT, 2)
    (after,) = ours.comments(number)
    return Reviewed(number, commit, before, after)


def test_every_push_is_planned_and_the_one_comment_says_what_it_would_change(ours: Team, reviewed: Reviewed) -> None:
    """Against what is deployed, for every environment."""
    builds = ours.builds(REVIEW, 2)

    assert [build["buildStatus"] for build in builds] == ["SUCCEEDED", "SUCCEEDED"], ours.log(builds[-1])
    assert "chatbot-dev: 2 to change" in reviewed.before
    assert "memory_size: 512 -> 1024" in reviewed.before
    assert "timeout" not in reviewed.before
    assert "memory_size: 512 -> 1024" in reviewed.after
    assert "timeout: " in reviewed.after
    assert "chatbot-prod: " in reviewed.after
    assert reviewed.commit[:12] in reviewed.after


def test_what_could_be_planned_is_approved(ours: Team, reviewed: Reviewed) -> None:
    """By the rule that settings ask for, in place of the status that CodeCommit has not."""
    assert ours.is_approved(reviewed.number)


def test_planning_a_branch_changes_nothing_and_takes_no_lock(ours: Team, reviewed: Reviewed) -> None:
    """Neither state nor a file: not even one that a branch's name would have a shell make."""
    locks = ours.client("dynamodb").scan(TableName="acme-locks", FilterExpression="attribute_exists(Info)")["Items"]

    assert ours.state("chatbot-dev") == ours.deployed
    assert ours.state("chatbot-prod") is None
    assert locks == []
    assert not list(ours.project.parent.rglob("pwned"))


def hostile(configuration: dict[str, Any]) -> None:
    """Have programs run while planning, code fetched, the state sent elsewhere, and the build's environment shown."""
    program = "touch /tmp/parley-was-here"
    configuration["data"] = {"external": {"e": {"program": ["sh", "-c", program]}}}
    configuration["terraform"]["required_providers"]["external"] = {"source": "hashicorp/external"}
    configuration["terraform"]["backend"]["s3"]["bucket"] = "a-bucket-of-mine"
    configuration["module"] = {"m": {"source": "git::https://example.org/x"}}
    run = {"provisioner": [{"local-exec": {"command": program}}], "input": '${file("/proc/self/environ")}'}
    configuration["resource"]["terraform_data"] = {"x": run}


def test_what_would_run_while_planning_is_refused_and_other_environments_are_planned(ours: Team, built: int) -> None:
    """The comment says what is not allowed; its status would be a failure."""
    ours.push("evil", rewrite("chatbot-dev", hostile))
    number = ours.open("evil")
    (build,) = ours.builds(REVIEW, built + 1)[-1:]
    (comment,) = ours.builds(COMMENT, built + 1)[-1:]
    (text,) = ours.comments(number)

    assert build["buildStatus"] == "FAILED"
    assert comment["buildStatus"] == "SUCCEEDED", ours.log(comment)
    assert "**`chatbot-dev` was not planned:**" in text
    assert "! data sources of type “external” are not allowed" in text
    assert "! it needs other providers, or other versions of them" in text
    assert "! its state would be kept elsewhere (terraform.backend)" in text
    assert "! block “module” is not allowed" in text
    assert "! terraform_data.x has a provisioner, which would run programs" in text
    assert "! function file() is not allowed" in text
    assert "chatbot-prod: " in text
    assert not Path("/tmp/parley-was-here").exists()
    assert not ours.is_approved(number)


def test_a_branch_that_does_not_synthesize_and_one_that_lies_are_said_to(ours: Team, built: int) -> None:
    """The branch's own commands fail, or leave something else than stacks: one line each, in the comment."""

    def fail(checkout: Path) -> None:
        (checkout / "Makefile").write_text("synth:\n\t@echo no >&2; exit 7\n")

    def lie(checkout: Path) -> None:
        """A link to what only the build may read; prod is gone, and the pipeline is another."""
        shutil.rmtree(checkout / "stacks" / "chatbot-prod")
        edit("pipeline", '"build_timeout": 30', '"build_timeout": 31')(checkout)
        (checkout / "stacks" / "chatbot-dev" / "cdk.tf.json").unlink()
        (checkout / "stacks" / "chatbot-dev" / "cdk.tf.json").symlink_to("/proc/self/environ")

    for branch, change in (("broken", fail), ("lying", lie)):
        ours.push(branch, change)
    numbers = [ours.open(branch) for branch in ("broken", "lying")]
    ours.builds(REVIEW, built + 2)
    ours.builds(COMMENT, built + 2)
    (broken,), (lying,) = (ours.comments(number) for number in numbers)

    assert "**Nothing was planned:**" in broken
    assert "! the branch does not synthesize: make --no-print-directory synth ended with 2" in broken
    assert "! its cdk.tf.json cannot be read" in lying
    assert "AWS_" not in lying
    # Neither shows in a plan of the environments that are left.
    assert "! chatbot-prod is no longer synthesized: what it deployed would stay, an orphan" in lying
    assert "! the branch changes stack pipeline too, which is planned after the merge only" in lying


@dataclass(frozen=True)
class Merged:
    """What the pipeline's plans of dev say of reviews, and the folder of the first."""

    same: str
    altered: str
    plan: Path


@pytest.fixture(scope="module")
def merged(ours: Team, reviewed: Reviewed, tmp_path_factory: pytest.TempPathFactory) -> Merged:
    """The reviewed change as it is, and with one that was slipped in after the review."""
    folder = tmp_path_factory.mktemp("merged")
    stack = ours.project / "cdktf.out" / "stacks" / "chatbot-dev" / "cdk.tf.json"
    before = stack.read_text()
    same = re.sub('"timeout": \\d+', '"timeout": 29', before.replace('"memory_size": 512', '"memory_size": 1024'))

    def said(name: str, configuration: str) -> str:
        stack.write_text(configuration)
        options = ("--no-record", "--reviews", PROJECT.bucket_name("artifacts"))
        text = ours.run("plan", "--stack", "chatbot-dev", "--out", str(folder / name), *options)
        return next(line for line in text.splitlines() if "review" in line)

    try:
        return Merged(said("same", same), said("altered", same.replace("1024", "1025")), folder / "same")
    finally:
        stack.write_text(before)


def test_after_the_merge_the_plan_says_whether_it_is_the_reviewed_one(reviewed: Reviewed, merged: Merged) -> None:
    """With the pull request that showed it."""
    assert merged.same == (
        f"It is the plan that was reviewed on pull request {reviewed.number}, at {reviewed.commit[:12]}."
    )
    assert merged.altered == "No review of a pull request showed this plan."


def test_review_prints_the_same_on_one_machine(ours: Team) -> None:
    """What the working tree would change in what is deployed; its locks are left to others."""
    stack = ours.project / "cdktf.out" / "stacks" / "chatbot-dev" / "cdk.tf.json"
    deployed = stack.read_text()
    stack.write_text(deployed.replace('"memory_size": 512', '"memory_size": 2048'))
    try:
        with ours.locked("chatbot-dev"):
            text = ours.run("review", "--stacks", "chatbot-d*")
    finally:
        stack.write_text(deployed)

    assert "# chatbot-dev: 2 to change" in text
    assert "memory_size: 512 -> 2048" in text
    assert "it was not kept, and cannot be applied" in text


def test_prods_review_says_that_it_brings_devs_build(ours: Team, merged: Merged, tmp_path: Path) -> None:
    """The function's package is the same to the byte, and what differs from dev's plan is named."""
    arguments = ("--out", str(tmp_path / "prod"), "--before", str(merged.plan), "--no-record")
    text = ours.run("plan", "--stack", "chatbot-prod", *arguments)
    (package,) = (ours.project / "cdktf.out" / "stacks" / "chatbot-prod").rglob("lambda.zip")

    assert "**The build that `dev` has:** commit `" in text
    assert f"function's package `{hashlib.sha256(package.read_bytes()).hexdigest()}` is what both plans" in text
    assert "As in `dev`: 0 changes. Otherwise:" in text
    assert re.search(r"^! aws_lambda_function\.\S+: create.*; in dev update of .*memory_size", text, re.MULTILINE)
