"""Decides how sure the bot must be to answer: from how sure it is of ways to ask that it was not taught."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import replace
from typing import TYPE_CHECKING

from chatbot.knowledge import Knowledge
from chatbot.learn.indexing import MANY_PHRASINGS

if TYPE_CHECKING:
    from chatbot.learn.lessons import Lesson

HELD_BACK = 5
"""Of every five ways to ask, one is held back and asked."""
MOST_ASKED = 3_000
FEWEST_RIGHT = 100
REFUSED = 0.0075
"""The share of right answers that may be lost, so that wrong ones are not given."""


def threshold(lessons: Sequence[Lesson], build: Callable[[Sequence[Lesson]], bytes], *, otherwise: float) -> float:
    """Return the score from which an answer is given, such that few right answers are lost.

    Only sections with many ways to ask foretell how well an unknown way is recognised; `otherwise` is returned where
    there are not enough of them.
    """
    taught, asked = _held_back(lessons)
    if len(asked) < FEWEST_RIGHT:
        return otherwise
    knowledge = Knowledge(build(taught))
    right = sorted(score for section, question in asked if (score := _right(knowledge, section, question)) is not None)
    return right[int(len(right) * REFUSED)] if len(right) >= FEWEST_RIGHT else otherwise


def _held_back(lessons: Sequence[Lesson]) -> tuple[list[Lesson], list[tuple[int, str]]]:
    """Split the ways to ask into those that are taught and those that are asked."""
    order = random.Random(0)  # noqa: S311 (the same split every time)
    taught, asked = [], []
    for section, lesson in enumerate(lessons):
        phrasings = list(lesson.phrasings)
        if len(phrasings) >= MANY_PHRASINGS:
            order.shuffle(phrasings)
            count = len(phrasings) // HELD_BACK
            asked += [(section, phrasing) for phrasing in phrasings[:count]]
            phrasings = phrasings[count:]
        taught.append(replace(lesson, phrasings=tuple(phrasings)))
    return taught, order.sample(asked, min(MOST_ASKED, len(asked)))


def _right(knowledge: Knowledge, section: int, question: str) -> float | None:
    scores = knowledge.scores(question)
    best = max(scores, key=scores.__getitem__, default=None)
    return scores[section] if best == section else None
