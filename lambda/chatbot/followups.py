"""Tells whether a question is understood only from what was said before it, as "and in prod?" is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatbot.words import COMMON_WORDS, GOES_ON, REFERS_BACK, STOP_WORDS, words

if TYPE_CHECKING:
    from chatbot.contract import Turn

FEW_WORDS = 2


def context(question: str, history: Sequence[Turn]) -> str | None:
    """Return what the turn before was about, if the question needs it and that turn was answered."""
    last = history[-1] if history else None
    if last is None or last.source is None or not _goes_on(words(question)):
        return None
    return f"{last.source.title} {last.text}"


def _goes_on(asked: Sequence[str]) -> bool:
    telling = [word for word in asked if word not in STOP_WORDS and word not in COMMON_WORDS]
    return asked[:1] != [] and (asked[0] in GOES_ON or not REFERS_BACK.isdisjoint(asked) or len(telling) < FEW_WORDS)
