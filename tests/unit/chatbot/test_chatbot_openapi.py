"""The OpenAPI document: valid, importable by API Gateway, and true of the bot."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_spec_validator import validate

from chatbot.contract import BODY_BYTES, TEXT_LENGTH
from chatbot.openapi import document
from chatbot.routes import ROUTES

LAMBDA = Path(__file__).parents[3] / "lambda"


def every_key(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_key(inner)


def test_the_document_is_valid() -> None:
    """A validator of the OpenAPI specification accepts it."""
    validate(document())


def test_the_command_prints_the_same_document_every_time() -> None:
    """`python -m chatbot.openapi` writes the document and nothing else, byte for byte the same."""
    command = [sys.executable, "-m", "chatbot.openapi"]
    runs = [
        subprocess.run(
            command, capture_output=True, check=True, env={"PYTHONPATH": str(LAMBDA), "PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert json.loads(runs[0].stdout) == document()
    assert runs[0].stderr == b""


def test_api_gateway_can_import_it() -> None:
    """Model names are alphanumeric, and nothing is used that the import refuses or drops."""
    found = document()
    assert found["openapi"] == "3.0.1"
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in found["components"]["schemas"])
    dropped = {"nullable", "oneOf", "anyOf", "allOf", "discriminator", "example", "additionalProperties", "readOnly"}
    assert not dropped & set(every_key(found))


def test_every_reference_leads_somewhere() -> None:
    """Each `$ref` names a model that is there."""
    text = json.dumps(document())
    referenced = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert referenced <= set(document()["components"]["schemas"])


def test_the_limits_are_the_ones_that_are_enforced(bot: Any) -> None:
    """What the document allows is taken, and one character more is not."""
    text = document()["components"]["schemas"]["MessageRequest"]["properties"]["text"]
    assert (text["minLength"], text["maxLength"]) == (1, TEXT_LENGTH)
    path = bot.start()
    assert bot.request("POST", path, {"text": "x" * text["maxLength"]}).status == 200
    assert bot.request("POST", path, {"text": "x" * (text["maxLength"] + 1)}).status == 422
    assert BODY_BYTES > 4 * TEXT_LENGTH


def test_every_route_is_documented_and_answers(bot: Any) -> None:
    """The document and the bot know the same paths and methods."""
    documented = {(method.upper(), path) for path, item in document()["paths"].items() for method in item}
    assert documented == {(route.method, route.path) for route in ROUTES}
    for method, path in documented:
        answer = bot.request(method, path.replace("{conversation_id}", "0" * 32), {"text": "hello"})
        assert str(answer.status) in document()["paths"][path][method.lower()]["responses"]
