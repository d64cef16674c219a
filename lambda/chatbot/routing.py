"""Finds the route that a method and a path name.

A page of code, since importing a framework's router takes a third as long as starting the whole function without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from chatbot.errors import Problem, ProblemError
from chatbot.routes import ROUTES, Route


class Place(NamedTuple):
    """Whatever the API has at one path."""

    routes: Mapping[str, Route]
    """By method."""
    values: Mapping[str, str]
    """Of the path's parameters."""

    @property
    def methods(self) -> str:
        """What the path knows, as headers list it."""
        return ", ".join(sorted(self.routes))

    def route(self, method: object) -> Route:
        """Return what a method does here; raises ProblemError when it does nothing."""
        if not isinstance(method, str) or method not in self.routes:
            raise ProblemError(Problem.METHOD_NOT_ALLOWED, headers={"Allow": self.methods})
        return self.routes[method]


def find(path: object) -> Place:
    """Return what is at a path; raises ProblemError when there is nothing."""
    for pattern, routes in PATTERNS:
        if isinstance(path, str) and (match := pattern.fullmatch(path)):
            return Place(routes, match.groupdict())
    raise ProblemError(Problem.NOT_FOUND)


def _pattern(path: str) -> re.Pattern[str]:
    # API Gateway ignores a slash at the end of a path.
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/"))) + "/*")


PATTERNS = tuple(
    (_pattern(path), {route.method: route for route in ROUTES if route.path == path})
    for path in dict.fromkeys(route.path for route in ROUTES)
)
