"""How text becomes words that can be compared: the same way for the index and for a question."""

from __future__ import annotations

import re
import unicodedata


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that ask rather than name something; they would match every section alike.
STOP_WORDS = _listed(
    """
    a about all also am an and any are arent as at be because been being but by can cant could couldnt did didnt
    do does doesnt doing done dont else ever exactly for from get gets getting give had has have having he her
    here him his how i if im in into is isnt it its ive just kind know let lets like many may me might much must
    my myself need not of off on one or other our out please really shall she should shouldnt so some somebody
    somehow someone something such tell than that thats the their them then there these they thing things this
    those to too up us very want was way we were what whats when where wheres which while who whose why will with
    within without wont would wouldnt yet you your youre yours
    """
)

# Words that people say about anything: they count, but for little.
COMMON_WORDS = _listed(
    """
    again already another anything ask away back call change come day different easily everything explain find
    first give go good great happen help keep look make mean more new next nothing now own people possible put
    question say second see show start still take time try use used using way work write
    """
)

GOES_ON = _listed("also and but or so then")
"""Words that a question begins with when it goes on from another."""

REFERS_BACK = _listed("it its one ones same that their them there these they this those")
"""Words that stand for something that was said before."""

# In the scripts of India vowels are marks, which `\w` leaves out.
LETTER = r"(?:[^\W_]|[\u0900-\u0963\u0966-\u0dff])"
_WORD = re.compile(rf"{LETTER}+(?:['’]{LETTER}+)?")
# Thai, Lao, kana and Han: written without spaces, so that pairs of neighbouring signs have to stand for words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_ENDINGS = (
    *((ending, "") for ending in ("ations", "ation", "ating", "ated", "ates", "ate", "ally", "ly")),
    ("ions", ""),
    ("ion", ""),
    ("ments", ""),
    ("ment", ""),
    ("ings", ""),
    ("ing", ""),
    ("ies", "y"),
    ("als", ""),
    ("al", ""),
    ("ers", ""),
    ("er", ""),
    ("ed", ""),
    ("es", ""),
    ("e", ""),
    ("s", ""),
)
_TAG = r"<(/?[A-Za-z][^\s<>/]*)[^<>]*>"
_UNSHOWN_ELEMENTS = frozenset({"script", "style"})
_SHORTEST_STEM = 3
_LONGEST_WORD = 40


def words(text: str) -> list[str]:
    """Return the words of a text: lower case, without accents, in order, stop words included."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    if not plain.isascii():
        plain = "".join(character for character in plain if character < "\x80" or not _is_silent(character))
        plain = _UNSPACED.sub(_pairs, plain)
    return [word.replace("'", "").replace("’", "")[:_LONGEST_WORD] for word in _WORD.findall(plain)]


def _is_silent(character: str) -> bool:
    """Tell accents, and what nobody sees: soft hyphens, zero-width spaces, marks of direction."""
    return bool(unicodedata.combining(character)) or unicodedata.category(character) == "Cf"


def _pairs(run: re.Match[str]) -> str:
    signs = run[0]
    return f" {' '.join(signs[at : at + 2] for at in range(max(1, len(signs) - 1)))} "


def shown(text: str) -> str:
    """Return what a page would show of a text: neither its tags nor what its scripts and styles hold."""
    parts: list[str] = []
    at, hidden_until = 0, ""
    # Compiled when it is needed first: most questions have no tag, and a cold start should not pay for it.
    for tag in re.finditer(_TAG, text):
        name = tag[1].lower()
        if not hidden_until:
            parts.append(text[at : tag.start()])
            hidden_until = f"/{name}" if name in _UNSHOWN_ELEMENTS else ""
        elif name == hidden_until:
            hidden_until = ""
        at = tag.end()
    return " ".join(parts if hidden_until else [*parts, text[at:]])


def term(word: str) -> str:
    """Return what a word is compared by: its stem, or itself if it is a stop word."""
    return word if word in STOP_WORDS else stem(word)


def stem(word: str) -> str:
    """Cut one English ending, so that "deploys", "deployed" and "deployment" meet."""
    for ending, replacement in _ENDINGS:
        if word.endswith(ending) and not word.endswith("ss"):
            cut = word[: -len(ending)] + replacement
            if len(cut) >= _SHORTEST_STEM:
                return _single_final(cut)
    return word


def _single_final(cut: str) -> str:
    """Undo a doubled final consonant: "planned" gives "plann", which must meet "plan"."""
    doubled = len(cut) > _SHORTEST_STEM and cut[-1] == cut[-2] and cut[-1] not in "aeiouls"
    return cut[:-1] if doubled else cut


COMMON_STEMS = frozenset(stem(word) for word in COMMON_WORDS)


def edits(one: str, other: str) -> int:
    """Count the typing errors between two words: letters changed, left out, put in, or swapped with the next.

    This is the optimal string alignment distance (Damerau, "A technique for computer detection and correction of
    spelling errors", 1964).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, theirs in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
