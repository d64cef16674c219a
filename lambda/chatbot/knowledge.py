"""Finds the section of the knowledge that answers a question, or says that none does."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from chatbot.classifier import Classifier
from chatbot.features import key
from chatbot.index import Records, place, unpack
from chatbot.retrieval import Retrieval, Term
from chatbot.spelling import Spelling
from chatbot.words import COMMON_STEMS, GOES_ON, REFERS_BACK, STOP_WORDS, shown, term, words

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = 0.5
"""The confidence from which a section answers a question."""
NEAR = 0.25
"""The confidence from which it is worth suggesting."""
STEEPNESS = 4.0

PHRASE_SHARE = 0.5
"""How much the nearest of a section's phrasings counts beside all of its words."""
SAME_PHRASING = 0.8
"""The likeness from which a question is taken for a phrasing."""
DOUBT = 0.01
FOLLOW_UP_BONUS = 0.1
EARLIER_IMPORTANCE = 0.5
# A question is rarely longer; of a whole page of text, its beginning and its end are compared.
MOST_WORDS = 300
MOST_GUESSES = 12


class Section(NamedTuple):
    """One answer: the text under a heading of a knowledge file."""

    id: str
    title: str
    topic: str
    text: str
    language: str | None = None


class Match(NamedTuple):
    """A section with the confidence, from 0 to 1, that it answers the question."""

    section: Section
    confidence: float

    @property
    def answers(self) -> bool:
        return self.confidence >= ANSWERS

    @property
    def is_near(self) -> bool:
        return self.confidence >= NEAR


class Knowledge:
    """The index that `chatbot.learn` makes, ready to be asked."""

    def __init__(self, data: bytes) -> None:
        """Open an index; raises NoIndexError when it is none, or one of another version."""
        index = unpack(data)
        columns = index.columns
        self.sections = Records(columns["sections"], columns["section_starts"], lambda found: Section(**found))
        self.asked = Records(columns["asked"], columns["asked_starts"], tuple[str, ...])
        """The ways to ask for each section, besides its title."""
        self.starters: tuple[str, ...] = tuple(index.facts["starters"])
        self._threshold: float = index.facts["threshold"]
        self._ids = columns["section_keys"]
        self._taught_keys, self._taught_sections = columns["taught_keys"], columns["taught_sections"]
        self._retrieval = Retrieval(index)
        self._classifier = Classifier(index) if "weights" in columns else None
        self._spelling = Spelling(columns["words"])

    @classmethod
    def load(cls, path: Path) -> Knowledge:
        return cls(path.read_bytes())

    def search(
        self, question: str, *, previous: str | None = None, earlier: str | None = None, limit: int = 4
    ) -> list[Match]:
        """Return the sections nearest to a question, best first.

        `previous` is the id of the section that the last answer came from: the search leans on it a little. `earlier`
        is the question before, where this one is not understood without it.
        """
        asked = _some(words(question))
        scores = self.scores(question, previous, earlier)
        if not earlier and self._names_nothing(question):
            self._doubt(scores, asked)
        taught = self._taught(asked)
        if taught is not None:
            scores[taught] = math.inf
        best = heapq.nsmallest(limit, ((-score, at) for at, score in scores.items()))
        return [Match(self.sections[at], self._confidence(-score)) for score, at in best]

    def scores(self, question: str, previous: str | None = None, earlier: str | None = None) -> dict[int, float]:
        """Return what speaks for each section, by its place; what `search` takes its confidences from."""
        asked = _some(words(question))
        scores = self._scores(asked, self._recognised(asked))
        if earlier:
            self._add_context(scores, asked, _some(words(earlier)))
        leant_on = None if previous is None else self._place_of(previous)
        if leant_on in scores:
            scores[leant_on] += FOLLOW_UP_BONUS
        return scores

    def beside(self, section: Section) -> Iterator[Section]:
        """Yield the other sections of the same topic, beginning with the one that follows."""
        at = self._place_of(section.id)
        if at is None:
            return
        for others in (range(at + 1, len(self.sections)), range(at - 1, -1, -1)):
            for other in map(self.sections.__getitem__, others):
                if other.topic != section.topic:
                    break
                yield other

    def _names_nothing(self, question: str) -> bool:
        """Whether a question only refers to what was said before, or is markup: no word tells what it is about."""
        text = shown(question)
        asked = _some(words(text))
        if text == question and REFERS_BACK.isdisjoint(asked):
            return False
        return all(known.text in STOP_WORDS or not self._knows(known.text) for known in self._recognised(asked))

    def _doubt(self, scores: dict[int, float], asked: Sequence[str]) -> None:
        """Let no section answer such a question, unless it has nearly that phrasing: "how much is it" may be one.

        Of sections with many phrasings those are not compared one by one: there the linear model knows.
        """
        likenesses = self._retrieval.by_phrases(self._recognised(asked))
        for at, score in scores.items():
            if self._retrieval.compares(at) and likenesses.get(at, 0.0) < SAME_PHRASING:
                scores[at] = min(score, self._threshold - DOUBT)

    def _taught(self, asked: Sequence[str]) -> int | None:
        """Return the section that lists exactly this question, or this question after an "and"."""
        for phrase in (asked, asked[1:] if asked[:1] and asked[0] in GOES_ON else ()):
            at = place(self._taught_keys, key(" ".join(phrase))) if phrase else None
            if at is not None:
                return int(self._taught_sections[at])
        return None

    def _scores(self, asked: Sequence[str], terms: Sequence[Term]) -> dict[int, float]:
        """Add up what speaks for each section: its words, its nearest phrasing, and what was learned of its asking."""
        likenesses = self._retrieval.by_phrases(terms)
        # Of a question of stop words alone, such as "How much is it?", only phrasings tell anything.
        scores = self._retrieval.by_words(terms) or dict(likenesses)
        for at, likeness in likenesses.items():
            scores[at] = scores.get(at, 0.0) + likeness * PHRASE_SHARE
        if self._classifier and asked:
            learned = enumerate(self._classifier.scores(asked))
            scores = {at: score + scores.get(at, 0.0) for at, score in learned}
        return scores

    def _add_context(self, scores: dict[int, float], asked: Sequence[str], earlier: Sequence[str]) -> None:
        """Raise the score of sections that fit the question better together with the one before it.

        Only those that share a telling word with the question itself: else the former answer would be given again.
        """
        own, context = self._recognised(asked), self._recognised(earlier, importance=EARLIER_IMPORTANCE)
        said = {known.text for known in own}
        terms = [*own, *(known for known in context if known.text not in said)]
        together = self._scores([*earlier, *asked], terms)
        for at in self._retrieval.by_words(own):
            scores[at] = max(scores[at], together[at])

    def _recognised(self, asked: Sequence[str], *, importance: float = 1.0) -> list[Term]:
        """Return the terms that the words stand for; a word that is like none that is known stays as it is."""
        certainties: dict[str, float] = {}
        guesses = 0
        for word in dict.fromkeys(asked):
            found = [(word, 1.0)]
            if not self._knows(term(word)) and guesses < MOST_GUESSES:
                guesses += 1
                found = self._spelling.guess(word) or found
            for meant, certainty in found:
                certainties[term(meant)] = max(certainty, certainties.get(term(meant), 0.0))
        return [Term(meant, certainty, importance) for meant, certainty in certainties.items()]

    def _knows(self, text: str) -> bool:
        return text in STOP_WORDS or text in COMMON_STEMS or self._retrieval.knows(text)

    def _confidence(self, score: float) -> float:
        return round(1 / (1 + math.exp(STEEPNESS * (self._threshold - score))), 4)

    def _place_of(self, section_id: str) -> int | None:
        wanted = key(section_id)
        return next((at for at, known in enumerate(self._ids) if known == wanted), None)


def _some(found: list[str]) -> list[str]:
    half = MOST_WORDS // 2
    return found if len(found) <= MOST_WORDS else found[:half] + found[-half:]
