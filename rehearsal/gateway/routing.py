"""Which operation of an API a path and a method mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from rehearsal.gateway.document import ANY, ANY_METHOD, INTEGRATION, METHODS, operations
from rehearsal.gateway.validation import Validation, validation

LITERAL, PARAMETER, GREEDY = range(3)
PLACEHOLDER = re.compile(r"\{([^}+]+)(\+?)\}")


@dataclass(frozen=True)
class Operation:
    """A method of a resource, ready to be called."""

    resource: str
    method: str
    definition: Mapping[str, Any]
    validation: Validation

    @property
    def integration(self) -> Mapping[str, Any]:
        integration = self.definition.get(INTEGRATION)
        return integration if isinstance(integration, dict) else {}


@dataclass(frozen=True)
class Resource:
    """A path of an API with its operations by method."""

    path: str
    operations: Mapping[str, Operation]

    @cached_property
    def segments(self) -> tuple[tuple[int, str], ...]:
        """Kind and text of every segment; sorting by them puts the more specific path first.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
        """
        return tuple(_segment(part) for part in self.path.split("/")[1:] if part)

    def match(self, parts: list[str]) -> dict[str, str] | None:
        """Return the path's parameters (still percent-encoded) if ``parts`` are its segments, else None."""
        parameters = {}
        greedy = bool(self.segments) and self.segments[-1][0] == GREEDY
        if len(parts) < len(self.segments) or (len(parts) > len(self.segments) and not greedy):
            return None
        for number, (kind, text) in enumerate(self.segments):
            if kind == GREEDY:
                parameters[text] = "/".join(parts[number:])
                return parameters if parameters[text] else None
            if kind == PARAMETER and parts[number]:
                parameters[text] = parts[number]
            elif kind == PARAMETER or unquote(parts[number]) != text:
                return None
        return parameters


def _segment(part: str) -> tuple[int, str]:
    placeholder = PLACEHOLDER.fullmatch(part)
    if placeholder is None:
        return LITERAL, part
    return GREEDY if placeholder[2] else PARAMETER, placeholder[1]


def resources(document: Mapping[str, Any]) -> list[Resource]:
    """Compile the document's paths, the more specific ones first."""
    compiled = [_resource(document, path, item) for path, item in document["paths"].items()]
    return sorted(compiled, key=lambda resource: resource.segments)


def _resource(document: Mapping[str, Any], path: str, item: Mapping[str, Any]) -> Resource:
    found = {}
    for method, definition in operations(item).items():
        key = next(key for key in item if key in (ANY_METHOD if method == ANY else method.lower(), method))
        found[method] = Operation(path, method, definition, validation(document, path, key, definition))
    return Resource(path, found)


def find(compiled: list[Resource], method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return what ``method`` on ``path`` means, with the path's parameters; the most specific path decides alone."""
    parts = path.split("/")[1:]
    if parts and parts[-1] == "":
        parts.pop()
    for resource in compiled:
        if (parameters := resource.match(parts)) is not None:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
            others = resource.operations.get(ANY) if method.lower() in METHODS else None
            operation = resource.operations.get(method) or others
            return (operation, parameters) if operation else None
    return None
