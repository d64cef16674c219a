"""A linear model of how people ask for each section: learned when the function is packaged, applied here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatbot.features import views
from chatbot.index import place

if TYPE_CHECKING:
    from chatbot.features import View
    from chatbot.index import Index

IDF_UNIT = 64
"""The index keeps the rarity of a feature as a whole number of these parts."""


class Classifier:
    """One hyperplane for each section, through the features of the ways to ask for it.

    This is a linear support vector machine, one section against the rest: it is positive where a question is like what
    was taught for the section, and about -1 where it is not.
    """

    def __init__(self, index: Index) -> None:
        self._keys = index.columns["feature_keys"]
        self._rarities = index.columns["feature_rarities"]
        self._starts = index.columns["feature_starts"]
        self._sections = index.columns["weight_sections"]
        self._weights = index.columns["weights"]
        self._biases = index.columns["biases"]
        self._unit: float = index.facts["weight_unit"]
        self._unknown: float = index.facts["unknown_rarity"]

    def scores(self, words: Sequence[str]) -> list[float]:
        """Return how much the words speak for each section."""
        scores = [float(bias) for bias in self._biases]
        for view in views(words):
            self._add(view, scores)
        return scores

    def _add(self, view: View, scores: list[float]) -> None:
        """Add what the features of one kind say, as the cosine of their weights with what was learned.

        Features that nobody taught count for the length: a question is the less like anything the more of it is new.
        """
        known: list[tuple[int, float]] = []
        square = 0.0
        for feature, count in view.items():
            at = place(self._keys, feature)
            rarity = self._unknown if at is None else self._rarities[at] / IDF_UNIT
            value = (1 + math.log(count)) * rarity
            square += value * value
            if at is not None:
                known.append((at, value))
        scale = self._unit / math.sqrt(square) if square else 0.0
        for at, value in known:
            start, end = self._starts[at], self._starts[at + 1]
            share = value * scale
            for section, weight in zip(self._sections[start:end], self._weights[start:end], strict=True):
                scores[section] += share * weight
