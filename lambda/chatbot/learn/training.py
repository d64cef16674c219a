"""Learns the linear model of how people ask: with scikit-learn, when the function is packaged. It is not shipped."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from chatbot.classifier import IDF_UNIT
from chatbot.features import views
from chatbot.learn.indexing import MANY_PHRASINGS, Columns, phrases, sentences
from chatbot.words import words

if TYPE_CHECKING:
    from chatbot.features import View
    from chatbot.learn.lessons import Lesson

# A sentence of the answer says less about how people ask than a way to ask does.
SENTENCE_WEIGHT = 0.3
# What questions are made of, whatever they are about; alone it belongs to no section.
FRAMES = (
    "how do I", "how can I", "how does the", "how is the", "how many", "how much is", "how long is", "what is the",
    "what are the", "what does this", "who is the", "who are", "where is the", "where can I", "when is the", "when do",
    "why is the", "why does", "which", "is there a", "is it", "are there any", "can I", "can you", "could you please",
    "do you", "does it", "I want to", "I need to", "tell me about the", "give me a", "my", "was the", "will it",
)  # fmt: skip
FRAME_WEIGHT = 0.3
REGULARISATION = 1.0
TOLERANCE = 0.01
WHOLE_WEIGHTS = 127
BYTE_VALUES = 256
MOST_WORK = 8_000_000
"""How many examples times sections are learned: beyond, it takes minutes, and there are few phrasings a section."""


@dataclass(frozen=True)
class Model:
    """What the index holds of the model."""

    facts: dict[str, float]
    columns: Columns


@dataclass(frozen=True)
class _Example:
    section: int
    views: tuple[View, ...]
    weight: float


def train(lessons: Sequence[Lesson]) -> Model | None:
    """Return a model that tells the sections apart, or None where there is nothing, or too much, to tell apart."""
    examples = list(_examples(lessons))
    if len(lessons) < 2 or len(examples) * len(lessons) > MOST_WORK:
        return None
    keys, rarities, unknown = _rarities(examples)
    matrix = _matrix(examples, keys, rarities)
    # Of the two solvers only the dual one is made for many features; its random order is fixed by the seed.
    learner = LinearSVC(C=REGULARISATION, tol=TOLERANCE, dual=True, random_state=0, max_iter=2000)
    learner.fit(matrix, [example.section for example in examples], [example.weight for example in examples])
    # The last class is that of no section.
    return _packed(keys, rarities, learner.coef_[:-1], learner.intercept_[:-1], unknown)


def _examples(lessons: Sequence[Lesson]) -> Iterator[_Example]:
    for section, lesson in enumerate(lessons):
        few = len(lesson.phrasings) < MANY_PHRASINGS
        texts = [(text, 1.0) for text in phrases(lesson)]
        texts += [(text, SENTENCE_WEIGHT) for text in sentences(lesson.text) if few]
        for text, weight in texts:
            yield _Example(section, _views(text), weight)
    for text in ("", *FRAMES):
        yield _Example(len(lessons), _views(text), FRAME_WEIGHT)


# What is held back to calibrate the bot is learned in the end.
@lru_cache(maxsize=100_000)
def _views(text: str) -> tuple[View, ...]:
    return views(words(text))


def _rarities(examples: Sequence[_Example]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], float]:
    """Return the keys of all features, how rare each is, and how rare an unknown one is.

    This is the square root of the usual inverse document frequency, in parts that the index can hold.
    """
    holding: Counter[int] = Counter(feature for example in examples for view in example.views for feature in view)
    keys = np.array(sorted(holding), dtype=np.uint32)
    counts = np.array([holding[int(feature)] for feature in keys], dtype=np.float64)
    rarities = np.sqrt(1 + np.log((1 + len(examples)) / (1 + counts)))
    return keys, np.minimum(255, np.round(rarities * IDF_UNIT)), math.sqrt(1 + math.log(1 + len(examples)))


def _matrix(examples: Sequence[_Example], keys: np.ndarray[Any, Any], rarities: np.ndarray[Any, Any]) -> csr_matrix:
    """Return a row for each example: the features of each kind as a vector of length one, side by side."""
    columns = {int(feature): column for column, feature in enumerate(keys)}
    values, places, starts = array("d"), array("i"), array("i", [0])
    for example in examples:
        for view in example.views:
            found = [(columns[feature], 1 + math.log(count)) for feature, count in view.items()]
            row = [value * rarities[column] for column, value in found]
            length = math.sqrt(sum(value * value for value in row)) or 1.0
            values.extend(value / length for value in row)
            places.extend(column for column, _ in found)
        starts.append(len(places))
    return csr_matrix((np.asarray(values), np.asarray(places), np.asarray(starts)), shape=(len(examples), len(keys)))


def _packed(
    keys: np.ndarray[Any, Any],
    rarities: np.ndarray[Any, Any],
    weights: np.ndarray[Any, Any],
    biases: np.ndarray[Any, Any],
    unknown: float,
) -> Model:
    """Keep the weights as bytes, and only those that are more than nothing then; feature by feature."""
    unit = float(np.abs(weights).max()) / WHOLE_WEIGHTS
    whole = np.rint(weights.T / unit).astype(np.int8)
    known = whole.any(axis=1)
    features, sections = np.nonzero(whole[known])
    starts: Any = np.searchsorted(features, np.arange(int(known.sum()) + 1))
    section: Literal["B", "H"] = "B" if len(biases) <= BYTE_VALUES else "H"
    columns: Columns = {
        "feature_keys": array("I", keys[known].tolist()),
        "feature_rarities": array("B", rarities[known].astype(np.uint8).tolist()),
        "feature_starts": array("I", starts.tolist()),
        "weight_sections": array(section, sections.tolist()),
        "weights": array("b", whole[known][features, sections].tolist()),
        "biases": array("f", np.round(biases, 4).tolist()),
    }
    return Model({"weight_unit": round(unit, 6), "unknown_rarity": round(unknown, 4)}, columns)
