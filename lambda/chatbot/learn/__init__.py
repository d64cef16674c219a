"""Builds the bot's index from Markdown files, when the function is packaged. It is not shipped.

A knowledge file starts with one `# Topic`. Each `## Question or title` below it is one section: what the bot answers.
Text right below the topic is a section of its own. `knowledge/README.md` describes the rest; it is not learned.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.index import pack
from chatbot.learn import indexing
from chatbot.learn.calibration import threshold
from chatbot.learn.lessons import read_lessons
from chatbot.learn.mistakes import KnowledgeError
from chatbot.learn.patience import working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chatbot.learn.lessons import Lesson
    from chatbot.learn.training import Model

    Train = Callable[[Sequence[Lesson]], Model | None]

__all__ = ["KnowledgeError", "learn", "read"]

STARTERS = 3
# The score from which an answer is right more often than not, where few ways to ask leave nothing to measure it by:
# with the model, which is about -1 for what it does not know, and without.
THRESHOLD = -0.05
THRESHOLD_WITHOUT_MODEL = 0.45


def learn(folder: Path) -> bytes:
    """Read every knowledge file below a folder and return the index that `chatbot.knowledge.Knowledge` takes.

    Raises KnowledgeError for a folder without knowledge or a file that cannot be learned.
    """
    lessons = read(folder)
    # scikit-learn takes a second to import: whoever only reads, or made a mistake, does not wait for it.
    from chatbot.learn.training import train

    asked = sum(len(lesson.phrasings) for lesson in lessons)
    with working(f"learning {len(lessons):,} sections and {asked:,} ways to ask for them"):
        return _build(lessons, train)


def read(folder: Path) -> list[Lesson]:
    """Return what the files below a folder teach; raises KnowledgeError."""
    if not folder.is_dir():
        raise KnowledgeError(f"{folder}: no such folder; give the folder that holds the knowledge files")
    files = [path for path in sorted(folder.rglob("*.md")) if path.name.lower() != "readme.md"]
    lessons = [lesson for file in files for lesson in read_lessons(file, folder=folder)]
    if not lessons:
        raise KnowledgeError(f"{folder}: no section to learn; add a file that ends in .md")
    _refuse_duplicates(lessons)
    return lessons


def _refuse_duplicates(lessons: Iterable[Lesson]) -> None:
    places: dict[str, str] = {}
    for lesson in lessons:
        for name in (lesson.title.casefold(), lesson.id):
            if name in places:
                raise KnowledgeError(
                    f"{lesson.place}: the section {lesson.title!r} is also at {places[name]}; rename one of them"
                )
            places[name] = lesson.place


def _build(lessons: Sequence[Lesson], train: Train, answers_from: float | None = None) -> bytes:
    """Return the index; the score that it answers from is found out unless it is given."""
    terms = indexing.terms(lessons)
    model = train(lessons)
    if answers_from is None:
        otherwise = THRESHOLD if model else THRESHOLD_WITHOUT_MODEL
        answers_from = threshold(lessons, lambda taught: _build(taught, train, 0.0), otherwise=otherwise)
    facts = {
        "sections": len(lessons),
        "starters": [lesson.title for lesson in lessons][:STARTERS],
        "threshold": round(answers_from, 3),
    }
    columns = indexing.content(lessons) | indexing.vocabulary(lessons) | terms | indexing.phrases_one_by_one(lessons)
    return pack(facts | (model.facts if model else {}), columns | (model.columns if model else {}))
