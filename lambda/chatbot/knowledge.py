"""Finds the section of the knowledge that answers a question, or says that none does."""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatbot.words import COMMON_STEMS, STOP_WORDS, edits, grams, stem, words

if TYPE_CHECKING:
    from pathlib import Path

INDEX_VERSION = 1

# BM25's own constants (Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009): how soon the repetition
# of a word stops counting, and how much a long section is held back.
SATURATION = 1.2
LENGTH_NORMALISATION = 0.5

# How much the best of a section's phrasings counts against all of its words.
PHRASE_SHARE = 0.5
ANSWER_THRESHOLD = 0.31
SUGGESTION_THRESHOLD = 0.2
# A word that no section knows speaks against an answer, but less than a rare word that one does.
UNKNOWN_WORD_SHARE = 0.8
FOLLOW_UP_BONUS = 0.05
COMMON_WORD_SHARE = 0.4
# Stop words tell phrasings apart, and make up all of "Who are you?"; in texts they are not looked for.
STOP_WORD_RARITY = 0.4
SHORTEST_MISSPELLED_WORD = 4
LONG_WORD = 7
WORTH_COMPARING = 0.3
LOST_BY_AN_EDIT = 0.15
CERTAINTY_OF_AN_ABBREVIATION = 0.8


@dataclass(frozen=True)
class Section:
    """One answer: the text under a heading of a knowledge file."""

    id: str
    title: str
    topic: str
    text: str


@dataclass(frozen=True)
class Match:
    """A section with the confidence, from 0 to 1, that it answers the question."""

    section: Section
    confidence: float

    @property
    def answers(self) -> bool:
        return self.confidence >= ANSWER_THRESHOLD

    @property
    def is_near(self) -> bool:
        return self.confidence >= SUGGESTION_THRESHOLD


@dataclass(frozen=True)
class _Phrase:
    section: int
    terms: frozenset[str]
    length: float


class Knowledge:
    """The index that `chatbot.learn` makes, ready to be asked."""

    def __init__(self, index: Mapping[str, Any]) -> None:
        if index["version"] != INDEX_VERSION:
            raise ValueError(
                f"the knowledge index has version {index['version']}, wanted {INDEX_VERSION}: build it anew"
            )
        self.sections = tuple(Section(**section) for section in index["sections"])
        self.starters: tuple[str, ...] = tuple(index["starters"])
        self._postings: dict[str, dict[int, float]] = {
            term: {int(section): weight for section, weight in found.items()}
            for term, found in index["postings"].items()
        }
        self._rarity = {term: rarity(len(self.sections), len(found)) for term, found in self._postings.items()}
        self._unknown_rarity = rarity(len(self.sections), 0) * UNKNOWN_WORD_SHARE
        self._phrases = tuple(self._phrase(section, words) for section, words in index["phrases"])
        self._words: list[str] = index["words"]
        self._grams: dict[str, list[str]] = {}

    @classmethod
    def load(cls, path: Path) -> Knowledge:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def search(self, question: str, *, previous: str | None = None, limit: int = 4) -> list[Match]:
        """Return the sections nearest to a question, best first.

        `previous` is the id of the section that the last answer came from: a follow-up question leans on it a little.
        """
        asked = self._recognise(words(question))
        scores = {at: score * (1 - PHRASE_SHARE) for at, score in self._by_words(asked).items()}
        for section, likeness in self._by_phrases(asked).items():
            scores[section] = scores.get(section, 0.0) + likeness * PHRASE_SHARE
        if previous is not None:
            scores = {at: self._leaning(at, score, previous) for at, score in scores.items()}
        best = heapq.nsmallest(limit, scores.items(), key=lambda item: (-item[1], item[0]))
        return [Match(self.sections[section], round(score, 4)) for section, score in best]

    def beside(self, section: Section) -> list[Section]:
        """Return the other sections of the same topic, beginning with the one that follows."""
        at = self.sections.index(section)
        return [other for other in self.sections[at + 1 :] + self.sections[:at] if other.topic == section.topic]

    def _leaning(self, section: int, score: float, previous: str) -> float:
        return score + FOLLOW_UP_BONUS if self.sections[section].id == previous else score

    def _by_words(self, asked: Sequence[tuple[str, float]]) -> dict[int, float]:
        """Score sections by BM25, as a share of the best score this question could have."""
        telling = [term for term, _ in asked if term not in STOP_WORDS]
        best_possible = sum(self._rarity_of(term) for term in telling) * (SATURATION + 1)
        scores: dict[int, float] = {}
        if not telling:
            return scores
        for term, certainty in asked:
            for section, weight in self._postings.get(term, {}).items():
                share = certainty * self._rarity_of(term) * weight / best_possible
                scores[section] = scores.get(section, 0.0) + share
        return scores

    def _by_phrases(self, asked: Sequence[tuple[str, float]]) -> dict[int, float]:
        """Compare the question with each title and phrasing: the cosine of their words' rarities."""
        certainties = dict(asked)
        telling = certainties.keys() - STOP_WORDS or certainties.keys()
        length = math.sqrt(sum(self._rarity_of(term) ** 2 for term in certainties))
        best: dict[int, float] = {}
        for phrase in self._phrases:
            common = phrase.terms & certainties.keys()
            if common & telling:
                product = sum(certainties[term] * self._rarity_of(term) ** 2 for term in common)
                best[phrase.section] = max(best.get(phrase.section, 0.0), product / (length * phrase.length))
        return best

    def _recognise(self, asked: Iterable[str]) -> list[tuple[str, float]]:
        """Pair each word's stem with how certain it is that this is meant; an unknown word stays as it is."""
        certain: dict[str, float] = {}
        for word in asked:
            term = word if word in STOP_WORDS else stem(word)
            is_known = term in STOP_WORDS or term in COMMON_STEMS or term in self._postings
            found = [(term, 1.0)] if is_known else self._guess(word)
            certain |= {known: max(certainty, certain.get(known, 0.0)) for known, certainty in found}
        return list(certain.items())

    def _guess(self, word: str) -> list[tuple[str, float]]:
        """Take an unknown word for known ones: two written as one, one with typing errors, or one cut short."""
        if len(word) < SHORTEST_MISSPELLED_WORD:
            return [(word, 1.0)]
        for cut in range(3, len(word) - 2):
            halves = stem(word[:cut]), stem(word[cut:])
            if all(half in self._postings for half in halves):
                return [(half, 1.0) for half in halves]
        candidates = ((edits(word, known), sorted(word) != sorted(known), known) for known in self._alike(word))
        errors, other_letters, known = min(candidates, default=(len(word), True, word))
        # A word of four letters has too many neighbours to take another for it, unless two letters only changed places.
        if errors <= (2 if len(word) >= LONG_WORD else 1) and not (other_letters and len(word) == 4):
            meant = known if known in STOP_WORDS else stem(known)
            return [(meant, 1 - errors * LOST_BY_AN_EDIT)]
        longer = {stem(known) for known in self._words if known.startswith(word)}
        if longer:
            return [(max(longer, key=lambda term: (len(self._postings[term]), term)), CERTAINTY_OF_AN_ABBREVIATION)]
        return [(word, 1.0)]

    def _alike(self, term: str) -> Iterable[str]:
        """Return the known words that share enough neighbouring letters with a word to be worth comparing."""
        own = grams(term)
        shared = Counter(known for gram in own for known in self._words_by_gram().get(gram, ()))
        return (known for known, count in shared.items() if 2 * count / (len(own) + len(known) + 1) >= WORTH_COMPARING)

    def _words_by_gram(self) -> dict[str, list[str]]:
        # Made at the first unknown word: most questions never need it, and a cold start should not pay for it.
        if not self._grams:
            found: dict[str, list[str]] = {}
            for known in (*self._words, *STOP_WORDS):
                for gram in grams(known):
                    found.setdefault(gram, []).append(known)
            self._grams = found
        return self._grams

    def _rarity_of(self, term: str) -> float:
        if term in STOP_WORDS:
            return STOP_WORD_RARITY
        return self._rarity.get(term, self._unknown_rarity) * (COMMON_WORD_SHARE if term in COMMON_STEMS else 1.0)

    def _phrase(self, section: int, words: list[str]) -> _Phrase:
        length = math.sqrt(sum(self._rarity_of(word) ** 2 for word in words))
        return _Phrase(section, frozenset(words), length)


def rarity(sections: int, holding: int) -> float:
    """BM25's inverse document frequency: how telling a word is that `holding` of the sections hold."""
    return math.log(1 + (sections - holding + 0.5) / (holding + 0.5))
