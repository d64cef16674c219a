"""Takes a word that the knowledge does not have for one that it has: misspelled, cut short, or two in one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from chatbot.words import STOP_WORDS, edits

if TYPE_CHECKING:
    from chatbot.index import Column

SHORTEST_MISSPELLED_WORD = 4
LONG_WORD = 7
SHORTEST_HALF = 3
LOST_BY_AN_ERROR = 0.15
CERTAINTY_OF_AN_ABBREVIATION = 0.8
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Guess = tuple[str, float]
"""A known word, and how certain it is that this one is meant."""


class Spelling:
    """The words of the knowledge: ascending, one a line."""

    def __init__(self, lines: Column) -> None:
        self._lines = lines

    def guess(self, word: str) -> list[Guess]:
        """Return the known words that an unknown one stands for; none where nothing is close."""
        if len(word) < SHORTEST_MISSPELLED_WORD:
            return []
        return self._two_in_one(word) or self._misspelled(word) or self._cut_short(word)

    def _two_in_one(self, word: str) -> list[Guess]:
        for cut in range(SHORTEST_HALF, len(word) - SHORTEST_HALF + 1):
            if word[:cut] in self._known and word[cut:] in self._known:
                return [(word[:cut], 1.0), (word[cut:], 1.0)]
        return []

    def _misspelled(self, word: str) -> list[Guess]:
        one_error = [known for known in _one_error_away(word) if known in self._known or known in STOP_WORDS]
        # A word of four letters has too many neighbours to take another for it, unless two letters only changed places.
        if len(word) == SHORTEST_MISSPELLED_WORD:
            one_error = [known for known in one_error if sorted(known) == sorted(word)]
        if one_error:
            return [(min(one_error, key=lambda known: (sorted(known) != sorted(word), known)), 1 - LOST_BY_AN_ERROR)]
        if len(word) < LONG_WORD:
            return []
        two_errors = [known for known in self._alike(word) if edits(word, known) == 2]
        return [(min(two_errors), 1 - 2 * LOST_BY_AN_ERROR)] if two_errors else []

    def _alike(self, word: str) -> Iterator[str]:
        """Yield known words with the same beginning, of about the same length and the same letters."""
        letters = set(word)
        for known in self._beginning_with(word[:2]):
            if abs(len(known) - len(word)) <= 2 and len(letters ^ set(known)) <= 4:
                yield known

    def _cut_short(self, word: str) -> list[Guess]:
        """Take a word for the beginning of a longer one; of several, for the shortest."""
        longer = self._beginning_with(word)
        return [(min(longer, key=len), CERTAINTY_OF_AN_ABBREVIATION)] if longer else []

    def _beginning_with(self, beginning: str) -> list[str]:
        start = bisect_left(self._sorted, beginning)
        end = bisect_left(self._sorted, beginning + "\U0010ffff", lo=start)
        return self._sorted[start:end]

    # Made at the first unknown word: most questions have none, and a cold start should not pay for it.
    @cached_property
    def _sorted(self) -> list[str]:
        return bytes(self._lines).decode().split("\n")

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._sorted)


def _one_error_away(word: str) -> Iterator[str]:
    """Yield every word with a letter less, more, or other, or with two neighbours in each other's place."""
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in LETTERS:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]
