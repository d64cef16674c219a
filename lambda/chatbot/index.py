"""The file that the bot's knowledge is kept in: named columns of numbers and text, used where they lie.

It is the safetensors format, which any of its libraries opens: https://huggingface.co/docs/safetensors. Reading it
parses a short header and copies nothing, because it is a part of every cold start.
"""

from __future__ import annotations

import json
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, overload
from zlib import crc32

VERSION = 3
"""What an index has to be for this code to answer from it."""

# The format's names for the kinds of numbers, by those of `array` and `memoryview`. The format is little-endian, as
# both of Lambda's architectures are.
_KINDS = {"I": "U32", "H": "U16", "B": "U8", "b": "I8", "f": "F32"}
_CODES: dict[str, Any] = {kind: code for code, kind in _KINDS.items()}
_LENGTH = struct.Struct("<Q")
_FACTS, _CHECKSUM = "parley", "crc32"
_ALIGNMENT = 8

Column = Sequence[Any]
"""Numbers of one kind: a view into the file."""


class NoIndexError(ValueError):
    """The bytes are no index that this code can answer from; the message says what to do."""


class _Parts(dict[str, Any]):
    """What an index holds, by name; an older one may lack what is asked for."""

    def __missing__(self, name: str) -> NoReturn:
        raise NoIndexError(f"the knowledge index has no {name!r}: build it anew")


class Index(NamedTuple):
    """The columns of an index, and single facts about them."""

    facts: Mapping[str, Any]
    columns: Mapping[str, Column]


class Records[T](Sequence[T]):
    """Values kept as JSON, one after another; one is read when it is asked for."""

    def __init__(self, content: Column, starts: Column, made: Callable[[Any], T]) -> None:
        self._content = content
        self._starts = starts
        self._made = made

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        number = range(len(self))[at]
        return self._made(json.loads(bytes(self._content[self._starts[number] : self._starts[number + 1]])))


def pack(facts: Mapping[str, Any], columns: Mapping[str, array[Any] | bytes]) -> bytes:
    """Return the file that `unpack` reads: the same bytes for the same content."""
    told = _json({"version": VERSION} | dict(facts))
    header: dict[str, Any] = {}
    content = bytearray()
    for name, column in columns.items():
        kind = "U8" if isinstance(column, bytes) else _KINDS[column.typecode]
        start = len(content)
        content += column if isinstance(column, bytes) else column.tobytes()
        header[name] = {"dtype": kind, "shape": [len(column)], "data_offsets": [start, len(content)]}
    metadata = {_FACTS: told, _CHECKSUM: _checksum(told, header, content)}
    head = _json({"__metadata__": metadata} | header).encode()
    head += b" " * (-len(head) % _ALIGNMENT)
    return _LENGTH.pack(len(head)) + head + bytes(content)


def unpack(data: bytes) -> Index:
    """Open an index; raises NoIndexError for anything else, for one of another version, and for a damaged one."""
    try:
        (length,) = _LENGTH.unpack_from(data)
        header = json.loads(data[_LENGTH.size : _LENGTH.size + length])
        metadata = header.pop("__metadata__")
        facts = json.loads(metadata[_FACTS])
        content = memoryview(data)[_LENGTH.size + length :]
        columns = {
            name: content[slice(*column["data_offsets"])].cast(_CODES[column["dtype"]])
            for name, column in header.items()
        }
        if max((column["data_offsets"][1] for column in header.values()), default=0) != len(content):
            raise ValueError("the file ends before its columns do, or after")
        version = facts["version"]
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoIndexError("this is no knowledge index: build it with `python -m chatbot.learn`") from error
    if version != VERSION:
        raise NoIndexError(f"the knowledge index has version {version}, wanted {VERSION}: build it anew")
    if metadata.get(_CHECKSUM) != _checksum(metadata[_FACTS], header, content):
        raise NoIndexError("the knowledge index is damaged, its checksum is another one: build it anew")
    return Index(_Parts(facts), _Parts(columns))


def place(keys: Column, key: int) -> int | None:
    """Return where a key stands in a column of ascending keys, or None."""
    at = bisect_left(keys, key)
    return at if at < len(keys) and keys[at] == key else None


def _checksum(facts: str, header: Mapping[str, Any], content: bytes | bytearray | memoryview) -> str:
    """Return what tells whether any byte changed by accident: enough for that, and done in a fraction of a digest."""
    return f"{crc32(content, crc32(_json([facts, header]).encode())):08x}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
