"""What of a question the linear model looks at: words, pairs of words that stand close, and groups of letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

from chatbot.words import stem

PAIR_REACH = 3
SHORTEST_GROUP, LONGEST_GROUP = 3, 4
_REMEMBERED_WORDS = 20_000

View = Counter[int]
"""How often each feature of one kind occurs; a feature is known by its checksum."""


def views(words: Sequence[str]) -> tuple[View, View, View]:
    """Return the features of a text's words, kind by kind: each kind counts as much as another."""
    stems = [stem(word) for word in words]
    pairs = (f"{one}_{other}" for at, one in enumerate(stems) for other in stems[at + 1 : at + 1 + PAIR_REACH])
    return Counter(map(key, stems)), Counter(map(key, pairs)), Counter(_groups(words))


@lru_cache(maxsize=_REMEMBERED_WORDS)
def key(text: str) -> int:
    """Return the number that stands for a feature or a term in the index."""
    return crc32(text.encode())


def _groups(words: Iterable[str]) -> Iterable[int]:
    return (group for word in words for group in _groups_of(word))


@lru_cache(maxsize=_REMEMBERED_WORDS)
def _groups_of(word: str) -> tuple[int, ...]:
    """Return a word's groups of neighbouring letters, its edges marked: what is left of it when it is misspelled."""
    marked = f" {word} "
    longest = min(LONGEST_GROUP, len(marked))
    return tuple(
        crc32(marked[at : at + size].encode())
        for size in range(SHORTEST_GROUP, longest + 1)
        for at in range(len(marked) - size + 1)
    )
