"""What a function returned, as an HTTP response."""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from werkzeug.wrappers import Response

from rehearsal.gateway.call import Call, RefusedError
from rehearsal.gateway.events import is_binary

KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
REMAPPED = {"connection", "date", "server", "te", "trailer", "transfer-encoding", "upgrade", "www-authenticate"}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""


def malformed() -> RefusedError:
    """Return the refusal of a function's error or of an answer that is no response: 502 Bad Gateway."""
    return RefusedError("DEFAULT_5XX", "Internal server error", status=502)


def proxy_response(payload: bytes, call: Call, *, binary_types: Iterable[str]) -> Response:
    """Return the response that ``payload`` describes; raises ``RefusedError`` if it describes none.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
    """
    try:
        answer = json.loads(payload)
        if not isinstance(answer, dict) or not set(answer) <= KEYS:
            raise malformed()
        status = int(200 if answer.get("statusCode") is None else answer["statusCode"])
        body = answer.get("body")
        if not 200 <= status <= 599 or not isinstance(body, str | None):
            raise malformed()
        headers = list(_headers(answer.get("headers") or {}, answer.get("multiValueHeaders") or {}))
        content = _content(body or "", answer.get("isBase64Encoded") is True, call, binary_types)
        response = Response(content, status, headers)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise malformed() from error
    if not any(name.lower() == "content-type" for name, _ in headers):
        response.headers["Content-Type"] = "application/json"
    return response


def _content(body: str, encoded: bool, call: Call, binary_types: Iterable[str]) -> bytes:
    """Decode base64 only if the API and the client's first accepted type call for binary."""
    if encoded and is_binary(call.header("Accept").partition(",")[0], binary_types):
        return base64.b64decode(body, validate=True)
    # A lone surrogate, which JSON can carry and UTF-8 cannot, must not end in a traceback.
    return body.encode(errors="replace")


def _headers(single: Mapping[str, Any], multiple: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Merge both kinds of headers; a pair that stands in both counts once."""
    pairs = [(name, _text(value)) for name, values in multiple.items() for value in values]
    pairs += [pair for name, value in single.items() if (pair := (name, _text(value))) not in pairs]
    for name, value in pairs:
        if name.lower() == "content-length":
            continue
        value.encode("latin-1")
        name.encode("ascii")
        if not name or any(character in name for character in " \r\n\0:"):
            raise ValueError(name)
        yield (f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name), value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or any(character in str(value) for character in "\r\n\0"):
        raise ValueError(value)
    return str(value)
