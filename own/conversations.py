"""Replaces the tests that talked to the first bot by two to go on from."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatbot.learn.lessons import Lesson

FOLDER = Path("tests/conversations")
FILE = "first.yaml"
TEXT = """\
# What the bot is asked, and the section it has to answer from; null where it must not answer.
- {{ask: {title}, source: {id}}}
- {{ask: "Who won the world cup in 1974?", source: null}}
"""


def replace(root: Path, sections: "Sequence[Lesson]") -> None:
    """Remove the tests of ``root``, and write a pair for a bot that knows ``sections``."""
    for path in (root / FOLDER).glob("*.yaml"):
        path.unlink()
    (root / FOLDER).mkdir(exist_ok=True)
    # JSON's strings are YAML's.
    title, id = (json.dumps(value, ensure_ascii=False) for value in (sections[0].title, sections[0].id))
    (root / FOLDER / FILE).write_text(TEXT.format(title=title, id=id), encoding="utf-8")
