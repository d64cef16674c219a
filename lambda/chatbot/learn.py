"""Builds the bot's index from Markdown files: `python -m chatbot.learn KNOWLEDGE_DIR OUTPUT`.

A knowledge file starts with one `# Topic`. Each `## Question or title` below it is one section: what the bot answers.
Text right below the topic is a section of its own. The first line of a section may read

    Also asked: another phrasing | a third one

and is not shown; it tells the bot how else people ask. README.md describes this and is not learned.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chatbot.knowledge import INDEX_VERSION, LENGTH_NORMALISATION, SATURATION
from chatbot.lessons import KnowledgeError, Lesson, read_lessons
from chatbot.words import STOP_WORDS, stem, terms, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TITLE_WEIGHT = 3.0
PHRASING_WEIGHT = 1.5
TOPIC_WEIGHT = 0.5
STARTERS = 3


def learn(folder: Path) -> dict[str, Any]:
    """Read every knowledge file below a folder and return the index that `chatbot.knowledge.Knowledge` takes.

    Raises KnowledgeError for a folder without knowledge or a file that cannot be learned.
    """
    if not folder.is_dir():
        raise KnowledgeError(f"{folder}: no such folder; give the folder that holds the knowledge files")
    files = [path for path in sorted(folder.rglob("*.md")) if path.name.lower() != "readme.md"]
    lessons = [lesson for file in files for lesson in read_lessons(file, folder=folder)]
    if not lessons:
        raise KnowledgeError(f"{folder}: no section to learn; add a file that ends in .md")
    _refuse_duplicates(lessons)
    return _index(lessons)


def _refuse_duplicates(lessons: Iterable[Lesson]) -> None:
    places: dict[str, str] = {}
    for lesson in lessons:
        title = lesson.title.casefold()
        if title in places:
            raise KnowledgeError(
                f"{lesson.place}: the section {lesson.title!r} is also at {places[title]}; rename one of them"
            )
        places[title] = lesson.place


def _index(lessons: Sequence[Lesson]) -> dict[str, Any]:
    weights = [_term_weights(lesson) for lesson in lessons]
    lengths = [sum(found.values()) for found in weights]
    average = sum(lengths) / len(lengths)
    postings: dict[str, dict[str, float]] = {}
    for section, (found, length) in enumerate(zip(weights, lengths, strict=True)):
        held_back = SATURATION * (1 - LENGTH_NORMALISATION + LENGTH_NORMALISATION * length / average)
        for term, weight in found.items():
            score = weight * (SATURATION + 1) / (weight + held_back)
            postings.setdefault(term, {})[str(section)] = round(score, 3)
    return {
        "version": INDEX_VERSION,
        "sections": [{"id": at.id, "title": at.title, "topic": at.topic, "text": at.text} for at in lessons],
        "starters": [lesson.title for lesson in lessons][:STARTERS],
        "phrases": list(_phrases(lessons)),
        "postings": postings,
        "words": sorted({word for at in lessons for text, _ in _fields(at) for word in words(text)} - STOP_WORDS),
    }


def _fields(lesson: Lesson) -> list[tuple[str, float]]:
    """Return a section's texts, with what a word in each of them counts."""
    texts = [(lesson.text, 1.0), (lesson.title, TITLE_WEIGHT), (lesson.topic, TOPIC_WEIGHT)]
    return texts + [(phrasing, PHRASING_WEIGHT) for phrasing in lesson.phrasings]


def _term_weights(lesson: Lesson) -> dict[str, float]:
    weights: defaultdict[str, float] = defaultdict(float)
    for text, weight in _fields(lesson):
        for term in terms(text):
            weights[term] += weight
    return dict(weights)


def _phrases(lessons: Iterable[Lesson]) -> Iterator[tuple[int, list[str]]]:
    for section, lesson in enumerate(lessons):
        for phrase in (lesson.title, *lesson.phrasings):
            if found := {word if word in STOP_WORDS else stem(word) for word in words(phrase)}:
                yield section, sorted(found)


def write_index(folder: Path, output: Path) -> None:
    """Write the index of a folder to a file: the same bytes for the same knowledge."""
    index = json.dumps(learn(folder), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(index + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m chatbot.learn", description="Build the bot's index.")
    parser.add_argument("folder", type=Path, metavar="KNOWLEDGE_DIR", help="folder with the knowledge files")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="index file to write, such as knowledge.json")
    options = parser.parse_args(arguments)
    try:
        write_index(options.folder, options.output)
    except KnowledgeError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{options.output}: cannot be written ({error.strerror})", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
