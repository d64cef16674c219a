"""Builds of the knowledge, asked by their own code: as commands, since nothing of the bot is imported here."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from delivery.errors import UsageError
from delivery.printable import one_line

INDEX: Final = "chatbot/knowledge.index"
ASKED_BY: Final = "chatbot/ask.py"
ASK_SECONDS: Final = 120
LEARN_SECONDS: Final = 600


@dataclass(frozen=True)
class Section:
    """One answer of a build, and the ways to ask for it that it was taught."""

    id: str
    title: str
    text: str
    asked: tuple[str, ...]


@dataclass(frozen=True)
class Build:
    """What a build of the knowledge says."""

    sections: Mapping[str, Section]
    answers: Mapping[str, str | None]
    """The section that answers each question, by its id; None where none does."""


@dataclass(frozen=True)
class Program:
    """What can be asked: an index, and the sources that answer from it."""

    name: str
    sources: Path
    index: Path

    @classmethod
    def of(cls, root: Path, path: Path, folder: Path, name: str) -> "Program":
        """Make a build ready in ``folder``, whatever form it has; messages call it ``name``."""
        folder.mkdir()
        if path.is_dir():
            index = folder / "knowledge.index"
            learn = ["-m", "chatbot.learn", str(path.resolve()), str(index)]
            _run(learn, sources=root / "lambda", said=name, seconds=LEARN_SECONDS)
            return cls(name, root / "lambda", index)
        if zipfile.is_zipfile(path):
            _unpack(path, folder, name)
            return cls(name, folder, folder / INDEX)
        if not path.is_file():
            raise UsageError(f"{name}: there is no such package, index or folder of knowledge")
        return cls(name, root / "lambda", path.resolve())

    def ask(self, questions: Sequence[str]) -> Build:
        """Return what the build says to ``questions``."""
        command = ["-m", "chatbot.ask", str(self.index)]
        printed = _run(command, sources=self.sources, said=self.name, seconds=ASK_SECONDS, given=json.dumps(questions))
        try:
            said = json.loads(printed)
            sections = {section.id: section for section in map(_section, said["sections"])}
            return Build(sections, dict(zip(questions, said["answers"], strict=True)))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(f"{self.name} answers in a way of its own: another version's?") from error


def _unpack(package: Path, folder: Path, name: str) -> None:
    """Unpack the bot's own part of a package, if it is one that can be asked."""
    with zipfile.ZipFile(package) as archive:
        names = [each for each in archive.namelist() if each.startswith("chatbot/")]
        if INDEX not in names or ASKED_BY not in names:
            raise UsageError(f"{name} holds no {INDEX} that can be asked: it is no package, or an older one")
        archive.extractall(folder, names)


def _run(command: Sequence[str], *, sources: Path, said: str, seconds: int, given: str = "") -> str:
    """Run a module of the bot, without this process's environment: nothing secret reaches a package's code."""
    environment = {"PYTHONPATH": str(sources), "PATH": os.environ.get("PATH", os.defpath), "PYTHONUTF8": "1"}
    try:
        run = subprocess.run(
            [sys.executable, "-B", *command],
            input=given,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{said}: no answer within {seconds} s") from error
    if run.returncode:
        reason = one_line((run.stderr.strip().splitlines() or ["it gave no reason"])[-1])
        raise UsageError(reason if reason.startswith(said) else f"{said}: {reason}")
    return run.stdout


def _section(found: Mapping[str, Any]) -> Section:
    return Section(str(found["id"]), str(found["title"]), str(found["text"]), tuple(map(str, found["asked"])))


def questions_in(root: Path, path: Path) -> list[str]:
    """Return what the conversation tests of a folder ask, or the lines of a file; raises ``UsageError``."""
    if path.is_dir():
        command = ["-m", "chatbot.examine.dialogues", str(path.resolve())]
        return list(json.loads(_run(command, sources=root / "lambda", said=str(path), seconds=ASK_SECONDS)))
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}): give a folder of tests, or a file of questions") from error
