"""Replaces what the bot knows, and puts aside what its tests were written for."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from own.errors import OwnError

if TYPE_CHECKING:
    from chatbot.learn.lessons import Lesson

STARTER = Path(__file__).with_name("starter")
KNOWLEDGE, ASIDE = Path("knowledge"), Path("tests/unit/chatbot/knowledge")
RULES = "README.md"


def files(folder: Path) -> Iterator[Path]:
    """The files of a folder that a bot learns."""
    return (path for path in sorted(folder.rglob("*.md")) if path.name.lower() != RULES.lower())


def starter(name: str, folder: Path) -> Path:
    """Write a first few sections into ``folder`` and return it."""
    for path in files(STARTER):
        text = Template(path.read_text(encoding="utf-8")).substitute(name=name)
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


def learned(root: Path, folder: Path) -> "list[Lesson]":
    """Return the sections that a bot learns from ``folder``.

    Raises ``OwnError`` where it cannot, in the words of what learns it.
    """
    if not folder.is_dir():
        raise OwnError(f"--knowledge {folder}: there is no such folder")
    if not any(files(folder)):
        raise OwnError(f"--knowledge {folder}: there is no Markdown file in it; see {KNOWLEDGE / RULES}")
    if (root / KNOWLEDGE).resolve() in (folder.resolve(), *folder.resolve().parents):
        raise OwnError(f"--knowledge {folder}: that is where the knowledge is going to be; edit it there")
    with tempfile.TemporaryDirectory() as output:
        command = [sys.executable, "-m", "chatbot.learn", str(folder), str(Path(output) / "index")]
        environment = os.environ | {"PYTHONPATH": str(root / "lambda")}
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        said = run.stderr.strip().splitlines() or ["it gave no reason"]
        raise OwnError(f"the knowledge cannot be learned: {said[-1]}")
    sys.path.insert(0, str(root / "lambda"))
    from chatbot.learn import read

    return read(folder)


def replace(root: Path, folder: Path) -> None:
    """Put ``folder`` in the place of ``root``'s knowledge.

    What was there goes to the tests of the search the first time, since these speak of it; then it goes.
    """
    first = not (root / ASIDE).exists()
    for path in files(root / KNOWLEDGE):
        kept = root / ASIDE / path.relative_to(root / KNOWLEDGE)
        if first:
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, kept)
        else:
            path.unlink()
    for path in files(folder):
        new = root / KNOWLEDGE / path.relative_to(folder)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, new)


def is_parleys(root: Path) -> bool:
    """Whether the knowledge is still that of this repository's first bot."""
    about = root / KNOWLEDGE / "about.md"
    return about.is_file() and bool(re.match("# About Parley\n", about.read_text(encoding="utf-8")))
