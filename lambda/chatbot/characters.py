"""Leaves a text the characters that a person can see, so that nothing in it hides from the one who reads it."""

from __future__ import annotations

import re
import unicodedata

# Joiners shape Persian, Indic scripts and emoji; all other characters of format (Unicode's category Cf) are invisible:
# zero-width spaces, changes of direction, and tags, which spell ASCII that only a machine reads.
JOINERS = "\u200c\u200d"
# Selectors of variants that no font has, but in which whole messages have been hidden.
UNUSED_SELECTORS = "\U000e0100-\U000e01ef"
INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_PLAIN = re.compile(r"[\x20-\x7e\n\t]*")
_SELECTORS = re.compile(f"[{UNUSED_SELECTORS}]")


def visible(text: str) -> str:
    """Return a text in its composed form (NFC), with line feed as its only line end and no invisible characters."""
    text = LINE_ENDS.sub("\n", text)
    if _PLAIN.fullmatch(text):
        return text
    kept = (each for each in text if each in "\n\t" or each in JOINERS or _is_visible(each))
    return unicodedata.normalize("NFC", _SELECTORS.sub("", "".join(kept)))


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in INVISIBLE_CATEGORIES
