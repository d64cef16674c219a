"""Finds the operation that a method and a path name, by the routes of the contract.

A page of code, since importing a framework's router takes a third as long as starting the whole function without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chatbot.errors import Problem, ProblemError
from chatbot.routes import ROUTES, Route


@dataclass(frozen=True)
class Call:
    """An operation of the contract, with the values of its path's parameters."""

    operation: str
    parameters: dict[str, str]


def find(method: str, path: str) -> Call:
    """Return the operation for a method and a path; raises ProblemError when there is none."""
    found = [(route, match) for route, pattern in PATTERNS if (match := pattern.fullmatch(path))]
    for route, match in found:
        if route.method == method:
            return Call(route.operation, match.groupdict())
    if found:
        allowed = ", ".join(sorted(route.method for route, _ in found))
        raise ProblemError(Problem.METHOD_NOT_ALLOWED, headers={"Allow": allowed})
    raise ProblemError(Problem.NOT_FOUND)


def _pattern(route: Route) -> re.Pattern[str]:
    # API Gateway ignores a slash at the end of a path.
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path.rstrip("/")) + "/*")


PATTERNS = tuple((route, _pattern(route)) for route in ROUTES)
