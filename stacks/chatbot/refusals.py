"""What API Gateway says when it refuses a request by itself, in the shape of the chatbot's own problems (RFC 9457).

A template can only put values where they stand, so it takes none that may hold a quotation mark: what its validator
says (`$context.error.validationErrorString`) repeats parts of the request, raw.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
"""

import json
from dataclasses import dataclass
from typing import Any

HEADER = "gatewayresponse.header."
EXPOSED_HEADERS = "Retry-After"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One kind of refusal; without a status it keeps its own, without a detail API Gateway's message is it."""

    code: str
    title: str
    status: int | None = None
    detail: str | None = None
    retry_after: int | None = None


_INVALID = Refusal(
    status=422,
    code="invalid_request",
    title="Invalid request",
    detail="The request is not what the OpenAPI document at /v1/openapi.json says it must be.",
)

# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
KINDS = {
    "BAD_REQUEST_BODY": _INVALID,
    "BAD_REQUEST_PARAMETERS": _INVALID,
    "UNSUPPORTED_MEDIA_TYPE": Refusal(status=415, code="unsupported_media_type", title="Unsupported media type"),
    "REQUEST_TOO_LARGE": Refusal(status=413, code="too_large", title="Request too large"),
    "THROTTLED": Refusal(
        status=429,
        code="throttled",
        title="Too many requests",
        detail="The bot gets more requests than it takes; try again soon.",
        retry_after=1,
    ),
    "MISSING_AUTHENTICATION_TOKEN": Refusal(
        status=404, code="not_found", title="Not found", detail="There is nothing at this path, or not for this method."
    ),
    "INTEGRATION_TIMEOUT": Refusal(status=504, code="timeout", title="The answer took too long", retry_after=5),
    "INTEGRATION_FAILURE": Refusal(status=502, code="unavailable", title="The bot cannot be reached", retry_after=5),
    "DEFAULT_4XX": Refusal(code="refused", title="Request refused"),
    "DEFAULT_5XX": Refusal(code="internal_error", title="Internal error"),
}


def refusals(origins: tuple[str, ...]) -> dict[str, Any]:
    """Return the gateway responses, which the pages of ``origins`` can read."""
    return {kind: _response(refusal, origins) for kind, refusal in KINDS.items()}


def _response(refusal: Refusal, origins: tuple[str, ...]) -> dict[str, Any]:
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    if refusal.retry_after:
        headers["Retry-After"] = str(refusal.retry_after)
    if origins:
        # One header cannot name several sites; nothing in a refusal is anyone's.
        headers["Access-Control-Allow-Origin"] = origins[0] if len(origins) == 1 else "*"
        headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    response: dict[str, Any] = {
        "responseParameters": {f"{HEADER}{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": _template(refusal)},
    }
    return response | ({"statusCode": str(refusal.status)} if refusal.status else {})


def _template(refusal: Refusal) -> str:
    """Return the problem document, as the function writes its own, with names of what only API Gateway knows."""
    members = {
        "type": json.dumps(f"urn:problem-type:{refusal.code}"),
        "title": json.dumps(refusal.title),
        "status": refusal.status or "$context.status",
        "detail": json.dumps(refusal.detail) if refusal.detail else "$context.error.messageString",
        "code": json.dumps(refusal.code),
        "request_id": '"$context.requestId"',
    }
    return f"{{{','.join(f'"{name}":{value}' for name, value in members.items())}}}"
