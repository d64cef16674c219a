"""Commands used wrongly by hand: one line that says what, where and what to do, and nothing is lost by it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rehearsal.deliveries import BUCKET, LOCKS, REGION, ROOT, World, data_stack, emulated_aws, prepared_account


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A project with stack ``mine``, planned and not applied, and the plan's digest."""
    with emulated_aws() as endpoint:
        world = prepared_account(tmp_path_factory.mktemp("original"), endpoint)
        world.write("mine", data_stack("mine", "one"))
        (world.folder / "a-file").touch()
        yield world, world.plan("mine")["PLAN_SHA256"]


@pytest.fixture
def planned(original: tuple[World, str], tmp_path: Path) -> tuple[World, str]:
    """The same in a folder of the test's own."""
    world, digest = original
    shutil.copytree(world.folder, tmp_path / "copy")
    return replace(world, folder=tmp_path / "copy"), digest


PLAN = ("plan", "--stack", "mine", "--out")
WRONG = [
    ((*PLAN, "a-file"), 2, "no plan can be put into a-file (File exists): name another folder"),
    ((*PLAN, "a-file/x"), 2, "no plan can be put into a-file/x (Not a directory): name another folder"),
    (("recover", "--environment", "mien"), 2, "no stack is of environment 'mien': there are mine, pipeline, state"),
    (("recover", "--environment", ""), 2, "no stack is of environment '': there are mine, pipeline, state"),
    (("drift", "--stack", "mine", "--topic", "t", "--namespace", "n"), 2, "'t' is no ARN of an SNS topic"),
    (("retire", "--stack", "../mine", "--out", "x"), 2, "'../mine' is no name of a stack"),
    (("apply", "--stack", "mine", "--plan", "plans/mine", "--sha256", "ä"), 10, "not ä; nothing was applied"),
    (("apply", "--stack", "mine", "--plan", "plans/mine", "--sha256", "a\nb"), 10, "not a b; nothing was applied"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG, ids=[each[2] for each in WRONG])
def test_a_mistake_is_answered_in_one_line(
    original: tuple[World, str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """With what is wrong, where, and the exit code of its kind."""
    world, _ = original

    done = world.delivery(*arguments)

    assert (done.returncode, done.stderr.count("\n"), said in done.stderr) == (code, 1, True), done.stderr


def damage(name: str, text: str) -> Callable[[World], None]:
    """A file of the project that holds something else."""
    return lambda world: (world.folder / name).write_text(text) and None


@pytest.fixture
def bare(original: tuple[World, str]) -> Iterator[tuple[World, str]]:
    """The same in an account whose state bucket is not there."""
    s3 = original[0].client("s3")
    s3.delete_bucket(Bucket=BUCKET)
    yield original
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


@pytest.mark.parametrize(
    "arguments",
    [
        ("orphans",),
        ("retire", "--stack", "gone", "--out", "x"),
        ("keep", "--stack", "mine"),
        ("apply", "--stack", "mine", "--plan", "plans/mine", "--sha256", "DIGEST", "--keep"),
    ],
)
def test_without_a_state_bucket_every_command_says_to_bootstrap(
    bare: tuple[World, str], arguments: tuple[str, ...]
) -> None:
    """In one line, as one who has not bootstrapped yet needs no more."""
    world, digest = bare

    done = world.delivery(*(argument.replace("DIGEST", digest) for argument in arguments))

    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert BUCKET in done.stderr
    assert done.stderr.endswith(": there is no such bucket; run `python -m delivery bootstrap` first\n")


PIPE = 128 + signal.SIGPIPE


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("recover", "--environment", "mine"), PIPE),
        ((*PLAN, "piped"), PIPE),
        # rich's tables and argparse's help end by their own rules.
        (("history",), 1),
        (("--help",), 0),
    ],
)
def test_a_reader_that_has_gone_is_no_error_of_ours(
    original: tuple[World, str], arguments: tuple[str, ...], code: int
) -> None:
    """As with ``| head``: the shell is told that it was the pipe, and nobody sees a traceback."""
    world, _ = original
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "delivery", *arguments]
        done = subprocess.run(
            command, cwd=world.folder, env=world.environment, stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)

    assert done.returncode == code, done.stderr
    assert "Broken pipe" not in done.stderr
    assert "Traceback" not in done.stderr


EARLY = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, *_):
        if name == "delivery.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
"""


def test_ctrl_c_before_the_command_line_is_read_is_one_line(tmp_path: Path) -> None:
    """Somebody changed their mind at once, while modules are still imported."""
    (tmp_path / "sitecustomize.py").write_text(EARLY)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "delivery", "history"]

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (130, "interrupted\n")


DEEP = "[" * 100_000
STATE, MINE = "cdktf.out/stacks/state/cdk.tf.json", "cdktf.out/stacks/mine/cdk.tf.json"
APPLY = ("apply", "--stack", "mine", "--plan", "plans/mine", "--sha256", "DIGEST")
COMPARE = (*PLAN, "x", "--before", "plans/mine")
DAMAGED = [
    (damage(STATE, "[]"), ("history",), 2, "state/cdk.tf.json holds no stack: run `make synth` again"),
    (damage(STATE, '{"resource": []}'), ("history",), 2, "stack state makes no ledger"),
    (damage(STATE, '{"terraform": []}'), ("orphans",), 2, "stack state has no S3 backend"),
    (damage(MINE, DEEP), ("recover", "--environment", "mine"), 2, "mine/cdk.tf.json is not JSON"),
    (damage("plans/mine/record.json", DEEP), APPLY, 11, "record.json does not tell what the plan is"),
    (damage("plans/mine/plan.json", "[]"), COMPARE, 2, "holds no plan of an earlier environment"),
    (damage("plans/mine/plan.json", DEEP), COMPARE, 2, "holds no plan of an earlier environment"),
]


@pytest.mark.parametrize(("harm", "arguments", "code", "said"), DAMAGED)
def test_a_damaged_file_is_named(
    planned: tuple[World, str], harm: Callable[[World], None], arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Whatever lies in its place."""
    world, digest = planned
    harm(world)

    done = world.delivery(*(digest if each == "DIGEST" else each for each in arguments))

    assert (done.returncode, done.stderr.count("\n"), said in done.stderr) == (code, 1, True), done.stderr[-300:]


def test_an_endpoint_that_is_none_is_named(original: tuple[World, str]) -> None:
    """The variable that it comes from, too."""
    world, _ = original

    done = world.delivery("history", AWS_ENDPOINT_URL="not an address")

    assert (done.returncode, done.stderr) == (
        1,
        "AWS's SDK cannot be set up: Invalid endpoint: not an address; see AWS_ENDPOINT_URL and ~/.aws/config\n",
    )


def test_outputs_that_cannot_be_written_are_found_before_the_plan_is_used_up(original: tuple[World, str]) -> None:
    """Afterwards nobody could have them any more: a plan is applied once."""
    world, digest = original

    done = [world.delivery(*APPLY[:-1], digest, "--outputs", place) for place in ("plans", "a-file/outputs.env")]

    assert [each.returncode for each in done] == [2, 2]
    assert done[0].stderr == "no outputs can be put into plans, which is a folder; nothing was applied\n"
    assert done[1].stderr == "no outputs can be put into a-file (File exists); nothing was applied\n"
    assert world.outcome("mine", digest) == ("planned", "")


def test_an_output_with_a_dash_in_its_name_can_be_sourced(planned: tuple[World, str]) -> None:
    """Terraform lets names have one, a shell does not."""
    world, _ = planned
    configuration = data_stack("dash", "one")
    configuration["output"] = {"api-url": {"value": "https://example.org/"}}
    world.write("dash", configuration)

    done = world.apply("dash", world.plan("dash")["PLAN_SHA256"])

    assert done.returncode == 0, done.stderr
    assert world.sourced("outputs.env")["API_URL"] == "https://example.org/"


def test_a_lock_table_that_is_not_there_is_not_said_to_be_locked(tmp_path: Path) -> None:
    """Nobody holds the lock, so nobody can be waited for."""
    with emulated_aws() as endpoint:
        world = prepared_account(tmp_path, endpoint)
        world.write("mine", data_stack("mine", "one"))
        world.client("dynamodb").delete_table(TableName=LOCKS)

        done = world.delivery(*PLAN, "x", TF_CLI_ARGS_plan="-lock-timeout=1s")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "terraform plan failed in stack mine: there is no lock table yet: "
        "run `.venv/bin/python -m delivery bootstrap` first"
    )
    assert list((tmp_path / "x").iterdir()) == []
