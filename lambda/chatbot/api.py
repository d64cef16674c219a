"""The HTTP side of the bot: API Gateway proxy events in, responses out; it translates and does not think."""

from __future__ import annotations

import json
import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chatbot import routing
from chatbot.contract import CONVERSATION_ID, Health
from chatbot.errors import PROBLEM_JSON, Problem, ProblemError
from chatbot.messages import read_message
from chatbot.page import Page
from chatbot.routes import JSON
from chatbot.store import StoreUnavailableError

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from chatbot.conversation import Conversations

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
RETRY_AFTER_SECONDS = "5"

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Response:
    """What goes back to the caller."""

    status: int
    content_type: str
    body: str
    headers: Mapping[str, str]

    def for_gateway(self) -> dict[str, Any]:
        """Return the response in the form of a Lambda proxy integration.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        """
        headers = {"Content-Type": self.content_type} | HEADERS | dict(self.headers)
        return {"statusCode": self.status, "headers": headers, "body": self.body, "isBase64Encoded": False}


class Api:
    """Answers every route of the contract; whatever else comes in gets a problem, never an exception."""

    def __init__(
        self, *, conversations: Conversations, bot_name: str, environment: str, release: str, logger: Logger
    ) -> None:
        self._conversations = conversations
        self._health = Health(status="ok", environment=environment, release=release)
        self._page = Page(bot_name=bot_name, environment=environment)
        self._logger = logger
        self._answers: dict[str, Callable[..., Response]] = {
            "startConversation": self._start,
            "sendMessage": self._send,
            "listMessages": self._list,
            "readHealth": lambda _event: _json_response(200, self._health),
            "openPage": self._open_page,
        }

    def __call__(self, event: Event, context: object) -> dict[str, Any]:
        """Answer an API Gateway REST proxy event (format 1.0)."""
        started = time.perf_counter()
        event = event if isinstance(event, dict) else {}
        try:
            call = routing.find(event["httpMethod"], event["path"])
            response = self._answers[call.operation](event, **call.parameters)
        except Exception as error:
            response = self._problem(error, event)
        self._log(event, context, status=response.status, seconds=time.perf_counter() - started)
        return response.for_gateway()

    def _start(self, _event: Event) -> Response:
        started = self._conversations.start()
        # Relative to the request's own URL, whose stage or base path only the gateway knows (RFC 9110, 10.2.2).
        return _json_response(201, started, {"Location": f"conversations/{started.conversation_id}/messages"})

    def _send(self, event: Event, conversation_id: str) -> Response:
        message = read_message(event)
        return _json_response(200, self._conversations.send(_known_form(conversation_id), message.text))

    def _list(self, _event: Event, conversation_id: str) -> Response:
        return _json_response(200, self._conversations.transcript(_known_form(conversation_id)))

    def _open_page(self, _event: Event) -> Response:
        return Response(200, "text/html; charset=utf-8", self._page.html, self._page.headers)

    def _problem(self, error: Exception, event: Event) -> Response:
        problem = error if isinstance(error, ProblemError) else self._own_fault(error)
        body = json.dumps(problem.document(request_id=_request_id(event)), ensure_ascii=False)
        return Response(int(problem.problem.value.status), PROBLEM_JSON, body, problem.headers)

    def _own_fault(self, error: Exception) -> ProblemError:
        if isinstance(error, StoreUnavailableError):
            self._logger.error("store unavailable", reason=str(error))
            return ProblemError(Problem.STORE_UNAVAILABLE, headers={"Retry-After": RETRY_AFTER_SECONDS})
        # The message of an exception may quote what a person wrote, so only its type and place are logged.
        frames = traceback.extract_tb(error.__traceback__)
        stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        self._logger.error("unforeseen error", error=type(error).__name__, stack=stack)
        return ProblemError(Problem.INTERNAL_ERROR)

    def _log(self, event: Event, context: object, *, status: int, seconds: float) -> None:
        """Tell that a request was answered: which route and how, never what was said or in which conversation."""
        self._logger.info(
            "request",
            method=str(event.get("httpMethod", ""))[:10],
            route=str(event.get("resource", ""))[:100],
            status=status,
            duration_ms=round(seconds * 1000, 1),
            request_id=_request_id(event),
            function_request_id=str(getattr(context, "aws_request_id", "")),
        )


def _known_form(conversation_id: str) -> str:
    if not re.fullmatch(CONVERSATION_ID, conversation_id):
        raise ProblemError(Problem.CONVERSATION_NOT_FOUND)
    return conversation_id


def _request_id(event: Event) -> str:
    context = event.get("requestContext")
    found = context.get("requestId") if isinstance(context, dict) else None
    return found if isinstance(found, str) and found.isprintable() else "unknown"


def _json_response(status: int, answer: object, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(plain(answer), ensure_ascii=False, separators=(",", ":"))
    return Response(status, JSON, body, headers or {})


def plain(value: Any) -> Any:
    """Return a message of the contract as what JSON knows."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
