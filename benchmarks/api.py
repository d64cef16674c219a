"""The chatbot's HTTP API, asked over one connection."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

PATIENCE_SECONDS = 35.0
"""Longer than API Gateway waits for a function."""


class Api:
    """One connection to the chatbot's API at ``url``, kept open between requests as long as the server keeps it."""

    def __init__(self, url: str) -> None:
        self._pool = urllib3.connection_from_url(url, maxsize=1, retries=False, timeout=PATIENCE_SECONDS)
        self._base = urlsplit(url).path.rstrip("/")

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> "Answer":
        """Return the answer to one request; a connection that fails is an answer too, with status 0."""
        content = {} if body is None else {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            response = self._pool.request(method, self._base + path, body=data, headers=content | (headers or {}))
        except urllib3.exceptions.HTTPError as error:
            return Answer(0, {"code": type(error).__name__})
        try:
            document = json.loads(response.data or b"null")
        except ValueError:
            document = None
        return Answer(
            response.status,
            document,
            retry_after=_seconds(response.headers.get("Retry-After")),
            # What API Gateway answers by itself carries its error's type.
            by="API Gateway" if "x-amzn-ErrorType" in response.headers else "",
        )

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


@dataclass(frozen=True)
class Answer:
    """Status and JSON of an answer, when to come back, and who answered if it was not the function."""

    status: int
    document: Any
    retry_after: float = 0.0
    by: str = ""

    @property
    def label(self) -> str:
        """What to count it as."""
        code = self.document.get("code", "") if isinstance(self.document, dict) else ""
        words = (str(self.status or ""), code, f"by {self.by}" if self.by else "")
        return " ".join(filter(None, words))


def _seconds(retry_after: str | None) -> float:
    """https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    return float(retry_after) if retry_after and retry_after.isdigit() else 0.1
