"""Reads a message of the contract out of a request's body, and refuses whatever is not one."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, NoReturn, get_type_hints

from chatbot.contract import BODY_BYTES
from chatbot.errors import FieldError, Problem, ProblemError
from chatbot.routes import JSON
from chatbot.validation import fault

# C0 and C1 control characters other than tab and line feed, and halves of UTF-16 pairs, which no encoding can carry.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

Event = Mapping[str, Any]


def read_body[M](event: Event, model: type[M]) -> M:
    """Return the message in an API Gateway proxy event; raises ProblemError for anything else.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    if (header(event, "Content-Type") or "").partition(";")[0].strip().lower() != JSON:
        raise ProblemError(Problem.UNSUPPORTED_MEDIA_TYPE)
    document = _json(_body(event))
    if not isinstance(document, dict):
        raise _refusal({"": "must be an object"})
    hints = _hints(model)
    given = {name: _cleaned(value) for name, value in document.items() if name in hints}
    if faults := dict(_faults(model, document, given)):
        raise _refusal(faults)
    return model(**given)


def header(event: Event, name: str) -> str | None:
    """Return a header of a request, whose name may be written in any case; None if it is not there."""
    headers = event.get("headers")
    found = headers.items() if isinstance(headers, dict) else ()
    return next((str(value) for key, value in found if str(key).lower() == name.lower()), None)


def _body(event: Event) -> bytes:
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise ProblemError(Problem.INVALID_JSON)
    if len(body) > BODY_BYTES * 2:
        raise ProblemError(Problem.TOO_LARGE, detail=f"The body is larger than {BODY_BYTES} bytes.")
    try:
        content = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise ProblemError(Problem.INVALID_JSON) from None
    if len(content) > BODY_BYTES:
        raise ProblemError(Problem.TOO_LARGE, detail=f"The body is larger than {BODY_BYTES} bytes.")
    return content


def _json(content: bytes) -> object:
    try:
        return json.loads(content.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number without end, or nested too deeply
        raise ProblemError(Problem.INVALID_JSON) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _faults(model: type, document: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each member: as it would be kept, then as it was sent."""
    optional = {field.name for field in fields(model) if field.default is not MISSING}
    for name, hint in _hints(model).items():
        if name not in document:
            if name not in optional:
                yield f"/{name}", "is missing"
        elif found := _forbidden(given[name]) or fault(hint, given[name]) or fault(hint, document[name]):
            yield f"/{name}", found


def _forbidden(value: object) -> str | None:
    found = FORBIDDEN.search(value) if isinstance(value, str) else None
    return f"must not contain the character U+{ord(found[0]):04X}" if found else None


def _cleaned(value: object) -> object:
    if not isinstance(value, str):
        return value
    return unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()


def _hints(model: type) -> Mapping[str, Any]:
    return get_type_hints(model, include_extras=True)


def _refusal(faults: Mapping[str, str]) -> ProblemError:
    errors = tuple(FieldError("body", pointer, detail) for pointer, detail in faults.items())
    return ProblemError(Problem.INVALID_REQUEST, errors=errors)
