"""Builds of a bot in all their forms: a folder of knowledge, its index, the package of a function."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEFORE = """\
# Shop

## When are you open?

Also asked: opening times

From Tuesday to Saturday, until six in the evening.

## Do you repair kettles?

Also asked: mend my kettle

Yes.
"""
AFTER = """\
# Shop

## When are you open?

Also asked: opening times

From Tuesday to Saturday, until | seven in the <evening>.

## Do you deliver abroad?

Also asked: shipping to other countries

No.
"""


def folder(path: Path, text: str) -> Path:
    """Write knowledge into a new folder."""
    path.mkdir()
    (path / "shop.md").write_text(text)
    return path


def learned(path: Path, index: Path) -> Path:
    """Learn a folder of knowledge."""
    command = [sys.executable, "-m", "chatbot.learn", str(path), str(index)]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT / "lambda")}, check=True)
    return index


def package(index: Path, path: Path) -> Path:
    """A package with the bot's shipped sources, as Lambda has them."""
    with zipfile.ZipFile(path, "w") as archive:
        for source in (ROOT / "lambda" / "chatbot").glob("*.py"):
            archive.write(source, f"chatbot/{source.name}")
        archive.write(index, "chatbot/knowledge.index")
    return path
