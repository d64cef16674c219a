"""How the contract's messages look as JSON."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any


def to_json(message: object) -> str:
    """Return a message of the contract, or a problem, as JSON without blanks: the form of every answer."""
    return json.dumps(_plain(message), ensure_ascii=False, separators=(",", ":"))


def size_in_response(text: str) -> int:
    """Return how many bytes text takes within a function's response, where it is a string of JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
