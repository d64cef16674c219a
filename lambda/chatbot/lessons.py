"""Reads the knowledge files: what their authors wrote, section by section, or one clear line on what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ALSO_ASKED = "also asked:"


class KnowledgeError(ValueError):
    """A knowledge file cannot be learned; the message names the file, the line and what to do."""


@dataclass(frozen=True)
class Heading:
    """A heading of level one or two, with the lines of text below it."""

    file: Path
    line: int
    level: int
    title: str
    body: tuple[str, ...]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Lesson:
    """One section as its author wrote it."""

    id: str
    title: str
    topic: str
    text: str
    phrasings: tuple[str, ...]
    place: str


def read_lessons(file: Path, *, folder: Path) -> Iterator[Lesson]:
    """Yield the sections of a file; raises KnowledgeError when it cannot be learned."""
    topic, *questions = _headings(file)
    name = file.relative_to(folder).with_suffix("").as_posix()
    sections = [topic, *questions] if any(line.strip() for line in topic.body) else questions
    if not sections:
        raise KnowledgeError(f"{topic.place}: the topic {topic.title!r} holds no text; write a section under it")
    for heading in sections:
        yield _lesson(heading, topic=topic.title, file_name=name)


def _lesson(heading: Heading, *, topic: str, file_name: str) -> Lesson:
    lines = [line.rstrip() for line in heading.body]
    first = next((index for index, line in enumerate(lines) if line), 0)
    phrasings: tuple[str, ...] = ()
    if lines and lines[first].lower().startswith(ALSO_ASKED):
        asked = lines[first][len(ALSO_ASKED) :].split("|")
        phrasings = tuple(phrasing.strip() for phrasing in asked if phrasing.strip())
        lines = lines[first + 1 :]
    text = "\n".join(lines).strip()
    if not text:
        raise KnowledgeError(f"{heading.place}: the section {heading.title!r} holds no text; write its answer")
    slug = re.sub(r"[\W_]+", "-", heading.title.lower()).strip("-")
    return Lesson(f"{file_name}#{slug}", heading.title, topic, text, phrasings, heading.place)


def _headings(file: Path) -> list[Heading]:
    """Split a file at its headings of level one and two; the first is the topic."""
    lines = _read(file).splitlines()
    starts = [(number, *found) for number, found in _heading_lines(lines)]
    written = next((number for number, line in enumerate(lines) if line.strip()), None)
    if written is None:
        raise KnowledgeError(f"{file}: the file is empty; start it with a line '# Topic', or delete it")
    if not starts or starts[0][0] != written or starts[0][1] != 1:
        raise KnowledgeError(f"{file}:{written + 1}: the file must start with a heading; begin with a line '# Topic'")
    ends = [number for number, *_ in starts[1:]] + [len(lines)]
    headings = [
        Heading(file, number + 1, level, title, tuple(lines[number + 1 : end]))
        for (number, level, title), end in zip(starts, ends, strict=True)
    ]
    for heading in headings:
        _refuse_misplaced(heading, first=heading is headings[0])
    return headings


def _heading_lines(lines: Sequence[str]) -> Iterator[tuple[int, tuple[int, str]]]:
    fenced = False
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        found = None if fenced else re.fullmatch(r"(##?)(?:\s+(.*?))?(?:\s+#+)?\s*", line)
        if found:
            yield number, (len(found[1]), found[2] or "")


def _refuse_misplaced(heading: Heading, *, first: bool) -> None:
    if not re.search(r"\w", heading.title):
        raise KnowledgeError(f"{heading.place}: the heading has no title; write one after the '#'")
    if heading.level == 1 and not first:
        raise KnowledgeError(f"{heading.place}: a second topic {heading.title!r}; use '##', or move it to its own file")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise KnowledgeError(f"{file}:{line}: the file is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise KnowledgeError(f"{file}: cannot be read ({error.strerror}); check the file") from None
