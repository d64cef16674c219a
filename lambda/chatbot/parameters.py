"""Reads an operation's parameters and its token out of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatbot.errors import FieldError, Problem, ProblemError
from chatbot.messages import Event, header
from chatbot.routes import Parameter, Route
from chatbot.validation import fault

# What is wrong in a path is not there.
MISSING_IN_PATH = {
    "conversation_id": Problem.CONVERSATION_NOT_FOUND,
    "number": Problem.MESSAGE_NOT_FOUND,
}


def read_parameters(event: Event, route: Route, path_values: Mapping[str, str]) -> dict[str, Any]:
    """Return what the parameters of a route are, by their names as identifiers; None for those that are not given.

    Raises ProblemError that says which of them are wrong.
    """
    found: dict[str, Any] = {}
    errors: list[FieldError] = []
    for parameter in route.parameters:
        text = _given(event, parameter, path_values)
        value = _typed(text) if parameter.is_number else text
        if value is not None and (wrong := fault(parameter.hint, value)):
            if parameter.place == "path":
                raise ProblemError(MISSING_IN_PATH[parameter.name])
            errors.append(FieldError(parameter.place, f"/{parameter.name}", wrong))
        found[parameter.identifier] = value
    if errors:
        raise ProblemError(Problem.INVALID_REQUEST, errors=tuple(errors))
    return found


def bearer_token(event: Event) -> str | None:
    """Return the token in the Authorization header (RFC 6750); None if there is none."""
    scheme, _, token = (header(event, "Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _given(event: Event, parameter: Parameter, path_values: Mapping[str, str]) -> str | None:
    if parameter.place == "path":
        return path_values[parameter.name]
    if parameter.place == "header":
        return header(event, parameter.name)
    query = event.get("queryStringParameters")
    value = query.get(parameter.name) if isinstance(query, dict) else None
    return None if value is None else str(value)


def _typed(text: str | None) -> int | str | None:
    """Return a whole number for what is one; anything else stays what it is, and is refused for that."""
    return int(text) if text is not None and re.fullmatch("[0-9]{1,9}", text) else text
