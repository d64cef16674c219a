"""The chatbot's OpenAPI document, with what API Gateway needs to serve it."""

from collections.abc import Mapping
from typing import Any

from stacks.chatbot.refusals import refusals

ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD})
VALIDATOR = "everything"
# The import refuses the first, and has other ideas of the rest; the function checks tokens, and servers are the stage.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
NOT_IMPORTED = frozenset({"nullable", "security", "securitySchemes", "servers"})

Document = Mapping[str, Any]


def with_integration(document: Document, *, uri: str, origins: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return ``document`` with every operation handed to the Lambda function at ``uri``.

    Where pages of other sites (``origins``) may call the API, so are the questions that their browsers ask first. So is
    any other method of a path: the function answers it with 405 and what the path allows, API Gateway could not.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
    """
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "passthroughBehavior": "when_no_match"}
    imported = _imported(document)
    paths = {path: _with_others(_with_preflight(item, origins)) for path, item in imported["paths"].items()}
    return {
        **imported,
        "paths": {
            path: {
                key: {**value, "x-amazon-apigateway-integration": integration} if key in METHODS else value
                for key, value in item.items()
            }
            for path, item in paths.items()
        },
        "x-amazon-apigateway-request-validators": {
            VALIDATOR: {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": VALIDATOR,
        "x-amazon-apigateway-gateway-responses": refusals(origins),
    }


def _imported(node: Any, *, named: bool = False) -> Any:
    """Return ``node`` without what API Gateway does not import; keys that are somebody's names are left alone."""
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if named or key not in NOT_IMPORTED}
        return {key: _imported(value, named=key == "properties" and not named) for key, value in kept.items()}
    return [_imported(each) for each in node] if isinstance(node, list) else node


def _with_preflight(item: Document, origins: tuple[str, ...]) -> Document:
    if not origins:
        return item
    preflight = {
        "summary": "Tell a browser what another site's page may do here",
        "parameters": _of_path(item),
        "responses": {"204": {"description": "What it may do."}},
    }
    return {**item, "options": preflight}


def _with_others(item: Document) -> Document:
    others = {"parameters": _of_path(item), "responses": {"405": {"description": "What the path allows."}}}
    return {**item, ANY_METHOD: others}


def _of_path(item: Document) -> list[Any]:
    parameters = next(iter(item.values())).get("parameters", ())
    return [parameter for parameter in parameters if parameter["in"] == "path"]
