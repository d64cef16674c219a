"""Tells what is wrong with a value, by the same types that the OpenAPI document is written from."""

from __future__ import annotations

import re
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from chatbot.contract import Bounds


def fault(hint: Any, value: object) -> str | None:
    """Return what is wrong with a value, as the end of a sentence that begins with its name; None if nothing is."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return fault(arguments[0], value) or _out_of_bounds(arguments[1], value)
    if origin is UnionType:
        (hint,) = (inner for inner in arguments if inner is not NoneType)
        return fault(hint, value)
    if origin is Literal:
        return None if value in arguments else f"must be one of {', '.join(arguments)}"
    if hint is int:
        return None if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"
    return None if isinstance(value, str) else "must be a string"


def _out_of_bounds(bounds: Bounds, value: Any) -> str | None:
    if bounds.max_length is not None and len(value) > bounds.max_length:
        return f"must have at most {bounds.max_length} characters, got {len(value)}"
    if bounds.min_length is not None and len(value) < bounds.min_length:
        return "must not be empty"
    if bounds.minimum is not None and not bounds.minimum <= value <= (bounds.maximum or value):
        return f"must be from {bounds.minimum} to {bounds.maximum}"
    if bounds.pattern is not None and not re.fullmatch(bounds.pattern, value):
        return f"must match {bounds.pattern}"
    return None
