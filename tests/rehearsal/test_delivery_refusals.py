"""A plan is applied once, as it was reviewed, where it was made for; any other is refused, each for its reason."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from delivery.errors import Refusal
from tests.rehearsal.deliveries import KEYS, LEDGER, World, data_stack, prepared_account

COMMIT = {"commit": "c0ffee", "release": "r1"}
ANEW = "aws codepipeline start-pipeline-execution --name acme"


@pytest.fixture
def world(tmp_path: Path, endpoint: str) -> World:
    """A project in an account with state bucket, lock table and ledger."""
    return prepared_account(tmp_path, endpoint)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> tuple[World, str]:
    """A project with stack ``mine``, planned and recorded but not applied, and the plan's digest."""
    folder = tmp_path_factory.mktemp("planned")
    world = prepared_account(folder, endpoint)
    mine = world.write("mine", data_stack("mine", "one"))
    (mine / "assets" / "zip").mkdir(parents=True)
    (mine / "assets" / "zip" / "function.zip").write_bytes(b"code")
    world.write("other", data_stack("other", "one"))
    (folder / "build").mkdir()
    (folder / "build" / "release.json").write_text(json.dumps(COMMIT))
    return world, world.plan("mine")["PLAN_SHA256"]


def alter(path: str, content: bytes | None) -> Callable[[World], None]:
    """A change of one file of the project; of nothing, its removal."""

    def change(world: World) -> None:
        file = world.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)

    return change


def rewrite(path: str, **values: object) -> Callable[[World], None]:
    """A change of members of a JSON file."""

    def change(world: World) -> None:
        file = world.folder / path
        file.write_text(json.dumps(json.loads(file.read_text()) | values))

    return change


def other_terraform(world: World) -> None:
    """A Terraform of a later version, as far as it says itself."""
    real = shutil.which("terraform")
    program = world.folder / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(
        textwrap.dedent(f"""\
            #!/bin/sh
            [ "$1" = version ] && exec echo '{{"terraform_version": "1.99.0"}}'
            exec {real} "$@"
            """)
    )
    program.chmod(0o755)


def ended(run: "subprocess.Popen[str]") -> int:
    """The exit code of an apply that was begun."""
    with run:
        run.communicate(timeout=60)
    return run.returncode


def clone(world: World) -> World:
    """The same project in another folder, as another build has it."""
    folder = world.folder.with_name(f"{world.folder.name}-clone")
    shutil.copytree(world.folder, folder)
    return replace(world, folder=folder)


TAMPERED = [
    (Refusal.ALTERED, alter("plans/mine/tfplan", b"another plan"), "is not the reviewed plan: its SHA-256 is"),
    (Refusal.ALTERED, alter("plans/mine/tfplan", None), "there is no plan at"),
    (Refusal.UNRECORDED, alter("plans/mine/record.json", None), "record.json does not tell what the plan is"),
    (Refusal.UNRECORDED, alter("plans/mine/record.json", b"{"), "record.json does not tell what the plan is"),
    (
        Refusal.UNRECORDED,
        rewrite("plans/mine/record.json", created_at="2020-01-01T00:00:00+00:00"),
        "is not the record that the ledger holds",
    ),
    (Refusal.COMMIT, rewrite("build/release.json", commit="decade"), "was made from commit c0ffee, but this is decade"),
    (Refusal.TERRAFORM, other_terraform, "was made by Terraform 1.11.4, but this is 1.99.0"),
    (Refusal.PROVIDER, alter("cdktf.out/stacks/mine/.terraform.lock.hcl", b"# else"), ".terraform.lock.hcl of mine"),
    (
        Refusal.FILES,
        rewrite("cdktf.out/stacks/mine/cdk.tf.json", output={}),
        "cdk.tf.json of mine changed after the plan was made",
    ),
    (Refusal.FILES, alter("cdktf.out/stacks/mine/assets/zip/function.zip", b"else"), "assets/zip/function.zip of mine"),
    (Refusal.FILES, alter("cdktf.out/stacks/mine/assets/more.zip", b"more"), "assets/more.zip of mine changed"),
    (Refusal.FILES, alter("cdktf.out/stacks/mine/assets/zip/function.zip", None), "assets/zip/function.zip of mine"),
]


@pytest.mark.parametrize(("refusal", "tamper", "said"), TAMPERED, ids=[f"{one[0].name}-{one[2]}" for one in TAMPERED])
def test_a_plan_that_does_not_fit_is_refused(
    planned: tuple[World, str], tmp_path: Path, refusal: Refusal, tamper: Callable[[World], None], said: str
) -> None:
    """Whatever differs from what was planned and reviewed has its own exit code, and one line that names it."""
    original, digest = planned
    shutil.copytree(original.folder, tmp_path / "copy")
    world = replace(original, folder=tmp_path / "copy")
    tamper(world)

    done = world.apply("mine", digest, PATH=f"{world.folder}/bin:{world.environment['PATH']}")

    assert (done.returncode, said in done.stderr) == (refusal.code, True), done.stderr
    assert "nothing was applied" in done.stderr.splitlines()[-1]
    assert world.values("mine") == []
    assert world.outcome("mine", digest) == ("planned", "")


def test_a_plan_for_something_else_is_refused(planned: tuple[World, str]) -> None:
    """A plan for one stack is none for another, and one for an environment none for another."""
    world, digest = planned
    shutil.copytree(world.folder / "plans/mine", world.folder / "plans/other", dirs_exist_ok=True)

    foreign = world.apply("other", digest)
    elsewhere = world.apply("mine", digest, ENVIRONMENT="prod")

    assert (foreign.returncode, "a plan for stack mine, not for other" in foreign.stderr) == (12, True)
    assert (elsewhere.returncode, "a plan for environment mine, not for prod" in elsewhere.stderr) == (13, True)
    assert world.values("mine") == world.values("other") == []


def test_a_plan_that_the_ledger_does_not_know_is_refused(world: World) -> None:
    """Whoever plans without a record cannot apply, since nothing would stop them from doing so twice."""
    world.write("mine", data_stack("mine", "one"))
    digest = world.plan("mine", "--no-record")["PLAN_SHA256"]

    done = world.apply("mine", digest)

    assert (done.returncode, "the ledger of mine knows no plan" in done.stderr) == (11, True)
    assert world.values("mine") == []


def test_a_plan_is_applied_once(world: World) -> None:
    """The ledger tells who, when and with which result; a second apply is refused, even of what was destroyed since."""
    world.write("once", data_stack("once", "one", url="https://example.org/it's"))
    variables = world.plan("once")
    digest = variables["PLAN_SHA256"]
    assert (variables["HAS_CHANGES"], variables["SUMMARY"]) == ("true", "once: 1 to add: terraform_data.greeting")

    done = world.apply("once", digest)
    assert done.returncode == 0, done.stderr
    assert world.values("once") == ["one"]
    assert world.sourced("outputs.env")["URL"] == "https://example.org/it's"
    (record,) = world.records("once")
    assert record["plan"]["state"] == {"lineage": "", "serial": 0}
    assert (record["apply"]["status"], record["apply"]["state"]["serial"]) == ("applied", 1)
    assert record["apply"]["by"].startswith("arn:aws:")
    assert record["created_at"] <= record["apply"]["started_at"] <= record["apply"]["ended_at"]

    again = world.apply("once", digest)
    world.delivery("terraform", "once", "--", "destroy", "-auto-approve")
    afterwards = world.apply("once", digest)

    for refused in (again, afterwards):
        assert (refused.returncode, "is used up: applied since" in refused.stderr) == (22, True)
        assert refused.stderr.splitlines()[-1].endswith(ANEW)
    assert world.values("once") == []


def test_a_plan_made_without_state_is_refused_once_there_is_one(world: World) -> None:
    """Terraform used to apply such a plan over whatever had come into being: hashicorp/terraform#24078."""
    world.write("first", data_stack("first", "one"))
    rival = world.plan("first")["PLAN_SHA256"]
    (world.folder / "plans/first").rename(world.folder / "plans/rival")
    assert world.apply("first", world.plan("first")["PLAN_SHA256"]).returncode == 0
    world.delivery("terraform", "first", "--", "destroy", "-auto-approve")

    shutil.rmtree(world.folder / "plans/first")
    (world.folder / "plans/rival").rename(world.folder / "plans/first")
    refused = world.apply("first", rival)

    assert (refused.returncode, "made when it had no state" in refused.stderr) == (21, True)
    assert refused.stderr.splitlines()[-1].endswith(ANEW)
    assert world.values("first") == []


def test_a_stale_plan_is_refused_for_good(world: World) -> None:
    """A plan made before someone else's apply is refused, the ledger keeps why, and no second try gets further."""
    world.write("race", data_stack("race", "one"))
    world.apply("race", world.plan("race")["PLAN_SHA256"])
    world.write("race", data_stack("race", "two"))
    digest = world.plan("race")["PLAN_SHA256"]
    world.delivery("terraform", "race", "--", "apply", "-auto-approve")

    refused, again = world.apply("race", digest), world.apply("race", digest)

    assert (refused.returncode, "the plan for race is stale: it was made on serial 1" in refused.stderr) == (20, True)
    assert refused.stderr.splitlines()[-1].endswith(ANEW)
    status, said = world.outcome("race", digest)
    assert (status, "is stale" in said) == ("refused", True)
    assert (again.returncode, "is used up: refused since" in again.stderr) == (22, True)


def test_a_state_that_was_replaced_makes_a_plan_stale(world: World) -> None:
    """Another lineage is another state, whatever its serial."""
    world.write("line", data_stack("line", "one"))
    world.apply("line", world.plan("line")["PLAN_SHA256"])
    world.write("line", data_stack("line", "two"))
    digest = world.plan("line")["PLAN_SHA256"]
    s3, where = world.client("s3"), {"Bucket": "acme-state", "Key": "line/terraform.tfstate"}
    state = json.loads(s3.get_object(**where)["Body"].read())
    s3.put_object(**where, Body=json.dumps(state | {"lineage": "11111111-2222-3333-4444-555555555555"}))

    refused = world.apply("line", digest)

    assert (refused.returncode, "of lineage 11111111" in refused.stderr) == (20, True)


def test_an_expired_plan_is_refused(world: World) -> None:
    """A plan is for a few days; after that nobody remembers what was reviewed."""
    world.write("old", data_stack("old", "one"))
    digest = world.plan("old", "--days", "3")["PLAN_SHA256"]
    path = world.folder / "plans/old/record.json"
    record = json.loads(path.read_text())
    made, expires = (datetime.fromisoformat(text) for text in (record["created_at"], record["plan"]["expires_at"]))
    assert expires - made == timedelta(days=3)

    record["plan"]["expires_at"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="seconds")
    path.write_text(json.dumps(record))
    table = boto3.resource("dynamodb", endpoint_url=world.endpoint, **KEYS).Table(LEDGER)
    table.put_item(Item=record)
    refused = world.apply("old", digest)

    assert (refused.returncode, "the plan for old expired at" in refused.stderr) == (18, True)
    assert refused.stderr.splitlines()[-1].endswith(ANEW)
    assert world.outcome("old", digest)[0] == "refused"
    assert world.values("old") == []


def test_of_two_applies_of_one_plan_one_is_refused(world: World) -> None:
    """Whoever takes the plan first applies it; the other one applies nothing, and says who did."""
    world.write("pair", data_stack("pair", "one"))
    digest = world.plan("pair")["PLAN_SHA256"]

    codes = sorted(ended(run) for run in [each.applying("pair", digest) for each in (world, clone(world))])

    assert codes[0] == 0
    assert codes[1] in (Refusal.OPEN.code, Refusal.USED.code, Refusal.NOT_EMPTY.code)
    assert world.values("pair") == ["one"]
    assert world.outcome("pair", digest)[0] == "applied"


def test_of_two_applies_of_two_plans_one_waits_and_is_refused(world: World) -> None:
    """Terraform's lock lets one at a time work on a state; the other plan is stale by then, nothing is corrupted."""
    slow = data_stack("both", "one")
    slow["resource"]["terraform_data"]["greeting"]["provisioner"] = [{"local-exec": {"command": "sleep 1"}}]
    world.write("both", slow)
    first = world.plan("both")["PLAN_SHA256"]
    other = clone(world)
    second = other.plan("both")["PLAN_SHA256"]

    codes = sorted(ended(run) for run in [world.applying("both", first), other.applying("both", second)])

    assert codes[0] == 0
    assert codes[1] in (Refusal.STALE.code, Refusal.NOT_EMPTY.code)
    assert world.values("both") == ["one"]
    assert sorted(world.outcome("both", digest)[0] for digest in (first, second)) == ["applied", "refused"]
    assert world.locked() == []


def test_an_empty_plan_applies_nothing_and_closes_its_record(world: World) -> None:
    """The history has no gap where nothing had to change."""
    world.write("same", data_stack("same", "one"))
    world.apply("same", world.plan("same")["PLAN_SHA256"])
    digest = world.plan("same")["PLAN_SHA256"]

    done = world.apply("same", digest)

    assert (done.returncode, "the plan is empty, nothing to apply" in done.stderr) == (0, True)
    assert world.outcome("same", digest) == ("applied", "")
    assert world.apply("same", digest).returncode == Refusal.USED.code


def test_a_failed_apply_is_closed_as_such(world: World) -> None:
    """What was done is saved, what failed is said, and the plan is used up."""
    failing = data_stack("fails", "one")
    failing["resource"]["terraform_data"]["broken"] = {
        "depends_on": ["terraform_data.greeting"],
        "provisioner": [{"local-exec": {"command": "exit 3"}}],
    }
    world.write("fails", failing)
    digest = world.plan("fails")["PLAN_SHA256"]

    done = world.apply("fails", digest)

    assert done.returncode == 1
    status, said = world.outcome("fails", digest)
    assert (status, "terraform apply failed in stack fails" in said) == ("failed", True)
    assert "one" in world.values("fails")
    assert world.apply("fails", digest).returncode == Refusal.USED.code


def test_help_lists_every_reason_with_its_exit_code() -> None:
    """Whoever meets a code finds what it means."""
    done = subprocess.run([sys.executable, "-m", "delivery", "apply", "--help"], capture_output=True, text=True)

    listed = dict(re.findall(r"^  (\d+) when (.*)$", done.stdout, re.MULTILINE))
    assert listed == {str(each.code): each.meaning for each in Refusal}
