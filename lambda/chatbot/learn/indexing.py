"""Turns lessons into the columns of the index: where each word stands and what it weighs."""

from __future__ import annotations

import json
import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from chatbot.features import key
from chatbot.retrieval import LENGTH_NORMALISATION, SATURATION, WEIGHT_UNIT, rarity
from chatbot.words import STOP_WORDS, term, words

if TYPE_CHECKING:
    from chatbot.learn.lessons import Lesson

TITLE_WEIGHT = 3.0
PHRASING_WEIGHT = 1.5
TOPIC_WEIGHT = 0.5
MANY_PHRASINGS = 20
"""From as many ways to ask as this the linear model knows a section well, and they are not compared one by one."""

Columns = dict[str, "array[Any] | bytes"]


def content(lessons: Sequence[Lesson]) -> Columns:
    """Return the sections themselves: one after another, with where each begins."""
    keys = array("I", (key(lesson.id) for lesson in lessons))
    asked = _lines("asked", [lesson.phrasings for lesson in lessons])
    return _lines("section", [_section(lesson) for lesson in lessons], "sections") | asked | {"section_keys": keys}


def _section(lesson: Lesson) -> dict[str, str]:
    section = {"id": lesson.id, "title": lesson.title, "topic": lesson.topic, "text": lesson.text}
    return section | ({"language": lesson.language} if lesson.language else {})


def _lines(name: str, values: Iterable[object], content_name: str | None = None) -> Columns:
    """Return values as JSON, one after another, with where each begins."""
    written = [json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() for value in values]
    return {content_name or name: b"".join(written), f"{name}_starts": array("I", _starts(map(len, written)))}


def vocabulary(lessons: Sequence[Lesson]) -> Columns:
    """Return the words of the knowledge, for spelling, and the phrasings that are answered as they stand."""
    known = {word for lesson in lessons for text, _ in _fields(lesson) for word in words(text)} - STOP_WORDS
    taught = _taught(lessons)
    return {
        "words": "\n".join(sorted(known)).encode(),
        "taught_keys": array("I", taught),
        "taught_sections": array("I", taught.values()),
    }


def _taught(lessons: Sequence[Lesson]) -> dict[int, int]:
    """Return the section of each title and phrasing, by key; what two sections claim belongs to none of them."""
    sections: dict[int, int | None] = {}
    for section, lesson in enumerate(lessons):
        for phrase in phrases(lesson):
            known = key(" ".join(words(phrase)))
            sections[known] = section if sections.get(known, section) == section else None
    return {known: section for known, section in sorted(sections.items()) if section is not None}


def terms(lessons: Sequence[Lesson]) -> Columns:
    """Return the postings of every word: in which sections it stands, and by BM25 how much it says about each."""
    weights = [_term_weights(lesson) for lesson in lessons]
    lengths = [sum(found.values()) for found in weights]
    average = sum(lengths) / len(lengths) or 1.0  # Of stop words alone nothing is long.
    postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for section, (found, length) in enumerate(zip(weights, lengths, strict=True)):
        held_back = SATURATION * (1 - LENGTH_NORMALISATION + LENGTH_NORMALISATION * length / average)
        for text, weight in found.items():
            postings[text].append((section, max(1, round(WEIGHT_UNIT * weight / (weight + held_back)))))
    return _postings(postings, "term", "sections", "weights")


def phrases_one_by_one(lessons: Sequence[Lesson]) -> Columns:
    """Return the postings of titles and phrasings, of sections that have few of them."""
    holding = Counter(text for lesson in lessons for text in _term_weights(lesson))
    sections, lengths = array("I"), array("f")
    postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for section, lesson in enumerate(lessons):
        for phrase in phrases(lesson) if len(lesson.phrasings) < MANY_PHRASINGS else ():
            found = sorted({term(word) for word in words(phrase)})
            if found:
                for text in found:
                    postings[text].append((len(sections), 0))
                rarities = (rarity(text, holding=holding[text], sections=len(lessons)) for text in found)
                lengths.append(math.sqrt(sum(value**2 for value in rarities)))
                sections.append(section)
    return _postings(postings, "phrase", "places") | {"phrase_sections": sections, "phrase_lengths": lengths}


def phrases(lesson: Lesson) -> tuple[str, ...]:
    return (lesson.title, *lesson.phrasings)


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of an answer that hold words."""
    return [part for part in re.split(r"(?<=[.!?:;。！？])\s+|\n+", text) if words(part)]


def _fields(lesson: Lesson) -> list[tuple[str, float]]:
    """Return a section's texts, with what a word in each of them counts."""
    texts = [(lesson.text, 1.0), (lesson.title, TITLE_WEIGHT), (lesson.topic, TOPIC_WEIGHT)]
    texts += [(tag, TOPIC_WEIGHT) for tag in lesson.tags]
    return texts + [(phrasing, PHRASING_WEIGHT) for phrasing in lesson.phrasings]


def _term_weights(lesson: Lesson) -> dict[str, float]:
    weights: defaultdict[str, float] = defaultdict(float)
    for text, weight in _fields(lesson):
        for word in words(text):
            if word not in STOP_WORDS:
                weights[term(word)] += weight
    return dict(weights)


def _postings(
    postings: Mapping[str, Sequence[tuple[int, int]]], name: str, places_name: str, weights_name: str | None = None
) -> Columns:
    """Return postings as columns, ascending by the keys of their terms and by place."""
    by_key: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for text, found in postings.items():
        by_key[key(text)].update(found)
    keys = sorted(by_key)
    ordered = [sorted(by_key[known].items()) for known in keys]
    columns: Columns = {
        f"{name}_keys": array("I", keys),
        f"{name}_starts": array("I", _starts(map(len, ordered))),
        f"{name}_{places_name}": array("I", (at for found in ordered for at, _ in found)),
    }
    if weights_name:
        columns[f"{name}_{weights_name}"] = array("B", (weight for found in ordered for _, weight in found))
    return columns


def _starts(lengths: Iterable[int]) -> list[int]:
    """Return where each of several parts begins, and where the last one ends."""
    return list(accumulate(lengths, initial=0))
