"""Compares a question with every section: with all of its words, and with each title and way to ask one by one."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from chatbot.features import key
from chatbot.index import place
from chatbot.words import COMMON_STEMS, STOP_WORDS

if TYPE_CHECKING:
    from chatbot.index import Column, Index

# BM25's own constants (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009): how soon the repetition
# of a word stops counting, and how much a long section is held back.
SATURATION = 1.2
LENGTH_NORMALISATION = 0.5
WEIGHT_UNIT = 255
"""The index keeps a weight as a whole number of these parts of the most that a word can weigh."""

COMMON_WORD_SHARE = 0.4
# A word that no section knows speaks against an answer, but less than a rare word that one does.
UNKNOWN_WORD_SHARE = 0.8
# Stop words tell phrasings apart, and make up all of "Who are you?"; in texts they are not looked for.
STOP_WORD_RARITY = 0.4

# When this many postings have been read, what is left are common words: they only reorder the best found so far.
MOST_POSTINGS = 5_000
WORTH_REORDERING = 200


class Term(NamedTuple):
    """A stem or stop word that is asked for."""

    text: str
    certainty: float = 1.0
    """How certain it is that this word was meant."""
    importance: float = 1.0
    """How much it counts beside the others: less where it was said earlier in the conversation."""


class Postings(NamedTuple):
    """The places of each term, ascending, and what it weighs there."""

    keys: Column
    starts: Column
    places: Column
    weights: Column | None = None

    def of(self, term: str) -> tuple[int, int]:
        """Return from where up to where the places of a term stand."""
        at = place(self.keys, key(term))
        return (0, 0) if at is None else (self.starts[at], self.starts[at + 1])

    def sums(self, wanted: Iterable[tuple[str, float]], unimportant: Iterable[tuple[str, float]]) -> dict[int, float]:
        """Add up, place by place, what each wanted term is worth there; unimportant ones add to the best only.

        The time is bounded: the rarest terms come first, and common ones beyond the bound are unimportant too.
        """
        found = sorted((end - start, start, end, worth) for term, worth in wanted for start, end in [self.of(term)])
        sums: dict[int, float] = {}
        rest = [(start, end, worth) for term, worth in unimportant for start, end in [self.of(term)]]
        read = 0
        for count, start, end, worth in found:
            read += count
            if read > MOST_POSTINGS and sums:
                rest.append((start, end, worth))
            else:
                self._add(sums, start, end, worth)
        best = heapq.nlargest(WORTH_REORDERING, sums, key=sums.__getitem__) if rest else []
        for start, end, worth in rest:
            self._add_to(best, sums, start, end, worth)
        return sums

    def _add(self, sums: dict[int, float], start: int, end: int, worth: float) -> None:
        if self.weights is None:
            for at in self.places[start:end]:
                sums[at] = sums.get(at, 0.0) + worth
        else:
            worth /= WEIGHT_UNIT
            for at, weight in zip(self.places[start:end], self.weights[start:end], strict=True):
                sums[at] = sums.get(at, 0.0) + worth * weight

    def _add_to(self, best: Sequence[int], sums: dict[int, float], start: int, end: int, worth: float) -> None:
        for wanted in best:
            at = bisect_left(self.places, wanted, start, end)
            if at < end and self.places[at] == wanted:
                sums[wanted] += worth if self.weights is None else worth * self.weights[at] / WEIGHT_UNIT


class Retrieval:
    """The words of all sections, and of their titles and ways to ask."""

    def __init__(self, index: Index) -> None:
        columns = index.columns
        self._words = Postings(*(columns[f"term_{name}"] for name in ("keys", "starts", "sections", "weights")))
        self._phrases = Postings(*(columns[f"phrase_{name}"] for name in ("keys", "starts", "places")))
        self._phrase_sections = columns["phrase_sections"]
        self._phrase_lengths = columns["phrase_lengths"]
        self._sections: int = index.facts["sections"]

    def knows(self, term: str) -> bool:
        """Whether any section has a word."""
        start, end = self._words.of(term)
        return start < end

    def compares(self, section: int) -> bool:
        """Whether the phrasings of a section are compared one by one."""
        return section in self._compared

    @cached_property
    def _compared(self) -> frozenset[int]:
        return frozenset(self._phrase_sections)

    def by_words(self, asked: Sequence[Term]) -> dict[int, float]:
        """Score sections by BM25, as a share of the best score that these terms could have."""
        telling = [term for term in asked if term.text not in STOP_WORDS]
        worths = [(term, self._rarity(term.text) * term.importance) for term in telling]
        best = sum(worth for _, worth in worths)
        return self._words.sums([(term.text, term.certainty * worth / best) for term, worth in worths], ())

    def by_phrases(self, asked: Sequence[Term]) -> dict[int, float]:
        """Compare with each title and phrasing: the cosine of their words' rarities. A section's best one counts."""
        worths = {term.text: term.certainty * term.importance * self._rarity(term.text) ** 2 for term in asked}
        length = math.sqrt(sum((self._rarity(term.text) * term.importance) ** 2 for term in asked))
        telling = [item for item in worths.items() if item[0] not in STOP_WORDS]
        unimportant = [item for item in worths.items() if item[0] in STOP_WORDS]
        products = self._phrases.sums(telling, unimportant) if telling else self._phrases.sums(unimportant, ())
        best: dict[int, float] = {}
        for phrase, product in products.items():
            section, likeness = self._phrase_sections[phrase], product / (length * self._phrase_lengths[phrase])
            if likeness > best.get(section, 0.0):
                best[section] = likeness
        return best

    def _rarity(self, term: str) -> float:
        start, end = self._words.of(term)
        return rarity(term, holding=end - start, sections=self._sections)


def rarity(term: str, *, holding: int, sections: int) -> float:
    """Return how telling a term is that `holding` of the sections hold: BM25's inverse document frequency."""
    if term in STOP_WORDS:
        return STOP_WORD_RARITY
    known = math.log(1 + (sections - holding + 0.5) / (holding + 0.5))
    share = UNKNOWN_WORD_SHARE if holding == 0 else COMMON_WORD_SHARE if term in COMMON_STEMS else 1.0
    return known * share
