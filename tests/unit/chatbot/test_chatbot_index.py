"""The index: what was written is read, and what is none is refused."""

import json
from array import array

import pytest

from chatbot.index import NoIndexError, Records, pack, place, unpack
from chatbot.knowledge import Knowledge

FACTS = {"threshold": 0.5, "starters": ["ä"]}
COLUMNS = {"keys": array("I", [1, 5, 2**32 - 1]), "weights": array("b", [-128, 127]), "text": "ä".encode()}


def test_what_is_packed_is_read_again() -> None:
    """Numbers of every kind, text and facts; odd lengths do not disturb what comes after."""
    index = unpack(pack(FACTS, COLUMNS))
    assert index.facts["starters"] == ["ä"]
    assert {name: list(column) for name, column in index.columns.items()} == {
        "keys": [1, 5, 2**32 - 1],
        "weights": [-128, 127],
        "text": list("ä".encode()),
    }


def test_the_format_is_safetensors() -> None:
    """Other programs can open an index: a length, a header, and columns without a gap between them."""
    data = pack(FACTS, COLUMNS)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header["keys"] == {"dtype": "U32", "shape": [3], "data_offsets": [0, 12]}
    assert header["weights"]["data_offsets"][0] == 12
    assert 8 + length + header["text"]["data_offsets"][1] == len(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\0" * 100, b'{"version":1,"sections":[]}', pack(FACTS, COLUMNS)[:40], pack(FACTS, COLUMNS)[:-1]],
)
def test_what_is_no_index_is_refused(data: bytes) -> None:
    """A package whose index does not belong to its code fails at once, not in its answers."""
    with pytest.raises(NoIndexError, match="no knowledge index"):
        Knowledge(data)


def test_an_index_of_another_version_is_refused() -> None:
    """The message says what to do."""
    with pytest.raises(NoIndexError, match=r"has version 1, wanted \d+: build it anew"):
        Knowledge(pack({"version": 1}, {}))


@pytest.mark.parametrize("at", range(0, len(pack(FACTS, COLUMNS)), 3))
def test_a_damaged_index_is_refused(at: int) -> None:
    """Wherever a bit is flipped: it is told in one line when it is opened, not in answers."""
    data = bytearray(pack(FACTS, COLUMNS))
    data[at] ^= 0b100
    with pytest.raises(NoIndexError, match=r"damaged|no knowledge index|has version") as told:
        unpack(bytes(data))
    assert "\n" not in str(told.value)


def test_an_older_index_that_lacks_something_is_refused() -> None:
    """Before anybody asks, and by what it lacks."""
    with pytest.raises(NoIndexError, match="has no 'sections': build it anew"):
        Knowledge(pack(FACTS, COLUMNS))


def test_a_key_is_found_or_not() -> None:
    """Between its neighbours, at both ends, and where there is nothing."""
    keys = array("I", [2, 4, 6])
    assert [place(keys, key) for key in (1, 2, 3, 6, 7)] == [None, 0, None, 2, None]
    assert place(array("I"), 1) is None


def test_records_are_a_sequence() -> None:
    """They can be counted, taken from either end, and sliced."""
    records = Records(b'"a""b""c"', array("I", [0, 3, 6, 9]), str)
    assert (len(records), records[-1], list(records), records[1:]) == (3, "c", ["a", "b", "c"], ["b", "c"])
    with pytest.raises(IndexError):
        records[3]
