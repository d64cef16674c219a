"""The chatbot's OpenAPI document, with what API Gateway needs to serve it."""

from collections.abc import Mapping
from typing import Any

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
VALIDATOR = "parameters"

# API Gateway's own refusals, in the shape of the chatbot's errors (RFC 9457).
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
REFUSALS = {
    "BAD_REQUEST_BODY": (400, "invalid_request", "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": (400, "invalid_request", "Invalid request parameters"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported_media_type", "Unsupported media type"),
    "REQUEST_TOO_LARGE": (413, "too_large", "Request too large"),
    "THROTTLED": (429, "rate_limited", "Too many requests"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not_found", "Not found"),
    "INTEGRATION_TIMEOUT": (504, "timeout", "The answer took too long"),
    "INTEGRATION_FAILURE": (502, "unavailable", "The chatbot cannot be reached"),
    "DEFAULT_4XX": (None, "refused", "Request refused"),
    "DEFAULT_5XX": (None, "internal_error", "Internal error"),
}


def with_integration(document: Mapping[str, Any], *, uri: str) -> dict[str, Any]:
    """Return ``document`` with every operation handed to the Lambda function at ``uri``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
    """
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "passthroughBehavior": "when_no_match"}
    paths = {
        path: {
            key: {**value, "x-amazon-apigateway-integration": integration} if key in METHODS else value
            for key, value in item.items()
        }
        for path, item in document["paths"].items()
    }
    return {
        **document,
        "paths": paths,
        "x-amazon-apigateway-request-validators": {
            # The function says what is wrong with a body, and where; the gateway would only say that something is.
            VALIDATOR: {"validateRequestBody": False, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": VALIDATOR,
        "x-amazon-apigateway-gateway-responses": {kind: _refusal(*answer) for kind, answer in REFUSALS.items()},
    }


def _refusal(status: int | None, code: str, title: str) -> dict[str, Any]:
    template = (
        f'{{"type":"urn:problem-type:{code}","title":"{title}","status":{status or "$context.status"},"code":"{code}",'
        '"detail":$context.error.messageString,"request_id":"$context.requestId"}'
    )
    response: dict[str, Any] = {
        "responseParameters": {"gatewayresponse.header.Content-Type": "'application/problem+json'"},
        "responseTemplates": {"application/json": template},
    }
    return response | ({"statusCode": str(status)} if status else {})
