"""Reads conversation tests: what is asked, turn by turn, and what the answers must be. It is not shipped.

`python -m chatbot.examine.dialogues FOLDER` prints what can be asked without what was said before, as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.contract import TURNS
from chatbot.learn.mistakes import KnowledgeError
from chatbot.learn.yamlfile import YamlFile

if TYPE_CHECKING:
    from chatbot.learn.yamlfile import Node

EXAMPLE = "ask: What does it cost?"


@dataclass(frozen=True)
class Step:
    """One question, and what is expected of its answer."""

    place: str
    ask: str
    sources: tuple[str, ...]
    """The ids of the sections of which any may answer; none where the bot must not answer."""
    says: tuple[str, ...] = ()
    """Words that must stand in the reply."""
    never_says: tuple[str, ...] = ()
    """Words that must not."""


@dataclass(frozen=True)
class Dialogue:
    """One conversation; its kind is the name of its file."""

    kind: str
    steps: tuple[Step, ...]


def read_dialogues(folder: Path) -> list[Dialogue]:
    """Return every conversation test below a folder; raises KnowledgeError naming file and line of a mistake."""
    if not folder.is_dir():
        raise KnowledgeError(f"{folder}: no such folder; give the folder that holds the conversation tests")
    found = [dialogue for file in sorted(folder.rglob("*.yaml")) for dialogue in _dialogues(file)]
    if not found:
        raise KnowledgeError(f"{folder}: no conversation test; add a file that ends in .yaml")
    return found


def _dialogues(file: Path) -> Iterator[Dialogue]:
    source = YamlFile(file)
    try:
        node = source.read(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise KnowledgeError(f"{file}: the file is not UTF-8; save it as UTF-8") from None
    for item in source.items(node) if node is not None else ():
        fields = {name.value: value for name, value in source.fields(item, example=EXAMPLE)}
        turns = source.items(fields["turns"]) if set(fields) == {"turns"} else [item]
        if not 0 < len(turns) <= TURNS:
            raise source.mistake(item, f"a conversation has from 1 to {TURNS:,} turns, not {len(turns):,}")
        yield Dialogue(file.stem, tuple(_step(turn, source) for turn in turns))


def _step(node: Node, source: YamlFile) -> Step:
    fields = {name.value: value for name, value in source.fields(node, example=EXAMPLE)}
    if unknown := fields.keys() - {"ask", "source", "says", "never_says"}:
        raise source.mistake(node, f"{min(unknown)!r} is no field; there are 'ask', 'source', 'says' and 'never_says'")
    if missing := {"ask", "source"} - fields.keys():
        raise source.mistake(node, f"'{min(missing)}' is missing; a source is the id of a section, or null")
    wanted = fields["source"]
    return Step(
        place=source.place(node),
        ask=source.text(fields["ask"]),
        sources=() if source.is_null(wanted) else source.texts(wanted),
        says=source.texts(fields["says"]) if "says" in fields else (),
        never_says=source.texts(fields["never_says"]) if "never_says" in fields else (),
    )


def main(folder: Path) -> int:
    try:
        print(json.dumps([dialogue.steps[0].ask for dialogue in read_dialogues(folder)]))
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:])))
