"""Reads the knowledge files: what their authors wrote, section by section, or one clear line on what is wrong."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from chatbot.learn import frontmatter
from chatbot.learn.mistakes import KnowledgeError
from chatbot.words import LETTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chatbot.learn.frontmatter import FrontMatter

ALSO_ASKED = "also asked:"
SEPARATOR = "|"
LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")
NO_FILE = {
    errno.EISDIR: "this is a folder; knowledge is in files: rename it, so that it does not end in .md",
    errno.ENOENT: "there is no such file; mend the link, or delete it",
}
# The text of headings and paragraphs stays as it was written: only where they begin is wanted.
_MARKDOWN = MarkdownIt("commonmark").disable("inline")


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
    language: str | None = None
    tags: tuple[str, ...] = ()


def read_lessons(file: Path, *, folder: Path) -> Iterator[Lesson]:
    """Yield the sections of a file; raises KnowledgeError when it cannot be learned."""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise KnowledgeError(f"{str(file)!a}: the file's name is not UTF-8; rename it") from None
    front, text = frontmatter.split(_read(file), file)
    topic, *questions = _headings(file, text.splitlines())
    sections = [topic, *questions] if any(line.strip() for line in topic.body) else questions
    if not sections:
        raise KnowledgeError(f"{topic.place}: the topic {topic.title!r} holds no text; write a section under it")
    _refuse_unplaced(front, sections)
    name = file.relative_to(folder).with_suffix("").as_posix()
    for heading in sections:
        yield _lesson(heading, topic=topic.title, file_name=name, front=front)


def _lesson(heading: Heading, *, topic: str, file_name: str, front: FrontMatter) -> Lesson:
    phrasings, text = _phrasings(heading)
    if not text:
        raise KnowledgeError(f"{heading.place}: the section {heading.title!r} holds no text; write its answer")
    return Lesson(
        id=f"{file_name}#{slug(heading.title)}",
        title=heading.title,
        topic=topic,
        text=text,
        phrasings=(*phrasings, *front.asked, *front.asked_of.get(heading.title, ())),
        place=heading.place,
        language=front.language,
        tags=front.tags,
    )


def slug(title: str) -> str:
    """Return a title as the part of an id that names the section in its file."""
    return "-".join(re.findall(f"{LETTER}+", title.lower()))


def _refuse_unplaced(front: FrontMatter, sections: Sequence[Heading]) -> None:
    """Refuse ways to ask of which it is not clear which section they belong to."""
    titles = {heading.title for heading in sections}
    for title in front.asked_of:
        if title not in titles:
            raise KnowledgeError(f"{front.places[title]}: no section of this file has the title {title!r}")
    if front.asked and len(sections) > 1:
        raise KnowledgeError(
            f"{front.places['']}: the file has {len(sections)} sections; write each title, with its own list, below "
            "'also asked'"
        )


def _phrasings(heading: Heading) -> tuple[list[str], str]:
    """Split the lines below a heading into the other ways to ask, if any, and the answer."""
    lines = [line.rstrip() for line in heading.body]
    first = next((number for number, line in enumerate(lines) if line), len(lines))
    rest = lines[first:]
    if not rest or not rest[0].lower().startswith(ALSO_ASKED):
        _refuse_hidden(heading, rest)
        return [], "\n".join(rest).strip()
    rest[0] = rest[0][len(ALSO_ASKED) :].strip()
    found = _in_lines(rest) if rest[0] else _in_list(rest)
    if not found:
        place = f"{heading.file}:{heading.line + first + 1}"
        raise KnowledgeError(f"{place}: 'Also asked:' is followed by nothing; write phrasings, or delete the line")
    _refuse_hidden(heading, rest)
    return found, "\n".join(rest).strip()


def _refuse_hidden(heading: Heading, rest: Sequence[str]) -> None:
    """Refuse ways to ask that would be shown as a part of the answer, since they do not come first."""
    before = heading.line + 1 + len(heading.body) - len(rest)
    for token in _MARKDOWN.parse("\n".join(rest)):
        lines = token.content.split("\n") if token.type == "inline" else ()
        for number, line in enumerate(lines, start=before + (token.map or [0])[0]):
            if line.strip("*_ ").lower().startswith(ALSO_ASKED):
                place = f"{heading.file}:{number}"
                raise KnowledgeError(f"{place}: 'Also asked:' comes first below a heading, once and in plain letters")


def _in_lines(rest: list[str]) -> list[str]:
    """Take phrasings with bars between them; a line that ends in a bar goes on in the next one."""
    asked = rest.pop(0)
    while asked.endswith(SEPARATOR) and rest and rest[0]:
        asked += f" {rest.pop(0)}"
    return [phrasing.strip() for phrasing in asked.split(SEPARATOR) if phrasing.strip()]


def _in_list(rest: list[str]) -> list[str]:
    """Take phrasings that are a list of their own, which ends at the first line that is none of its items."""
    rest.pop(0)
    while rest and not rest[0]:
        rest.pop(0)
    found = []
    while rest and (item := LIST_ITEM.fullmatch(rest[0])):
        found.append(item[1].strip())
        rest.pop(0)
    return found


def _headings(file: Path, lines: Sequence[str]) -> list[Heading]:
    """Split a file at its headings of level one and two; the first is the topic."""
    starts = list(_heading_lines(lines))
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


def _heading_lines(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the line, the level and the title of headings that are written with one or two `#`, outside of anything."""
    tokens = _MARKDOWN.parse("\n".join(lines))
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open" and opening.level == 0 and opening.markup in ("#", "##") and opening.map:
            yield opening.map[0], len(opening.markup), content.content


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
        why = NO_FILE.get(error.errno or 0, f"cannot be read ({error.strerror}); check the file")
        raise KnowledgeError(f"{file}: {why}") from None
