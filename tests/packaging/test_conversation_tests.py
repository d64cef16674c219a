"""The conversation tests as the Build stage runs them: by the Pipfile's command, with the settings' accuracy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("stacks", "lambda", "Pipfile", "Pipfile.lock")
RIGHT, WRONG = "- {ask: opening times, source: shop#when-are-you-open}\n", "- {ask: opening times, source: null}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a shop's knowledge, the settings and commands of this one, and what set-up installed."""
    for name in COPIED:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "shop.md").write_text(
        "# Shop\n\n## When are you open?\n\nAlso asked: opening times\n\nFrom Tuesday to Saturday.\n"
    )
    settings = tmp_path / "stacks" / "settings.py"
    settings.write_text(re.sub(r"answer_accuracy=\d+", "answer_accuracy=75", settings.read_text()))
    return tmp_path


@pytest.mark.parametrize(
    ("cases", "code", "said"),
    [(3 * RIGHT + WRONG, 0, ""), (2 * RIGHT + WRONG, 1, "66.7 % of 3 right, at least 75 % wanted\n")],
)
def test_the_build_fails_below_the_accuracy_of_the_settings(project: Path, cases: str, code: int, said: str) -> None:
    """With one line; at that accuracy it goes on."""
    folder = project / "tests" / "conversations"
    folder.mkdir(parents=True)
    (folder / "shop.yaml").write_text(cases)
    quiet = {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_VERBOSITY": "-1"}

    done = subprocess.run(
        [sys.executable, "-m", "pipenv", "run", "converse"],
        cwd=project,
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.endswith(said)) == (code, True)
    assert "shop.yaml" in done.stdout
