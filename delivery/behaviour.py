"""What a change of the knowledge changes for people: which sections, and which questions get another answer.

Both builds are asked the same questions by their own code, as commands in an empty environment: nothing of the bot is
imported here. ``answers`` compares the package that is deployed with the one that a plan deploys.
"""

import re
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from delivery.builds import Build, Program, Section
from delivery.excerpts import excerpt, excerpts
from delivery.printable import one_line

MARKDOWN_LIMIT: Final = 60_000
"""Comments of a pull request hold 65,536 characters on GitHub."""
TEXT_LIMIT: Final = 300
NO_ANSWER: Final = "*no answer*"
UNSEEN: Final = "*the same words, in other lines*"


@dataclass(frozen=True)
class Moved:
    """A question that another section answers, or that begins or ceases to be answered."""

    question: str
    before: Section | None
    after: Section | None


@dataclass(frozen=True)
class Behaviour:
    """The difference between two builds."""

    asked: int
    added: tuple[Section, ...]
    removed: tuple[Section, ...]
    edited: tuple[tuple[Section, Section], ...]
    moved: tuple[Moved, ...]

    @property
    def verdict(self) -> str:
        """One line: how many questions another section answers, and of how many sections the words changed."""
        verb = "is" if len(self.moved) == 1 else "are"
        questions = f"{len(self.moved):,} of {self.asked:,} questions {verb} answered from another section"
        counts = ((self.edited, "reworded"), (self.added, "added"), (self.removed, "removed"))
        told = [f"{len(found):,} {word}" for found, word in counts if found]
        return f"{questions}. Sections: {', '.join(told) or 'none changed'}."

    def markdown(self, limit: int = MARKDOWN_LIMIT) -> str:
        """Return the difference as a document, in at most ``limit`` characters."""
        title = "# Answers\n\n"
        return title + self.report(limit - len(title))

    def report(self, limit: int) -> str:
        """Return it without a title, as part of something else; what is left out is counted."""
        parts = [self.verdict]
        for title, head, rows in self._tables():
            room = limit - sum(len(part) + 2 for part in parts)
            if rows and room > 0:
                parts.append(_table(title, head, rows, room))
        return "\n\n".join(parts)[: limit - 1] + "\n"

    def _tables(self) -> list[tuple[str, str, list[str]]]:
        return [
            (
                "Answered from another section",
                "| Question | Before | After |\n|---|---|---|",
                [_row(moved.question, _named(moved.before), _named(moved.after)) for moved in self.moved],
            ),
            ("Removed", "| Section | It said |\n|---|---|", [_row(_named(old), old.text) for old in self.removed]),
            (
                "Reworded",
                "| Section | Before | After |\n|---|---|---|",
                [_row(_named(new), *_beside(old.text, new.text)) for old, new in self.edited],
            ),
            ("Added", "| Section | It says |\n|---|---|", [_row(_named(new), new.text) for new in self.added]),
        ]


def compare(
    root: Path, old: Path, new: Path, questions: Iterable[str] = (), *, called: tuple[str, str] | None = None
) -> Behaviour:
    """Ask two builds everything they were taught, and ``questions`` besides, and return what differs.

    Each is a Lambda package, an index, or a folder of knowledge; the last two are read by the bot's sources below
    ``root``. Raises ``UsageError`` for what cannot be asked, by its path or as it is ``called``.
    """
    with tempfile.TemporaryDirectory() as name:
        folders, names = (Path(name) / "old", Path(name) / "new"), called or (str(old), str(new))
        programs = [Program.of(root, *each) for each in zip((old, new), folders, names, strict=True)]
        with ThreadPoolExecutor(len(programs)) as pool:
            taught = list(pool.map(lambda program: program.ask([]), programs))
            asked = [phrase for build in taught for section in build.sections.values() for phrase in _phrases(section)]
            every = list(dict.fromkeys([*questions, *asked]))
            before, after = pool.map(lambda program: program.ask(every), programs)
    return _difference(before, after, every)


def _phrases(section: Section) -> tuple[str, ...]:
    return (section.title, *section.asked)


def _difference(before: Build, after: Build, asked: Sequence[str]) -> Behaviour:
    old, new = before.sections, after.sections
    return Behaviour(
        asked=len(asked),
        added=tuple(section for id, section in new.items() if id not in old),
        removed=tuple(section for id, section in old.items() if id not in new),
        edited=tuple((old[id], new[id]) for id in new if id in old and old[id].text != new[id].text),
        moved=tuple(
            Moved(question, _of(before, question), _of(after, question))
            for question in asked
            if before.answers[question] != after.answers[question]
        ),
    )


def _of(build: Build, question: str) -> Section | None:
    return build.sections.get(build.answers[question] or "")


def _named(section: Section | None) -> str:
    return section.id if section else NO_ANSWER


def _beside(before: str, after: str) -> tuple[str, str]:
    """Return two texts that differ as cells: where they do."""
    old, new = one_line(before), one_line(after)
    return excerpts(old, new, TEXT_LIMIT) if old != new else (old, UNSEEN)


def _table(title: str, head: str, rows: Sequence[str], room: int) -> str:
    """Return as many rows as there is room for; the rest is counted."""
    shown: list[str] = []
    room -= len(title) + len(head) + 80
    for row in rows:
        room -= len(row) + 1
        if room < 0:
            break
        shown.append(row)
    left = len(rows) - len(shown)
    return "\n".join([f"## {title}\n", head, *shown, *([f"\n… and {left} more."] if left else [])])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell if cell in (NO_ANSWER, UNSEEN) else _cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """Return a text as it stands, in one line of a table that it cannot break out of."""
    return re.sub(r"([\\`*_{}\[\]<>()#|~!&@])", r"\\\1", excerpt(one_line(text), TEXT_LIMIT))
