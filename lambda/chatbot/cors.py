"""Lets the pages of other sites call the API: those that the settings name, and no others.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatbot.messages import header
from chatbot.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatbot.messages import Event

ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key"
EXPOSED_HEADERS = "Content-Disposition, Idempotency-Replayed, Link, Location, Retry-After"
REMEMBERED_SECONDS = "7200"


@dataclass(frozen=True)
class Cors:
    """What the pages of `origins` may do."""

    origins: tuple[str, ...]

    def preflight(self, event: Event, methods: str) -> Response | None:
        """Return the answer to a browser that asks before it sends; None if this is no such question."""
        if event.get("httpMethod") != "OPTIONS" or not self._allows(event):
            return None
        if not header(event, "Access-Control-Request-Method"):
            return None
        return Response(
            status=204,
            headers={
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": REMEMBERED_SECONDS,
            },
        )

    def headers(self, event: Event) -> Mapping[str, str]:
        """Return the headers that every answer carries."""
        if not self.origins:
            return {}
        if not self._allows(event):
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": header(event, "Origin") or "",
            "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        }

    def _allows(self, event: Event) -> bool:
        return header(event, "Origin") in self.origins
