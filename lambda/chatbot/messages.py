"""Reads a message out of a request, and refuses whatever is not one."""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NoReturn

from chatbot.contract import BODY_BYTES, TEXT_LENGTH, MessageRequest
from chatbot.errors import FieldError, Problem, ProblemError
from chatbot.routes import JSON

# C0 and C1 control characters other than tab and line feed, and halves of UTF-16 pairs, which no encoding can carry.
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def read_message(event: Mapping[str, Any]) -> MessageRequest:
    """Return the message in an API Gateway proxy event; raises ProblemError for anything else.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    if _media_type(event) != JSON:
        raise ProblemError(Problem.UNSUPPORTED_MEDIA_TYPE)
    document = _json(_body(event))
    if not isinstance(document, dict):
        _refuse("", "must be an object")
    if "text" not in document:
        _refuse("/text", "is missing")
    return MessageRequest(text=_text(document["text"]))


def _media_type(event: Mapping[str, Any]) -> str:
    headers = event.get("headers") or {}
    found = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return str(found).partition(";")[0].strip().lower()


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
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


def _text(value: object) -> str:
    if not isinstance(value, str):
        _refuse("/text", "must be a string")
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    if not text:
        _refuse("/text", "must not be empty")
    if len(text) > TEXT_LENGTH:
        _refuse("/text", f"must have at most {TEXT_LENGTH} characters, got {len(text)}")
    if found := FORBIDDEN.search(text):
        _refuse("/text", f"must not contain the character U+{ord(found[0]):04X}")
    return text


def _refuse(pointer: str, detail: str) -> NoReturn:
    raise ProblemError(Problem.INVALID_REQUEST, errors=(FieldError(pointer, detail),))
