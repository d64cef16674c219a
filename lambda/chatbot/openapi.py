"""Writes the API's OpenAPI 3.0.1 document: `python -m chatbot.openapi` prints it.

It keeps to what API Gateway imports (alphanumeric model names; no `nullable`, `example` or `additionalProperties`):
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from chatbot.contract import (
    CONVERSATION_ID,
    ROUTES,
    Health,
    MessageRequest,
    Route,
    Source,
    StartedConversation,
    Transcript,
    Turn,
)
from chatbot.errors import PROBLEM_JSON, FieldError, Problem
from chatbot.messages import JSON

Schema = dict[str, Any]

PRIMITIVES: dict[object, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}
MODELS = (MessageRequest, StartedConversation, Turn, Transcript, Health, Source, FieldError)
BOUNDS = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern", "description": "description"}


def document() -> Schema:
    """Return the OpenAPI document of the API."""
    paths: Schema = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    schemas = {model.__name__: _object(model) for model in MODELS} | {"Problem": _problem_schema()}
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "Chatbot",
            "version": "1",
            "description": "Hold a conversation with the bot. Errors are problem details (RFC 9457).",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(route: Route) -> Schema:
    operation: Schema = {
        "operationId": route.operation,
        "summary": route.summary,
        "responses": {str(route.status): _success(route)} | _failures(route),
    }
    if names := re.findall(r"\{(\w+)\}", route.path):
        operation["parameters"] = [_path_parameter(name) for name in names]
    if route.accepts:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _reference(route.accepts)}}}
    return operation


def _path_parameter(name: str) -> Schema:
    schema = {"type": "string", "pattern": f"^{CONVERSATION_ID}$"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _success(route: Route) -> Schema:
    if route.returns is None:
        return {"description": route.summary, "content": {"text/html": {"schema": {"type": "string"}}}}
    description = (route.returns.__doc__ or "").splitlines()[0]
    answer: Schema = {"description": description, "content": {JSON: {"schema": _reference(route.returns)}}}
    if route.status == 201:
        answer["headers"] = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
    return answer


def _failures(route: Route) -> Schema:
    problems = (*route.problems, Problem.INTERNAL_ERROR)
    by_status: dict[int, list[Problem]] = {}
    for problem in sorted(problems, key=lambda problem: problem.value.status):
        by_status.setdefault(int(problem.value.status), []).append(problem)
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {
            "description": "; ".join(f"{problem.value.title} ({problem.code})" for problem in found),
            "content": content,
        }
        for status, found in by_status.items()
    }


def _reference(model: type) -> Schema:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _object(model: type) -> Schema:
    hints = get_type_hints(model, include_extras=True)
    names = [field.name for field in fields(model)]
    return {
        "type": "object",
        "description": (model.__doc__ or "").splitlines()[0],
        "required": names,
        "properties": {name: _schema(hints[name]) for name in names},
    }


def _schema(hint: Any) -> Schema:
    if get_origin(hint) is Annotated:
        inner, bounds = get_args(hint)
        found = {BOUNDS[name]: value for name, value in vars(bounds).items() if value is not None}
        return _schema(inner) | found
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0])}
    if get_origin(hint) is UnionType:
        return _optional(hint)
    return PRIMITIVES.get(hint) or _reference(hint)


def _optional(hint: Any) -> Schema:
    """Describe an object or null: without `type`, since only an object is bound by `properties` and `required`."""
    (model,) = (inner for inner in get_args(hint) if inner is not NoneType)
    schema = _object(model)
    del schema["type"]
    return schema | {"description": f"{schema['description']} Or null."}


def _problem_schema() -> Schema:
    text, errors = {"type": "string"}, {"type": "array", "items": _reference(FieldError)}
    required = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "code": {"type": "string", "description": "Stable; one of the codes of the operation, or of the gateway."},
        "request_id": text,
    }
    return {
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "required": list(required),
        "properties": {**required, "errors": errors},
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=2, ensure_ascii=False))
