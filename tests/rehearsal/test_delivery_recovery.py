"""An apply that is killed: what is saved, what stays open, and that the way out which is printed leads out."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.errors import Refusal
from tests.rehearsal.deliveries import World, prepared_account, stack


@pytest.fixture
def world(tmp_path: Path, endpoint: str) -> World:
    """A project with a stack whose apply takes as long as the file ``wait`` is there."""
    world = prepared_account(tmp_path, endpoint)
    wait = {"command": f"touch {tmp_path}/started; while [ -e {tmp_path}/wait ]; do sleep 0.1; done"}
    slow = {"input": "two", "depends_on": ["terraform_data.first"], "provisioner": [{"local-exec": wait}]}
    world.write("slow", stack("slow", {"terraform_data": {"first": {"input": "one"}, "slow": slow}}))
    (tmp_path / "wait").touch()
    return world


def kill(world: World, digest: str, *, terraform_too: bool) -> None:
    """Kill an apply in the middle, as a machine does that has run out of memory, or of power."""
    run = world.applying("slow", digest)
    eventually((world.folder / "started").exists)
    (terraform,) = (int(pid) for pid in children(run.pid))
    os.kill(run.pid, signal.SIGKILL)
    if terraform_too:
        os.killpg(terraform, signal.SIGKILL)
    # Terraform is waiting still; what it was asked to do first is to stop.
    eventually(lambda: not Path(f"/proc/{terraform}").exists())
    (world.folder / "wait").unlink()
    with run:
        run.communicate(timeout=60)


def children(pid: int) -> list[str]:
    """The processes that ``pid`` started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def follow(world: World, said: str) -> None:
    """Run every command of ``delivery`` that was printed, as a person who answers yes."""
    commands = re.findall(
        r": \.venv/bin/python -m (delivery (?:terraform \S+ -- force-unlock|recover) .+)$", said, re.MULTILINE
    )
    assert commands
    for command in commands:
        words = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(
            words, cwd=world.folder, env=world.environment, input="yes\n", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_apply_that_was_killed_is_explained_and_can_be_recovered(world: World) -> None:
    """Terraform lives on to save its state; the ledger stays open, refuses a second try, and says the way out."""
    digest = world.plan("slow")["PLAN_SHA256"]

    kill(world, digest, terraform_too=False)

    assert "one" in world.values("slow")
    assert world.outcome("slow", digest)[0] == "applying"
    again = world.apply("slow", digest)
    assert again.returncode == Refusal.OPEN.code
    assert again.stderr.splitlines()[-1].endswith("python -m delivery recover --environment slow")

    told = world.delivery("recover", "--environment", "slow").stdout
    assert f"slow: plan {digest[:12]} of commit unknown was taken at" in told
    assert "is not locked" in told
    assert "Terraform saved what it had done" in told
    follow(world, told)

    assert world.outcome("slow", digest)[0] == "interrupted"
    left = world.plan("slow")
    assert left["SUMMARY"].startswith("slow: 1 to ")
    assert world.apply("slow", left["PLAN_SHA256"]).returncode == 0
    assert sorted(world.values("slow")) == ["one", "two"]
    assert "nothing to recover" in world.delivery("recover", "--environment", "slow").stdout


def test_a_killed_terraform_leaves_a_lock_that_is_explained_and_freed(world: World) -> None:
    """The record cannot be closed before the lock is free; following the steps in their order frees both."""
    digest = world.plan("slow")["PLAN_SHA256"]

    kill(world, digest, terraform_too=True)

    (lock,) = world.locked()
    refused = world.delivery("recover", "--environment", "slow", "--close")
    assert (refused.returncode, f"force-unlock {lock}" in refused.stderr) == (1, True)
    assert world.outcome("slow", digest)[0] == "applying"
    told = world.delivery("recover", "--environment", "slow").stdout
    assert re.search(rf"the state of slow is locked by \S+@\S+ since .*OperationTypeApply, id {lock}", told)
    assert "nothing that Terraform did is saved" in told
    follow(world, told)

    assert world.locked() == []
    assert world.outcome("slow", digest)[0] == "interrupted"
    left = world.plan("slow")
    assert world.apply("slow", left["PLAN_SHA256"]).returncode == 0
    assert sorted(world.values("slow")) == ["one", "two"]


def test_a_stopped_apply_closes_its_record(world: World) -> None:
    """Whoever presses Ctrl-C leaves nothing to recover."""
    digest = world.plan("slow")["PLAN_SHA256"]
    run = world.applying("slow", digest)
    eventually((world.folder / "started").exists)

    os.killpg(run.pid, signal.SIGINT)
    with run:
        _, said = run.communicate(timeout=60)

    assert run.returncode == 130, said
    assert world.outcome("slow", digest)[0] == "interrupted"
    assert world.locked() == []
    assert "nothing to recover" in world.delivery("recover", "--environment", "slow").stdout
