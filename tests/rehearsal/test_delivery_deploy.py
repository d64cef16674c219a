"""Delivery against an emulated account, with real Terraform: bootstrap, plan, apply."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.rehearsal.deliveries import (
    BUCKET,
    LOCKS,
    REGION,
    World,
    create_table,
    data_stack,
    empty_account,
    prepared_account,
    stack,
)


@pytest.fixture
def empty(tmp_path: Path, endpoint: str, lock: Path) -> World:
    """An account with nothing in it, and a project with the two stacks that bootstrap makes."""
    return empty_account(tmp_path, endpoint, lock)


@pytest.fixture
def world(tmp_path: Path, endpoint: str, lock: Path) -> World:
    """The same with the state bucket, the lock table and the ledger in the account."""
    return prepared_account(tmp_path, endpoint, lock)


def test_bootstrap_moves_its_state_into_the_bucket_it_makes(empty: World) -> None:
    """Nothing local is left behind; a second run, in a fresh clone at that, changes nothing and touches no state."""
    first = empty.delivery("bootstrap", TF_CLI_ARGS_init="-backend-config=use_path_style=true")

    assert first.returncode == 0, first.stderr
    assert empty.values("pipeline") == ["one"]
    assert not list(empty.folder.rglob("*override*"))
    assert not list((empty.folder / ".tools" / "bootstrap").iterdir())

    written = {
        item["Key"]: item["LastModified"] for item in empty.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    }
    shutil.rmtree(empty.folder / ".tools")
    for data in empty.folder.rglob(".terraform"):
        shutil.rmtree(data)
    second = empty.delivery("bootstrap")

    assert second.returncode == 0, second.stderr
    assert "state: no changes" in second.stderr
    assert "pipeline: no changes" in second.stderr
    found = {
        item["Key"]: item["LastModified"] for item in empty.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    }
    assert found == written


def test_a_broken_bootstrap_goes_on_where_it_stopped(empty: World) -> None:
    """Where the bucket came into being but its state was not moved yet, the next run adopts it instead of failing."""
    create_table(empty.client("dynamodb"), LOCKS, "LockID")
    broken = empty.delivery("bootstrap")
    assert broken.returncode == 1
    assert "terraform apply failed in stack state" in broken.stderr.splitlines()[-1]
    assert empty.client("s3").list_buckets()["Buckets"]

    empty.client("dynamodb").delete_table(TableName=LOCKS)
    mended = empty.delivery("bootstrap")

    assert mended.returncode == 0, mended.stderr
    assert empty.values("pipeline") == ["one"]
    assert not list((empty.folder / ".tools" / "bootstrap").iterdir())


def test_bootstrap_refuses_a_bucket_that_is_not_its_own_work(world: World) -> None:
    """A bucket of that name without state in it is neither adopted nor destroyed."""
    done = world.delivery("bootstrap")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"bucket {BUCKET} exists, but holds no state of stack state")


def test_an_empty_plan_changes_nothing_and_still_gives_the_outputs(world: World) -> None:
    """Later actions need the address whether or not anything changed."""
    world.write("same", data_stack("same", "one", url="https://example.org/"))
    world.apply("same", world.plan("same")["PLAN_SHA256"])
    (world.folder / "outputs.env").unlink()

    variables = world.plan("same")
    done = world.apply("same", variables["PLAN_SHA256"])

    assert (variables["HAS_CHANGES"], variables["RISK"]) == ("false", "none")
    assert done.returncode == 0, done.stderr
    assert world.sourced("outputs.env")["URL"] == "https://example.org/"


def test_a_change_of_outputs_alone_is_a_change(world: World) -> None:
    """Whoever reads the stack's outputs would otherwise keep the old ones for ever."""
    world.write("output", data_stack("output", "one", url="https://example.org/old"))
    world.apply("output", world.plan("output")["PLAN_SHA256"])
    world.write("output", data_stack("output", "one", url="https://example.org/new"))

    variables = world.plan("output")

    assert (variables["HAS_CHANGES"], variables["RISK"]) == ("true", "ordinary")
    assert world.apply("output", variables["PLAN_SHA256"]).returncode == 0
    assert world.sourced("outputs.env")["URL"] == "https://example.org/new"


def test_secrets_stay_out_of_everything_but_the_plan_file(world: World) -> None:
    """What Terraform marks as sensitive is in no file that is shown or archived, no line of the log, no record."""
    configuration = data_stack("secret", '${sensitive("hunter2")}')
    configuration["output"] = {"password": {"value": '${sensitive("hunter2")}', "sensitive": True}}
    world.write("secret", configuration)
    applied = world.apply("secret", world.plan("secret")["PLAN_SHA256"])
    configuration["resource"]["terraform_data"]["greeting"]["input"] = '${sensitive("hunter3")}'
    world.write("secret", configuration)

    done = world.delivery("plan", "--stack", "secret", "--out", "plans/secret")

    written = {
        path.name: path.read_text() for path in (world.folder / "plans/secret").iterdir() if path.name != "tfplan"
    }
    assert set(written) == {"plan.json", "record.json", "review.html", "review.md", "variables.env"}
    said = done.stdout + done.stderr + applied.stdout + applied.stderr
    kept = str(world.records("secret")) + (world.folder / "outputs.env").read_text()
    assert "hunter" not in "".join(written.values()) + said + kept
    assert "!   input: (sensitive value) -> (sensitive value)" in done.stdout


def test_the_review_can_be_read_in_its_bucket_under_the_name_of_its_plan(world: World) -> None:
    """Whoever approves follows one link, which is part of the record too; the answers that change are in there."""
    world.client("s3").create_bucket(Bucket="reviews", CreateBucketConfiguration={"LocationConstraint": REGION})
    world.write("seen", data_stack("seen", "one"))
    (world.folder / "answers.md").write_text("**Hello** becomes *Hi*.\n")

    variables = world.plan("seen", "--review-bucket", "reviews", "--behaviour", "answers.md")

    digest, url = variables["PLAN_SHA256"], variables["REVIEW_URL"]
    assert f"/reviews/{digest}.html" in url
    answer = requests.get(url, timeout=10)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>seen: 1 to add</h1>" in answer.text
    assert "<strong>Hello</strong> becomes" in answer.text
    assert f"<code>{digest}</code> for seen" in answer.text
    (record,) = world.records("seen")
    assert record["plan"]["review"] == url


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--behaviour", "missing.md"], 2, "missing.md cannot be read (No such file or directory)"),
        (["--behaviour", "binary.md"], 2, "binary.md is no text in UTF-8"),
        (["--days", "0"], 2, "'0' is no number of days, from 1 to 365"),
        (["--review-bucket", "missing"], 1, "the review cannot be put into bucket missing: "),
    ],
)
def test_what_a_plan_cannot_do_is_said_in_one_line(world: World, options: list[str], code: int, said: str) -> None:
    """And no plan is left behind that could be applied."""
    world.write("mine", data_stack("mine", "one"))
    (world.folder / "binary.md").write_bytes(b"\xff\xfe")

    done = world.delivery("plan", "--stack", "mine", "--out", "plans/mine", *options)

    assert (done.returncode, said in done.stderr.splitlines()[-1]) == (code, True)
    assert "Traceback" not in done.stderr
    assert world.records("mine") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_apply_saves_what_it_did(world: World, number: signal.Signals) -> None:
    """Terraform gets one request to stop, however many come: the state is saved, and the lock free."""
    greeting = {"first": {"input": "one"}}
    slow = {"input": "two", "depends_on": ["terraform_data.first"]}
    wait = {"provisioner": [{"local-exec": {"command": "touch started; exec sleep 60"}}]}
    folder = world.write("slow", stack("slow", {"terraform_data": greeting | {"slow": slow | wait}}))
    digest = world.plan("slow")["PLAN_SHA256"]
    command = [sys.executable, "-m", "delivery", "apply", "--stack", "slow", "--plan", "plans/slow", "--sha256", digest]
    process = subprocess.Popen(
        command, cwd=world.folder, env=world.environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    os.killpg(process.pid, number)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 130, said
    assert "one" in world.values("slow")
    assert world.client("dynamodb").scan(TableName=LOCKS, FilterExpression="attribute_exists(Info)")["Items"] == []


def test_a_locked_state_names_who_holds_it(world: World) -> None:
    """Someone waiting learns who else is at work, and how to free a lock that is surely dead."""
    world.write("locked", data_stack("locked", "one"))
    info = {"ID": "11111111-2222-3333-4444-555555555555", "Who": "ann@laptop", "Created": "2026-11-22T10:00:00Z"}
    world.client("dynamodb").put_item(
        TableName=LOCKS,
        Item={"LockID": {"S": f"{BUCKET}/locked/terraform.tfstate"}, "Info": {"S": json.dumps(info)}},
    )

    done = world.delivery("plan", "--stack", "locked", "--out", "plans/locked", TF_CLI_ARGS_plan="-lock-timeout=0s")

    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "locked by ann@laptop since 2026-11-22" in last
    assert last.endswith("python -m delivery terraform locked -- force-unlock 11111111-2222-3333-4444-555555555555")


def test_an_unknown_stack_is_answered_with_those_there_are(world: World) -> None:
    """A typo costs one line and no Terraform."""
    done = world.delivery("plan", "--stack", "../state", "--out", "plans/x")

    assert done.returncode == 2
    assert done.stderr == "no stack '../state' in cdktf.out/stacks: there are pipeline, state\n"
