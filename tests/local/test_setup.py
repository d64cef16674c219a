"""Set-up by the Makefile itself, in a folder of its own that locks next to nothing, so that it is over in seconds."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = "setting up: Python packages are installed"
WAITING = "setting up: another command is at it in this folder; waiting for it to end …"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What set-up reads of a checkout, with no package to download."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "delivery", tmp_path / "delivery", ignore=shutil.ignore_patterns("__pycache__"))
    categories = ("default", "develop", "delivery", "lambda", "learn")
    (tmp_path / "Pipfile.lock").write_text(json.dumps({name: {} for name in categories}))
    package = {"name": "parley", "version": "1.0.0", "dependencies": {"here": "file:here"}}
    here = {"name": "here", "version": "1.0.0"}
    packages = {"": package, "here": here, "node_modules/here": {"resolved": "here", "link": True}}
    (tmp_path / "here").mkdir()
    for name, content in {
        "package.json": package,
        "here/package.json": here,
        "package-lock.json": {"lockfileVersion": 3, "packages": packages},
    }.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def begin(*command: str, folder: Path) -> "subprocess.Popen[str]":
    """Start a command as somebody would in another terminal."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=clean,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def set_up(folder: Path) -> "subprocess.Popen[str]":
    """Start ``make setup``."""
    return begin("make", "setup", f"PYTHON={sys.executable}", folder=folder)


def test_two_commands_that_set_up_the_same_folder_at_once_do_it_once(checkout: Path) -> None:
    """Neither removes what the other has installed."""
    first, second = set_up(checkout), set_up(checkout)
    said = [process.communicate(timeout=120)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert [INSTALLED in text for text in said].count(True) == 1
    assert set_up(checkout).communicate(timeout=60)[0] == "", "a third has nothing to do"


def test_set_up_says_that_it_waits_and_goes_on_when_the_other_is_stopped(checkout: Path) -> None:
    """A lock ends with whoever holds it, so nothing has to be removed by hand."""
    holder = begin(
        sys.executable, "-m", "delivery.alone", ".tools/setup.lock", "sh", "-c", "echo held; cat", folder=checkout
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    waiting = set_up(checkout)
    assert waiting.stdout
    assert waiting.stdout.readline().strip() == WAITING
    assert not (checkout / ".venv").exists()
    holder.kill()
    holder.communicate(timeout=60)
    assert INSTALLED in waiting.communicate(timeout=120)[0]
    assert waiting.returncode == 0


def test_a_python_that_is_not_there_is_named_before_anything_is_installed(checkout: Path) -> None:
    """One line says what is missing and what to do."""
    process = begin("make", "setup", "PYTHON=python-of-nowhere", folder=checkout)
    said = process.communicate(timeout=60)[0]
    assert said.splitlines()[0].startswith("Python 3.13 is missing: install it, or say where it is")
    assert process.returncode == 2
    assert not (checkout / ".venv").exists()


def test_an_npm_that_is_not_there_is_named_before_anything_is_installed(checkout: Path, tmp_path: Path) -> None:
    """Nobody waits for Python's packages to hear of it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("make", "sh", "cksum", "cut", "sed", "echo", "mkdir", "touch", "cat"):
        (programs / name).symlink_to(str(shutil.which(name)))
    process = begin("env", f"PATH={programs}", "make", "setup", f"PYTHON={sys.executable}", folder=checkout)
    said = process.communicate(timeout=60)[0]
    assert said.splitlines()[0] == "npm is missing: install Node.js with npm"
    assert process.returncode == 2
    assert not (checkout / ".venv").exists()


def test_a_virtual_environment_that_does_not_run_is_made_anew(checkout: Path) -> None:
    """A folder that was moved, or a Python that was removed, leaves one behind."""
    set_up(checkout).communicate(timeout=120)
    (checkout / ".venv/bin/python").unlink()
    assert INSTALLED in set_up(checkout).communicate(timeout=120)[0]
    assert (checkout / ".venv/bin/python").exists()
