"""Texts cut to a length between words; two texts, to where they differ."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from os.path import commonprefix
from typing import Final

GAP: Final = "… "
AROUND: Final = (20, 12, 6)
"""How many words that two texts share are shown beside what differs: as many as there is room for."""
LONGEST_WORD: Final = 30
"""A longer run of signs counts as several words: an address, or a script that is written without spaces."""

MOST_COMPARED: Final = 4_000
"""How many characters of longer texts are compared, from shortly before the first that differs: in a moment."""

Range = tuple[int, int]


def excerpt(text: str, limit: int) -> str:
    """Return the beginning of ``text``, in at most ``limit`` characters."""
    words = _words(text)
    return _cut(_pieces(words, [(0, len(words))]), limit)


def excerpts(before: str, after: str, limit: int) -> tuple[str, str]:
    """Return two texts in at most ``limit`` characters each: whole, or what differs with words around it."""
    if max(len(before), len(after)) <= limit:
        return before, after
    old, new = map(_words, _apart(before, after))
    for around in AROUND:
        old_ranges, new_ranges = _differing(old, new, around)
        pieces = list(_pieces(old, old_ranges)), list(_pieces(new, new_ranges))
        if all(len("".join(side)) <= limit for side in pieces):
            break
    return _cut(pieces[0], limit), _cut(pieces[1], limit)


def _apart(before: str, after: str) -> tuple[str, str]:
    """Return where two long texts differ, without most of what they begin and end with alike."""
    if max(len(before), len(after)) <= MOST_COMPARED:
        return before, after
    start = _alike(before, after)
    end = _alike(before[:start:-1], after[:start:-1])
    first, last = (text[start : len(text) - end][:MOST_COMPARED] for text in (before, after))
    lead, tail = GAP if start else "", f" {GAP}" if end else ""
    return f"{lead}{first}{tail}", f"{lead}{last}{tail}"


def _alike(before: str, after: str) -> int:
    """Return how many characters both begin with, but for some that show where one is."""
    return max(0, len(commonprefix((before, after))) - LONGEST_WORD)  # noqa: RUF071 - no paths are meant


def _words(text: str) -> list[str]:
    return re.findall(rf"\S{{1,{LONGEST_WORD}}}\s*", text)


def _differing(old: Sequence[str], new: Sequence[str], around: int) -> tuple[list[Range], list[Range]]:
    """Return which words of each text to show, ``around`` shared ones beside every difference."""
    groups = list(SequenceMatcher(None, old, new).get_grouped_opcodes(around))
    return [(each[0][1], each[-1][2]) for each in groups], [(each[0][3], each[-1][4]) for each in groups]


def _pieces(words: Sequence[str], ranges: Sequence[Range]) -> Iterator[str]:
    at = 0
    for start, end in ranges:
        if start > at:
            yield GAP
        yield from words[start:end]
        at = end
    if at < len(words):
        yield GAP


def _cut(pieces: Iterator[str] | Sequence[str], limit: int) -> str:
    every = list(pieces)
    text = "".join(every).rstrip()
    if len(text) <= limit:
        return text
    while len(text) + len(GAP) > limit:
        every.pop()
        text = "".join(every).rstrip(f" {GAP}")
    return f"{text} {GAP}".strip()
