"""REST APIs that were put together resource by resource, seen as a document."""

import json
from typing import Any

from rehearsal.gateway.document import ANY, ANY_METHOD, INTEGRATION

PLACES = {"path": "path", "querystring": "query", "header": "header"}


def document_of(api: Any) -> dict[str, Any]:
    """Return moto's REST API ``api`` as the document that would have made it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-create-api.html
    """
    paths: dict[str, Any] = {}
    for resource in api.resources.values():
        for name, method in resource.resource_methods.items():
            key = ANY_METHOD if name == ANY else name.lower()
            paths.setdefault(resource.get_path(), {})[key] = _operation(api, method)
    return {
        "openapi": "3.0.1",
        "paths": paths,
        "components": {"schemas": {name: json.loads(model.schema) for name, model in api.models.items()}},
        "x-amazon-apigateway-request-validators": {
            each.id: {
                "validateRequestBody": bool(each.validate_request_body),
                "validateRequestParameters": bool(each.validate_request_parameters),
            }
            for each in api.request_validators.values()
        },
    }


def _operation(api: Any, method: Any) -> dict[str, Any]:
    parameters = [
        {"in": PLACES[name.split(".")[2]], "name": name.split(".", 3)[3], "required": str(required).lower() == "true"}
        for name, required in (method.request_parameters or {}).items()
    ]
    content = {
        media_type: {"schema": {"$ref": f"#/components/schemas/{name}"} if name in api.models else {}}
        for media_type, name in (method.request_models or {}).items()
    }
    operation = {"parameters": parameters, "requestBody": {"content": content}}
    if method.request_validator_id:
        operation["x-amazon-apigateway-request-validator"] = method.request_validator_id
    if method.authorization_type not in (None, "NONE") or method.api_key_required:
        operation["x-amazon-apigateway-auth"] = {"type": method.authorization_type or "API_KEY"}
    if method.method_integration is not None:
        operation[INTEGRATION] = _integration(method.method_integration)
    return operation


def _integration(integration: Any) -> dict[str, Any]:
    described = integration.to_json()
    responses = {
        code if response.get("selectionPattern") else "default": response
        for code, response in (described.get("integrationResponses") or {}).items()
    }
    return {
        "type": described.get("type"),
        "uri": described.get("uri"),
        "credentials": described.get("credentials"),
        "requestTemplates": described.get("requestTemplates"),
        "passthroughBehavior": described.get("passthroughBehavior"),
        "timeoutInMillis": described.get("timeoutInMillis"),
        "responses": responses,
    }
