"""OpenAPI documents as API Gateway imports them."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from rehearsal.protocol import ServiceError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ANY_METHOD = "x-amazon-apigateway-any-method"
ANY = "ANY"
INTEGRATION = "x-amazon-apigateway-integration"

# What a merge joins key by key; everything else of the newer document replaces the older one's.
# https://docs.aws.amazon.com/apigateway/latest/api/API_PutRestApi.html
JOINED = ("paths", "components", "definitions")


def parse(body: bytes) -> dict[str, Any]:
    """Return the document in ``body`` (JSON or YAML); raises ``ServiceError`` if it is no OpenAPI 3 document."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        try:
            document = yaml.safe_load(body)
        except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
            raise _refused("it is neither JSON nor YAML") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise _refused("the rehearsal imports OpenAPI 3 documents only")
    paths = document.get("paths")
    if not isinstance(paths, dict) or not all(isinstance(each, dict) for each in paths.values()):
        raise _refused("it has no paths")
    if not isinstance(document.get("info", {}), dict):
        raise _refused("its info is no object")
    return document


def _refused(why: str) -> ServiceError:
    return ServiceError("BadRequestException", f"Unable to import the REST API: {why}.")


def merge(older: Mapping[str, Any], newer: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``older`` with what ``newer`` adds or replaces."""
    joined = {key: _join(older.get(key), newer.get(key)) for key in JOINED if key in older or key in newer}
    return {**older, **newer, **joined}


def _join(older: Any, newer: Any) -> Any:
    if isinstance(older, dict) and isinstance(newer, dict):
        return older | {key: _join(older.get(key), value) for key, value in newer.items()}
    return older if newer is None else newer


def operations(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the operations of a path by upper-case method, with ``ANY`` for API Gateway's own extension."""
    found = {ANY if key == ANY_METHOD else key.upper(): value for key, value in item.items()}
    allowed = {ANY, *map(str.upper, METHODS)}
    return {method: value for method, value in found.items() if method in allowed and isinstance(value, dict)}


def for_moto(document: Mapping[str, Any]) -> bytes:
    """Return the document with only what moto understands, and with all that it takes for granted."""
    paths = {
        path: {method: _for_moto(operation) for method, operation in operations(item).items()}
        for path, item in document["paths"].items()
    }
    info = {"title": "", "description": ""} | (document.get("info") or {})
    return json.dumps({**document, "info": info, "paths": paths}, default=str).encode()


def _for_moto(operation: Mapping[str, Any]) -> dict[str, Any]:
    integration = operation.get(INTEGRATION)
    if not isinstance(integration, dict):
        return dict(operation)
    return {**operation, INTEGRATION: {"uri": "", "httpMethod": ""} | integration}


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """Return ``node``, or what it refers to within ``document`` (an empty dict if that does not exist)."""
    for _ in range(20):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return node
        node = document
        for part in reference[2:].split("/"):
            node = node.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
    return {}


def pointer(*parts: str) -> str:
    """Return the JSON pointer of ``parts``."""
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)
