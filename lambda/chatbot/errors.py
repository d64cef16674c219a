"""Every way a request can fail, in one table, and its form on the wire: RFC 9457 problem details.

https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Literal

Place = Literal["body", "path", "query", "header"]

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True)
class ProblemKind:
    """What is always true of one kind of problem."""

    status: HTTPStatus
    title: str
    detail: str


class Problem(Enum):
    """The kinds of problem a caller can meet; a name in lower case is the stable `code`."""

    INVALID_JSON = ProblemKind(HTTPStatus.BAD_REQUEST, "Invalid JSON", "The body is not a JSON document in UTF-8.")
    INVALID_REQUEST = ProblemKind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request", "The request does not say what it must; see errors."
    )
    NOT_FOUND = ProblemKind(HTTPStatus.NOT_FOUND, "Not found", "There is nothing at this path.")
    CONVERSATION_NOT_FOUND = ProblemKind(
        HTTPStatus.NOT_FOUND,
        "Conversation not found",
        "There is no such conversation, it has expired, or the token is not its own.",
    )
    MESSAGE_NOT_FOUND = ProblemKind(
        HTTPStatus.NOT_FOUND, "Message not found", "The conversation has no message of this number."
    )
    METHOD_NOT_ALLOWED = ProblemKind(
        HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "This path does not know the method; see the Allow header."
    )
    CONFLICT = ProblemKind(
        HTTPStatus.CONFLICT, "Conversation is busy", "Other messages arrived at the same time; send this one again."
    )
    CONVERSATION_FULL = ProblemKind(
        HTTPStatus.CONFLICT,
        "Conversation is full",
        "This conversation holds as many messages as it can; start another.",
    )
    IDEMPOTENCY_KEY_REUSED = ProblemKind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "Idempotency key reused",
        "This Idempotency-Key was sent with another body before; send this body with a key of its own.",
    )
    RATE_LIMITED = ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS, "Too many messages", "Messages come too fast; see the Retry-After header."
    )
    TOKEN_CAP_REACHED = ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS, "Daily limit reached", "The bot has spent today's share of its model."
    )
    TOO_LARGE = ProblemKind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request too large", "The body is too large.")
    UNSUPPORTED_MEDIA_TYPE = ProblemKind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", "Send the body as application/json."
    )
    INTERNAL_ERROR = ProblemKind(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", "Something went wrong on our side; the request id helps us."
    )
    STORE_UNAVAILABLE = ProblemKind(
        HTTPStatus.SERVICE_UNAVAILABLE, "Temporarily unavailable", "Conversations cannot be reached; try again soon."
    )

    # These the gateway answers by itself, as it does some of the above: `stacks/chatbot/refusals.py`.
    THROTTLED = ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        "The bot gets more requests than it takes; try again soon.",
    )
    REFUSED = ProblemKind(HTTPStatus.BAD_REQUEST, "Request refused", "The gateway refused the request.")
    UNAVAILABLE = ProblemKind(HTTPStatus.BAD_GATEWAY, "The bot cannot be reached", "Try again soon.")
    TIMEOUT = ProblemKind(HTTPStatus.GATEWAY_TIMEOUT, "The answer took too long", "Try again soon.")

    @property
    def code(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with a request: in which part of it, where there as a JSON pointer (RFC 6901), and what."""

    place: Place
    pointer: str
    detail: str


class ProblemError(Exception):
    """A request ends in a problem; `headers` go with the answer, such as Allow, and so do seconds to wait."""

    def __init__(
        self,
        problem: Problem,
        *,
        detail: str | None = None,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.detail = detail or problem.value.detail
        self.errors = errors
        self.headers = {**headers, **({} if retry_after is None else {"Retry-After": str(retry_after)})}

    def document(self, *, request_id: str) -> dict[str, Any]:
        """Return the problem as the JSON object that goes to the caller."""
        found = [vars(error) for error in self.errors]
        return {
            "type": f"urn:problem-type:{self.problem.code}",
            "title": self.problem.value.title,
            "status": int(self.problem.value.status),
            "detail": self.detail,
            "code": self.problem.code,
            "request_id": request_id,
        } | ({"errors": found} if found else {})
