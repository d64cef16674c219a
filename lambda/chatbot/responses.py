"""What goes back to a caller."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chatbot.routes import JSON
from chatbot.wire import to_json

NOTHING: Mapping[str, Any] = MappingProxyType({})
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Response(NamedTuple):
    """An answer, and what may be told of it elsewhere."""

    status: int
    body: str = ""
    content_type: str | None = None
    headers: Mapping[str, str] = NOTHING
    facts: Mapping[str, Any] = NOTHING
    """What the log and the metrics tell of it; nothing that a person wrote."""
    content: Mapping[str, str] = NOTHING
    """What a person wrote and was answered: told only where that is switched on."""

    def for_gateway(self, headers: Mapping[str, str] = NOTHING) -> dict[str, Any]:
        """Return the response, with more headers, in the form of a Lambda proxy integration.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        """
        kind = {"Content-Type": self.content_type} if self.content_type else {}
        return {
            "statusCode": self.status,
            "headers": {**kind, **HEADERS, **self.headers, **headers},
            "body": self.body,
            "isBase64Encoded": False,
        }


def json_response(message: object, *, status: int = 200, **parts: Any) -> Response:
    """Return a response that carries a message of the contract."""
    return Response(status=status, body=to_json(message), content_type=JSON, **parts)
