"""What goes into a function and what comes out, in AWS's own words."""

import json
from dataclasses import dataclass
from typing import Literal

REQUEST_LIMIT = 6_291_456
RESPONSE_LIMIT = 6_291_556
ASYNCHRONOUS_LIMIT = 1_048_576
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


@dataclass(frozen=True)
class Event:
    """One event for a worker: ``client_context`` is JSON or empty, ``deadline`` in epoch milliseconds."""

    request_id: str
    payload: bytes
    arn: str
    trace: str = ""
    client_context: str = ""
    deadline: int = 0


@dataclass(frozen=True)
class Answer:
    """What a worker made of an event; ``exit`` carries what the process died of, ``timeout`` nothing."""

    kind: Literal["response", "error", "init-error", "too-large", "exit", "timeout"]
    payload: bytes = b""


@dataclass(frozen=True)
class Invocation:
    """The outcome of an invocation: ``error`` is empty, or ``Unhandled`` as in ``X-Amz-Function-Error``.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """

    payload: bytes
    error: str
    version: str
    request_id: str
    log_tail: bytes


def fault(error_type: str, message: str, **more: object) -> bytes:
    """Return the payload of an error that Lambda itself reports."""
    return json.dumps({"errorType": error_type, "errorMessage": message, **more}).encode()


def payload_of(answer: Answer, *, request_id: str, timeout: int) -> bytes:
    """Return what the invoker gets to see of ``answer``.

    https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
    """
    match answer.kind:
        case "timeout":
            message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
            return fault("Sandbox.Timedout", message)
        case "exit":
            return fault("Runtime.ExitError", f"RequestId: {request_id} Error: {answer.payload.decode()}")
        case "too-large":
            limit = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
            return fault("Function.ResponseSizeTooLarge", limit)
        case "init-error":
            return _with_request_id(answer.payload, request_id)
        case _:
            return answer.payload


def _with_request_id(payload: bytes, request_id: str) -> bytes:
    try:
        return json.dumps(json.loads(payload) | {"requestId": request_id}).encode()
    except (ValueError, TypeError):
        return payload
