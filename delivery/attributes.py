"""What differs between two versions of a resource, attribute by attribute, with secrets kept out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from delivery.excerpts import excerpt, excerpts

SENSITIVE = "(sensitive value)"
UNKNOWN = "(known after apply)"
MAX_SHOWN = 160
DEEPEST = 50
"""A document in a text that is nested deeper than this stays a text."""

Marks = Any
"""Terraform's marks: ``true`` for a whole value, or the value's own shape with ``true`` at the marked places."""


@dataclass(frozen=True)
class Difference:
    """One attribute that differs; ``None`` stands for an attribute that is not there."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {self.after}"
        if self.after is None:
            return f"- {self.path}: {self.before}"
        return f"! {self.path}: {self.before} -> {self.after}"


def redacted(value: Any, marks: Marks) -> Any:
    """Return ``value`` without what ``marks`` declare sensitive."""
    if marks is True:
        return SENSITIVE
    if isinstance(value, dict) and isinstance(marks, dict):
        return {key: redacted(item, marks.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [redacted(item, at(marks, index)) for index, item in enumerate(value)]
    return value


def known(value: Any, unknown: Marks) -> Any:
    """Return ``value`` with ``UNKNOWN`` in the places that only applying will fill."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        members = value if isinstance(value, dict) else {}
        return {key: known(members.get(key), unknown.get(key)) for key in {**members, **unknown}}
    if isinstance(unknown, list) and isinstance(value, list):
        return [known(item, at(unknown, index)) for index, item in enumerate(value)]
    return value


def both(left: Marks, right: Marks) -> Marks:
    """Return the marks of either: what is a secret on one side is shown on neither."""
    if left is True or right is True:
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return {key: both(left.get(key), right.get(key)) for key in {**left, **right}}
    if isinstance(left, list) and isinstance(right, list):
        return [both(at(left, index), at(right, index)) for index in range(max(len(left), len(right)))]
    # Of two shapes that differ, neither leads to the secrets of the other.
    return True if _marks(left) and _marks(right) else left if _marks(left) else right


def _marks(marks: Marks) -> bool:
    """Return whether anything at all is marked."""
    items = marks.values() if isinstance(marks, dict) else marks if isinstance(marks, list) else ()
    return marks is True or any(map(_marks, items))


def differences(before: Any, after: Any, *, sensitive: Marks = None, unknown: Marks = None) -> list[Difference]:
    """Return every attribute that differs between ``before`` and ``after``; JSON inside strings is looked into."""
    old = {path: (raw, shown) for path, raw, shown in _leaves("", before, sensitive, None)}
    new = {path: (raw, shown) for path, raw, shown in _leaves("", after, sensitive, unknown)}
    missing = (None, None)
    found = []
    for path in sorted({**old, **new}):
        (old_raw, old_shown), (new_raw, new_shown) = old.get(path, missing), new.get(path, missing)
        if old_raw != new_raw:
            found.append(Difference(path or "value", *_shown(old_shown, new_shown)))
    return found


def _shown(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Return both in a length that is read: of one that has changed, where it has."""
    if before is not None and after is not None:
        return excerpts(before, after, MAX_SHOWN)
    return before and excerpt(before, MAX_SHOWN), after and excerpt(after, MAX_SHOWN)


def _leaves(
    path: str, value: Any, sensitive: Marks, unknown: Marks, *, written: bool = False
) -> Iterator[tuple[str, str, str]]:
    """Yield path, raw value and shown value of everything in ``value``.

    What is empty yields nothing, as a provider may write it either way, unless somebody has ``written`` it in a
    document: ``{"security": [{"key": []}]}`` asks for a key.
    """
    if unknown is True:
        yield path, UNKNOWN, SENSITIVE if sensitive is True else UNKNOWN
    elif sensitive is True:
        if value is not None:
            yield path, json.dumps(value, sort_keys=True), SENSITIVE
    elif written and value in ({}, []):
        yield path, json.dumps(value), json.dumps(value)
    elif isinstance(value, dict) or isinstance(unknown, dict):
        members = value if isinstance(value, dict) else {}
        for key in {**members, **(unknown if isinstance(unknown, dict) else {})}:
            inner = f"{path}.{key}" if path else str(key)
            yield from _leaves(inner, members.get(key), at(sensitive, key), at(unknown, key), written=written)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item, at(sensitive, index), at(unknown, index), written=written)
    elif isinstance(value, str) and (document := _document(value)) is not None:
        yield from _leaves(path, document, None, None, written=True)
    elif value is not None and value != "":
        yield path, json.dumps(value), json.dumps(value, ensure_ascii=False)


def _document(text: str) -> Any:
    """Return the object or list written as JSON in ``text``, or ``None``."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if found and _is_shallow(found) else None


def _is_shallow(value: Any) -> bool:
    """Return whether ``value`` is nested so little that a person could follow it."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return True
    return False


def at(marks: Marks, place: Any) -> Marks:
    """Return the marks of the member at ``place``."""
    if marks is True:
        return True
    if isinstance(marks, dict):
        return marks.get(place)
    if isinstance(marks, list) and isinstance(place, int):
        return marks[place] if place < len(marks) else None
    return None
