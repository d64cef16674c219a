"""The OpenAPI document: valid, importable by API Gateway, and true of the bot."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from chatbot.contract import BODY_BYTES, TEXT_LENGTH
from chatbot.openapi import document
from chatbot.reference import Reference
from chatbot.routes import ROUTES
from tests.unit.chatbot.schemas import check

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
    """Model names are alphanumeric, and nothing is used that the import refuses, but what the stack takes out."""
    found = document()
    assert found["openapi"] == "3.0.1"
    assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in found["components"]["schemas"])
    dropped = {"oneOf", "anyOf", "allOf", "discriminator", "example", "additionalProperties", "readOnly"}
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
    chat = bot.start()
    assert chat.say("x" * text["maxLength"]).status == 200
    assert chat.say("x" * (text["maxLength"] + 1)).status == 422
    assert BODY_BYTES > 12 * TEXT_LENGTH


def filled_in(path: str, chat: Any) -> str:
    return path.replace("{conversation_id}", chat.id).replace("{number}", "1")


def test_every_route_is_documented_and_answers_as_it_says(bot: Any) -> None:
    """The document and the bot know the same paths and methods, and each status and media type is a documented one."""
    documented = {(method.upper(), path) for path, item in document()["paths"].items() for method in item}
    assert documented == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        chat = bot.start()
        chat.say("hello")
        body = {"rating": "up"} if route.operation == "rateMessage" else {"text": "hello"}
        for token in (chat.token, None):
            answer = bot.request(route.method, filled_in(route.path, chat), body, token=token)
            refused = route.needs_token and token is None
            assert answer.status == (404 if refused else route.status)
            responses = document()["paths"][route.path][route.method.lower()]["responses"]
            kinds = responses[str(answer.status)].get("content", {None: {}})
            kind = answer.headers.get("Content-Type")
            assert (kind and kind.partition(";")[0]) in kinds
            schema = kinds[kind and kind.partition(";")[0]].get("schema", {})
            if "$ref" in schema:
                check(schema["$ref"].rpartition("/")[2], answer.json)


def test_every_problem_is_documented_where_it_can_be_met() -> None:
    """The codes of an operation stand with its status, and all of them in the model."""
    found = document()
    codes = found["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert {problem.code for route in ROUTES for problem in route.problems} <= set(codes)
    send = found["paths"]["/v1/conversations/{conversation_id}/messages"]["post"]["responses"]
    assert "token_cap_reached" in send["429"]["description"]
    assert "rate_limited" in send["429"]["description"]
    assert "Retry-After" in send["429"]["headers"]
    assert "idempotency_key_reused" in send["422"]["description"]


def test_every_operation_on_a_conversation_needs_its_token() -> None:
    """Only starting one does not, nor does what tells nothing of any."""
    for path, item in document()["paths"].items():
        for operation in item.values():
            assert ("security" in operation) == ("{conversation_id}" in path)


@pytest.mark.parametrize(("days", "said"), [(35, "up to 35 days"), (7, "up to 7 days"), (0, "no backups")])
def test_deleting_says_what_backups_keep(days: int, said: str) -> None:
    """Whoever deletes a conversation can know for how long it could still be restored."""
    deletion = document(backup_days=days)["paths"]["/v1/conversations/{conversation_id}"]["delete"]
    assert said in deletion["description"]


def test_the_bot_serves_its_own_document(bot: Any) -> None:
    """What is read from a running bot is valid, and names the bot."""
    served = bot.request("GET", "/v1/openapi.json").json
    validate(served)
    assert served["info"]["title"] == "Parley"
    assert served["paths"].keys() == document()["paths"].keys()


class Outline(HTMLParser):
    """What a page holds, for a test to look at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(str(value))
            elif name == "href":
                self.links.add(str(value))
            elif name in ("src", "action", "srcset") or name.startswith("on"):
                self.loaded.append(str(value))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_docs_are_a_page_that_runs_nothing(bot: Any) -> None:
    """A person reads every operation, its parameters and its failures; no script, nobody else's address."""
    answer = bot.request("GET", "/docs")
    page = Outline(answer.text)
    for route in ROUTES:
        assert route.summary in page.text
        assert f"{route.method} {route.path}" in page.text
    for said in ("Idempotency-Key", "At most 8,000 characters.", "token_cap_reached", "up to 35 days", "RFC 9457"):
        assert said in page.text
    assert not page.loaded
    assert "script" not in page.opened
    assert page.links <= {f"#{name}" for name in page.ids} | {"v1/openapi.json"}
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy


def test_the_docs_escape_the_bots_name() -> None:
    """A name is text, whatever it looks like."""
    assert "<b>" not in Reference(bot_name="<b>Bot</b>", backup_days=35).html


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a b",
        " \t\r\n a \r\n",
        "a\rb",
        "é\u2028🙂",
        "",
        " ",
        "\n\t",
        "\x00",
        "a\x07",
        "\x1b[2J",
        "a\x7f",
        "\x9fa",
        "\x0b",
    ],
)
def test_the_schema_and_the_bot_agree_on_a_text(bot: Any, text: str) -> None:
    """What one takes, the other takes: neither the gateway nor the function is a surprise to a client."""
    schema = document()["components"]["schemas"]["MessageRequest"]["properties"]["text"]
    allowed = len(text) >= schema["minLength"] and re.search(schema["pattern"], text) is not None
    assert (bot.start().say(text).status == 200) == allowed
