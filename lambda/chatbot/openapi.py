"""Writes the API's OpenAPI 3.0.1 document: `python -m chatbot.openapi` prints it.

It keeps to what API Gateway imports once `nullable` and the security schemes are taken out (alphanumeric model names;
no `oneOf`, `example` or `additionalProperties`):
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from chatbot.contract import (
    Export,
    Feedback,
    FeedbackRequest,
    Health,
    MessageRequest,
    Source,
    StartedConversation,
    Transcript,
    Turn,
)
from chatbot.errors import PROBLEM_JSON, FieldError, Problem
from chatbot.routes import JSON, ROUTES, Parameter, Route

Schema = dict[str, Any]

PRIMITIVES: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
REQUESTS = (MessageRequest, FeedbackRequest)
ANSWERS = (StartedConversation, Turn, Feedback, Transcript, Export, Health, Source, FieldError)
BOUNDS = {
    "min_length": "minLength",
    "max_length": "maxLength",
    "minimum": "minimum",
    "maximum": "maximum",
    "pattern": "pattern",
    "description": "description",
}
NO_BACKUPS = "Nothing of it can be read any more by anyone, and there are no backups."
BACKUPS = (
    "At once nothing of it can be read any more by anyone; when the answer comes, it is gone from the table. "
    "The table's continuous backups keep what was in it for up to {days} days more, where only the operators can "
    "restore it."
)
TOKEN = "token"  # noqa: S105 (a scheme's name)
# What any operation may meet, most of it before it begins.
EVERYWHERE = (Problem.INTERNAL_ERROR, Problem.THROTTLED, Problem.UNAVAILABLE, Problem.TIMEOUT)
RETRY_STATUSES = frozenset({409, 429, 502, 503, 504})
RETRY_AFTER = {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}}


LONGEST_BACKUP_DAYS = 35
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html"""


def document(*, title: str = "Chatbot", backup_days: int = LONGEST_BACKUP_DAYS) -> Schema:
    """Return the OpenAPI document of the API of a bot whose table's backups keep what was deleted for some days."""
    paths: Schema = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    deletion = paths["/v1/conversations/{conversation_id}"]["delete"]
    deletion["description"] = BACKUPS.format(days=backup_days) if backup_days else NO_BACKUPS
    schemas = {model.__name__: _object(model) for model in (*REQUESTS, *ANSWERS)} | {"Problem": _problem_schema()}
    return {
        "openapi": "3.0.1",
        "info": {
            "title": title,
            "version": "1",
            "description": "Hold a conversation with the bot. Errors are problem details (RFC 9457).",
        },
        # Relative to where the document is, /v1/openapi.json, whatever is before that.
        "servers": [{"url": ".."}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that came with the conversation. Without it, there is no such "
                    "conversation: every failure of access is the same 404.",
                }
            },
        },
    }


def _operation(route: Route) -> Schema:
    return dict(_operation_parts(route))


def _operation_parts(route: Route) -> Iterator[tuple[str, Any]]:
    yield "operationId", route.operation
    yield "summary", route.summary
    if route.description:
        yield "description", route.description
    if route.needs_token:
        yield "security", [{TOKEN: []}]
    if route.parameters:
        yield "parameters", [_parameter(parameter) for parameter in route.parameters]
    if route.accepts:
        yield "requestBody", {"required": True, "content": {JSON: {"schema": _reference(route.accepts)}}}
    yield "responses", {str(route.status): _success(route)} | _failures(route)


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": {key: value for key, value in _schema(parameter.hint).items() if key != "description"},
    }


def _success(route: Route) -> Schema:
    answer: Schema = {"description": (route.returns.__doc__ or "").splitlines()[0] if route.returns else route.summary}
    if route.headers:
        answer["headers"] = {
            name: {"description": description, "schema": {"type": "string"}} for name, description in route.headers
        }
    if route.media_types:
        answer["content"] = {kind: {"schema": _content(route, kind)} for kind in route.media_types}
    return answer


def _content(route: Route, media_type: str) -> Schema:
    if media_type != JSON:
        return {"type": "string"}
    return _reference(route.returns) if route.returns else {"type": "object"}


def _failures(route: Route) -> Schema:
    by_status: dict[int, list[Problem]] = {}
    for problem in sorted((*route.problems, *EVERYWHERE), key=lambda problem: problem.value.status):
        by_status.setdefault(int(problem.value.status), []).append(problem)
    return {str(status): _failure(status, problems) for status, problems in by_status.items()}


def _failure(status: int, problems: list[Problem]) -> Schema:
    failure: Schema = {
        "description": "; ".join(f"{problem.value.title} ({problem.code})" for problem in problems),
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    return failure | ({"headers": {"Retry-After": RETRY_AFTER}} if status in RETRY_STATUSES else {})


def _reference(model: type) -> Schema:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _object(model: type) -> Schema:
    hints = get_type_hints(model, include_extras=True)
    return {
        "type": "object",
        "description": (model.__doc__ or "").splitlines()[0],
        # An answer always has all of its members; a request may leave out those with a default.
        "required": [field.name for field in fields(model) if model not in REQUESTS or field.default is MISSING],
        "properties": {field.name: _property(model, hints[field.name]) for field in fields(model)},
    }


def _property(model: type, hint: Any) -> Schema:
    schema = _schema(hint)
    if model in REQUESTS:
        schema.pop("nullable", None)  # what a request does not say, it leaves out
    return schema


def _schema(hint: Any) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        inner, bounds = arguments
        return _schema(inner) | {BOUNDS[name]: value for name, value in bounds._asdict().items() if value is not None}
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is UnionType:
        (present,) = (inner for inner in arguments if inner is not NoneType)
        # In 3.0.1 nothing may stand beside a `$ref`, so the model is written out.
        return {**(PRIMITIVES.get(present) or _object(present)), "nullable": True}
    return dict(PRIMITIVES.get(hint) or _reference(hint))


def _problem_schema() -> Schema:
    text = {"type": "string"}
    required: Schema = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "code": {"type": "string", "description": "Stable.", "enum": [problem.code for problem in Problem]},
        "request_id": text,
    }
    return {
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "required": list(required),
        "properties": {**required, "errors": {"type": "array", "items": _reference(FieldError)}},
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=2, ensure_ascii=False))
