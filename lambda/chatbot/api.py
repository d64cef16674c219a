"""The HTTP side of the bot: API Gateway proxy events in, responses out; every one of them is answered."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from chatbot import routing
from chatbot.errors import PROBLEM_JSON, Problem, ProblemError
from chatbot.operations import Operations, Request
from chatbot.parameters import read_parameters
from chatbot.responses import Response
from chatbot.store import StoreUnavailableError
from chatbot.telemetry import facts_of_problem, hash_of
from chatbot.wire import to_json

if TYPE_CHECKING:
    from chatbot.cors import Cors
    from chatbot.messages import Event
    from chatbot.telemetry import Telemetry

RETRY_AFTER_SECONDS = 5
# A caller can choose the request's id, so that whatever is not one is not repeated.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
REQUEST_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Api:
    """Answers every route of the contract; whatever else comes in gets a problem, never an exception."""

    def __init__(self, operations: Operations, *, cors: Cors, telemetry: Telemetry) -> None:
        self._operations = operations
        self._cors = cors
        self._telemetry = telemetry

    def __call__(self, event: Event, context: object) -> dict[str, Any]:
        """Answer an API Gateway REST proxy event (format 1.0)."""
        started = time.perf_counter()
        event = event if isinstance(event, dict) else {}
        facts: dict[str, object] = {
            "request_id": _request_id(event),
            "function_request_id": str(getattr(context, "aws_request_id", "")),
        }
        try:
            response = self._answer(event, facts)
        except Exception as error:
            response = self._problem(error, facts)
        self._telemetry.answered(response, seconds=time.perf_counter() - started, **facts)
        return response.for_gateway(self._cors.headers(event))

    def _answer(self, event: Event, facts: dict[str, object]) -> Response:
        place = routing.find(event.get("path"))
        if preflight := self._cors.preflight(event, place.methods):
            return preflight
        route = place.route(event.get("httpMethod"))
        facts["route"] = f"{route.method} {route.path}"
        values = read_parameters(event, route, place.values)
        if "conversation_id" in values:
            facts["conversation"] = hash_of(values["conversation_id"])
        return self._operations[route.operation](Request(event, values))

    def _problem(self, error: Exception, facts: dict[str, object]) -> Response:
        problem = error if isinstance(error, ProblemError) else self._own_fault(error, facts)
        return Response(
            status=int(problem.problem.value.status),
            content_type=PROBLEM_JSON,
            body=to_json(problem.document(request_id=str(facts["request_id"]))),
            headers=problem.headers,
            facts=facts_of_problem(problem.problem),
        )

    def _own_fault(self, error: Exception, facts: dict[str, object]) -> ProblemError:
        if isinstance(error, StoreUnavailableError):
            self._telemetry.failed("store unavailable", error, reason=str(error), **facts)
            return ProblemError(Problem.STORE_UNAVAILABLE, retry_after=RETRY_AFTER_SECONDS)
        self._telemetry.failed("unforeseen error", error, **facts)
        return ProblemError(Problem.INTERNAL_ERROR)


def _request_id(event: Event) -> str:
    context = event.get("requestContext")
    found = context.get("requestId") if isinstance(context, dict) else None
    return found if isinstance(found, str) and REQUEST_ID.fullmatch(found) else "unknown"
