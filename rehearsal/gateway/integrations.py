"""Integrations: the functions behind an API's methods, and canned answers."""

import json
import re
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from werkzeug.wrappers import Response

from rehearsal.functions import Functions, Invocation
from rehearsal.gateway.answers import malformed, proxy_response
from rehearsal.gateway.call import Call, NotEmulatedError, RefusedError
from rehearsal.gateway.events import proxy_event
from rehearsal.gateway.permission import permitted
from rehearsal.gateway.routing import Operation
from rehearsal.protocol import ServiceError

TIMEOUT_MILLISECONDS = 29_000
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""

FUNCTION_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/"
    r"(arn:aws[a-z-]*:lambda:([a-z0-9-]+):(\d{12}):function:[\w-]+(?::[\w$-]+)?)/invocations"
)
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.(\w+)\}")


def respond(
    operation: Operation, call: Call, *, functions: Functions, binary_types: list[str], resource_id: str
) -> Response:
    """Return what the integration of ``operation`` answers; raises ``RefusedError`` or ``NotEmulatedError``."""
    kind = str(operation.integration.get("type", "")).lower()
    if kind == "mock":
        return mock(operation.integration, call)
    if kind != "aws_proxy":
        raise NotEmulatedError(f"integrations of type {kind or 'none'} ({call.method} {call.resource})")
    match = FUNCTION_URI.fullmatch(_filled(str(operation.integration.get("uri", "")), call))
    if match is None:
        raise NotEmulatedError(f"the integration URI of {call.method} {call.resource}, which names no function")
    if not operation.integration.get("credentials") and not permitted(match[1], call):
        raise RefusedError("API_CONFIGURATION_ERROR", "Internal server error")
    event = proxy_event(call, binary_types=binary_types, resource_id=resource_id)
    milliseconds = int(operation.integration.get("timeoutInMillis") or TIMEOUT_MILLISECONDS)
    outcome = _invoke(functions, match, json.dumps(event).encode(), call.header("X-Amzn-Trace-Id"), milliseconds / 1000)
    if outcome.error:
        raise malformed()
    return proxy_response(outcome.payload, call, binary_types=binary_types)


def _filled(uri: str, call: Call) -> str:
    return STAGE_VARIABLE.sub(lambda match: str(call.stage.variables.get(match[1], "")), uri)


def _invoke(functions: Functions, function: re.Match[str], payload: bytes, trace: str, seconds: float) -> Invocation:
    """Invoke within the integration's time; the function itself goes on, as on AWS."""
    future: Future[Invocation] = Future()
    arn, region, account = function.groups()

    def run() -> None:
        try:
            future.set_result(functions.invoke(account, region, arn, None, payload, trace=trace))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="integration", daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        raise RefusedError("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
    except ServiceError as error:
        if error.code == "InvalidRuntimeException":
            raise NotEmulatedError(error.message) from error
        raise RefusedError("API_CONFIGURATION_ERROR", "Internal server error") from error


def mock(integration: Mapping[str, Any], call: Call) -> Response:
    """Answer as a mock integration with static templates, such as a CORS preflight's.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
    """
    request = (integration.get("requestTemplates") or {}).get("application/json", "")
    try:
        status = str(json.loads(request)["statusCode"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotEmulatedError(f"the request template of the mock at {call.method} {call.resource}") from error
    responses = integration.get("responses") or {}
    chosen = responses.get(status) or responses.get("default")
    if chosen is None:
        raise RefusedError("API_CONFIGURATION_ERROR", "Internal server error")
    templates = chosen.get("responseTemplates") or {}
    content_type, body = next(iter(templates.items()), ("application/json", ""))
    if "$" in str(body) or "#" in str(body):
        raise NotEmulatedError(f"the response template of the mock at {call.method} {call.resource}")
    response = Response(str(body or ""), int(chosen.get("statusCode", status)), content_type=content_type)
    for name, value in (chosen.get("responseParameters") or {}).items():
        if not (name.startswith("method.response.header.") and str(value)[:1] == str(value)[-1:] == "'"):
            raise NotEmulatedError(f"the response parameter {name} of the mock at {call.method} {call.resource}")
        response.headers[name.removeprefix("method.response.header.")] = str(value)[1:-1]
    return response
