"""Reads the lines between `---` at the top of a knowledge file: what they say of it, or one clear line on a mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from chatbot.learn.mistakes import KnowledgeError
from chatbot.learn.yamlfile import YamlFile

if TYPE_CHECKING:
    from pathlib import Path

    from chatbot.learn.yamlfile import Node

FENCE = "---"
EXAMPLE = "language: en"
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""A tag such as `en` or `pt-BR`: https://www.rfc-editor.org/info/bcp47"""


@dataclass(frozen=True)
class FrontMatter:
    """What the top of a file says about all of it."""

    language: str | None = None
    tags: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """Other ways to ask for the file's only section."""
    asked_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Other ways to ask, by the title of a section."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where each of those titles stands, and where `asked` does, under an empty title."""


def split(text: str, file: Path) -> tuple[FrontMatter, str]:
    """Return a file's front matter and its text, on the lines where it stood.

    Raises KnowledgeError for what is no front matter that this program knows.
    """
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != FENCE:
        return FrontMatter(), text
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == FENCE), None)
    if end is None:
        raise KnowledgeError(f"{file}:1: the front matter has no end; close it with a line '{FENCE}'")
    front = _read("\n".join(lines[1:end]), YamlFile(file, line=2))
    return front, "\n" * (end + 1) + "\n".join(lines[end + 1 :])


def _read(text: str, source: YamlFile) -> FrontMatter:
    front, node = FrontMatter(), source.read(text)
    seen: set[str] = set()
    if node is not None:
        for name, value in source.fields(node, example=EXAMPLE):
            if _field(name) in seen:
                raise source.mistake(name, f"{name.value!r} is here a second time; write it once")
            seen.add(_field(name))
            front = _with(front, name, value, source)
    return front


def _with(front: FrontMatter, name: yaml.ScalarNode, value: Node, source: YamlFile) -> FrontMatter:
    match _field(name):
        case "language":
            return replace(front, language=_language(value, source))
        case "tags":
            return replace(front, tags=source.texts(value))
        case "also asked" if isinstance(value, yaml.MappingNode):
            pairs = list(source.fields(value, example="The title: [a way to ask]"))
            asked_of = {title.value: source.texts(asked) for title, asked in pairs}
            return replace(front, asked_of=asked_of, places={title.value: source.place(title) for title, _ in pairs})
        case "also asked":
            return replace(front, asked=source.texts(value), places={"": source.place(name)})
        case _:
            raise source.mistake(
                name, f"{name.value!r} is no field here; there are 'language', 'tags' and 'also asked'"
            )


def _field(name: yaml.ScalarNode) -> str:
    return str(name.value).lower().replace("_", " ").replace("-", " ")


def _language(node: Node, source: YamlFile) -> str:
    language = source.text(node)
    if not LANGUAGE.fullmatch(language):
        raise source.mistake(node, f"{language!r} is no language; write a tag such as 'en' or 'pt-BR'")
    return language
