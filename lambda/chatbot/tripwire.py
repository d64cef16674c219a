"""Tells whether a reply gives away what only the model was told.

The instructions hold a canary: a word that means nothing and that nobody else knows, new with every start of the
function. A reply that holds it shows that somebody talked the model out of its instructions, whatever else it says.
Models give secrets away in disguise, so a reply is also read backwards, shifted, decoded, by first letters, and between
the lines. No list of disguises is complete (a model could spell the word in a rhyme): this catches the common ones.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import secrets
import string
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

# Letters and digits that have few look-alikes in other alphabets, and that seldom follow each other in any text.
ALPHABET = "dfgjqrvwz23456789"
LENGTH = 20
# As much of the canary as counts as all of it.
TELLING = 10
# Within how many characters the canary's own, in order but with others in between, are no accident.
SPAN = 160
# As many words of the instructions as nobody says by chance.
RECITED_WORDS = 8
DECODINGS = 2

NEITHER_LETTER_NOR_DIGIT = re.compile("[^a-z0-9]+")
NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = dict(zip(NUMERALS, string.digits, strict=True))
NUMERAL = re.compile(rf"\b({'|'.join(NUMERALS)})\b", re.IGNORECASE)
# Unicode's tags: ASCII that is not shown.
TAGS = {0xE0000 + code: code for code in range(0x20, 0x7F)}
CODES = re.compile(r"(?:(?:0x|\\x|U\+|&#x?|\\u\{?|%)?[0-9A-Fa-f]{2,8}[;}]?[\s,]*){8,}")
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
BASE32 = re.compile("[A-Z2-7]{16,}|[a-z2-7]{16,}")
HEXADECIMAL = re.compile("[0-9A-Fa-f]{16,}")
ESCAPE = re.compile(r"\\u\{?([0-9a-fA-F]{2,6})\}?|\\x([0-9a-fA-F]{2})|U\+([0-9a-fA-F]{2,6})")


def new_canary() -> str:
    """Return a word that cannot be guessed."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class Tripwire:
    """Knows what a reply must not give away: the canary, and the instructions that it stands in."""

    def __init__(self, canary: str, instructions: str) -> None:
        self._canaries = canary, canary[::-1]
        self._needles = (*_disguised(canary), *_recited(instructions))

    def trips(self, reply: str) -> bool:
        """Whether a reply holds the canary, in the open or in a simple disguise, or recites the instructions."""
        return any(self._shows(_bare(view)) for view in _views(reply))

    def _shows(self, bare: str) -> bool:
        return any(needle in bare for needle in self._needles) or any(_scattered(word, bare) for word in self._canaries)


def _disguised(canary: str) -> Iterator[str]:
    """Yield the canary's parts, both ways, and the canary with its letters shifted or mirrored in the alphabet."""
    for word in (canary, canary[::-1]):
        yield from (word[at : at + TELLING] for at in range(len(word) - TELLING + 1))
        for shift in range(1, 26):
            shifted = string.ascii_lowercase[shift:] + string.ascii_lowercase[:shift]
            yield word.translate(str.maketrans(string.ascii_lowercase, shifted))
        yield word.translate(str.maketrans(string.ascii_lowercase, string.ascii_lowercase[::-1]))


def _recited(instructions: str) -> Iterator[str]:
    words = instructions.split()
    for at in range(0, len(words) - RECITED_WORDS + 1, RECITED_WORDS):
        yield _bare("".join(words[at : at + RECITED_WORDS]))


def _bare(text: str) -> str:
    """Return a text's letters and digits, without case, width, accents, style and whatever stands between them."""
    if not text.isascii():
        text = text.translate(TAGS)
        text = "".join(str(unicodedata.digit(each, each)) for each in unicodedata.normalize("NFKD", text).casefold())
    return NEITHER_LETTER_NOR_DIGIT.sub("", text.lower())


def _scattered(word: str, text: str) -> bool:
    """Whether the characters of a word stand in a text in order, not too far apart, whatever stands in between."""
    start = text.find(word[0])
    while start >= 0:
        at = start
        for character in word[1:]:
            at = text.find(character, at + 1, start + SPAN)
            if at < 0:
                break
        else:
            return True
        start = text.find(word[0], start + 1)
    return False


def _views(text: str) -> Iterator[str]:
    """Yield a text as it stands and as it may be meant, each once."""
    seen: set[str] = set()
    views = [text]
    for _ in range(DECODINGS + 1):
        views = [view for view in dict.fromkeys(views) if view not in seen]
        seen.update(views)
        yield from views
        views = [meant for view in views for meant in _meant(view) if meant.strip()]


def _meant(text: str) -> Iterator[str]:
    yield NUMERAL.sub(lambda found: DIGITS[found[0].lower()], text)
    yield unquote(html.unescape(ESCAPE.sub(lambda found: _character(found[1] or found[2] or found[3]), text)))
    yield "".join(re.findall(r"(?m)^[^\w\n]*(\w)", text))
    yield "".join(re.findall(r"\b\w", text))
    yield text[::-1]
    yield codecs.encode(text, "rot13")
    for run in CODES.findall(text):
        yield from _codes(run)
    yield from _decoded(text)
    yield from _decoded(re.sub(r"\s", "", text))


def _character(code: str, base: int = 16) -> str:
    number = int(code, base)
    return chr(number) if number < 0x110000 else ""


def _codes(run: str) -> Iterator[str]:
    """Read character codes one after another: in hexadecimal, decimal or binary."""
    numbers = re.findall(r"[0-9A-Fa-f]{2,8}", run)
    for base, digits in ((16, string.hexdigits), (10, string.digits), (2, "01")):
        yield "".join(_character(number, base) for number in numbers if set(number) <= set(digits))


def _decoded(text: str) -> Iterator[str]:
    """Read what looks encoded; words that ran into it may have moved where its groups of characters begin."""
    for run in BASE64.findall(text):
        standard = run.replace("-", "+").replace("_", "/")
        yield from (_ascii(base64.b64decode, standard[begin:], group=4) for begin in range(4))
    for run in HEXADECIMAL.findall(text):
        yield from (_ascii(bytes.fromhex, run[begin:], group=2) for begin in range(2))
    yield from (_ascii(base64.b32decode, run.upper(), group=8) for run in BASE32.findall(text))


def _ascii(decode: Callable[[str], bytes], run: str, *, group: int) -> str:
    try:
        return decode(run[: len(run) // group * group]).decode("ascii", "ignore")
    except (binascii.Error, ValueError):
        return ""
