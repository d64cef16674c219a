"""The HTTP side: what callers get for good requests, and that nothing they send is an accident."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatbot.memory import MemoryStore
from chatbot.openapi import document

MakeBot = Callable[..., Any]
UNKNOWN = "/v1/conversations/" + "0" * 32 + "/messages"


def schema(name: str) -> dict[str, Any]:
    """A model of the API's own OpenAPI document, ready for a validator."""
    return {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}


def check_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status, answer.json["code"]) == (status, code), answer.text
    check_form(answer)


def check_form(answer: Any) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    jsonschema.validate(answer.json, schema("Problem"))
    assert answer.json["status"] == answer.status


def test_a_conversation_from_start_to_transcript(bot: Any) -> None:
    """Start, ask and read back: each answer has the form that the OpenAPI document promises."""
    started = bot.request("POST", "/v1/conversations")
    assert started.status == 201
    jsonschema.validate(started.json, schema("StartedConversation"))
    assert started.headers["Location"] == f"conversations/{started.json['conversation_id']}/messages"
    path = f"/v1/{started.headers['Location']}"
    turns = [bot.request("POST", path, {"text": text}) for text in ("What does it cost?", "xyzzy plugh")]
    assert [turn.status for turn in turns] == [200, 200]
    transcript = bot.request("GET", path)
    jsonschema.validate(transcript.json, schema("Transcript"))
    assert transcript.json == {"messages": [turn.json for turn in turns]}
    assert transcript.json["messages"][1]["source"] is None


def test_health_tells_environment_and_release(bot: Any) -> None:
    """Whoever deployed can see which release answers, and where."""
    answer = bot.request("GET", "/health")
    assert (answer.status, answer.json) == (200, {"status": "ok", "environment": "dev", "release": "abc"})


def test_nothing_is_cached_or_guessed(bot: Any) -> None:
    """Answers and problems alike carry the headers that keep caches and content sniffing away."""
    for answer in (bot.request("GET", "/health"), bot.request("GET", "/nowhere"), bot.request("GET", "/")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_text_is_normalised_and_stripped(bot: Any) -> None:
    """What is kept is the text in NFC, without blanks around it, with line feeds alone."""
    turn = bot.request("POST", bot.start(), {"text": "  cafe\u0301\r\nau lait\t \n"})
    assert turn.json["text"] == "caf\u00e9\nau lait"


def send_raw(bot: Any, body: Any, **changes: Any) -> Any:
    """Send a body as it is, into a conversation that exists."""
    path = bot.start()
    event = {
        "path": path,
        "httpMethod": "POST",
        "headers": {"content-type": "application/json; charset=utf-8"},
        "requestContext": {"requestId": "request-2"},
        "body": body,
    }
    return bot.ask(event | changes)


def test_a_body_in_base64_is_understood(bot: Any) -> None:
    """API Gateway may encode a body; that changes nothing."""
    body = base64.b64encode(b'{"text": "hello"}').decode()
    assert send_raw(bot, body, isBase64Encoded=True).json["text"] == "hello"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('"text"', ""),
        ("[]", ""),
        ("null", ""),
        ("{}", "/text"),
        ('{"text": null}', "/text"),
        ('{"text": 7}', "/text"),
        ('{"text": ["hello"]}', "/text"),
        ('{"text": ""}', "/text"),
        ('{"text": " \\n\\t "}', "/text"),
        (json.dumps({"text": "x" * 2001}), "/text"),
        ('{"text": "nul \\u0000 byte"}', "/text"),
        ('{"text": "bell \\u0007"}', "/text"),
        ('{"text": "half of a pair \\ud83d."}', "/text"),
    ],
)
def test_what_is_wrong_with_a_message_is_pointed_at(bot: Any, body: str, pointer: str) -> None:
    """A body that is JSON but no message gets 422 with a pointer to the field."""
    answer = send_raw(bot, body)
    check_problem(answer, 422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize("text", ["x", "x" * 2000, "🙂" * 2000, "e\u0301" * 2000, "a\nb\tc"])
def test_texts_up_to_the_limit_are_taken(bot: Any, text: str) -> None:
    """One to 2,000 characters are a message, whatever their bytes; they are counted after normalisation."""
    assert send_raw(bot, json.dumps({"text": text}, ensure_ascii=False)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "{'text': 'hello'}",
        '{"text": NaN}',
        "[" * 20_000,
        '{"text": "hello", "n": ' + "9" * 5000 + "}",
        "\ud800",
        '{"text": "hello"} trailing',
    ],
)
def test_what_is_not_json_gets_400(bot: Any, body: str | None) -> None:
    """A body that no JSON parser takes, and one that is made to break parsers, are told apart from a wrong message."""
    check_problem(send_raw(bot, body), 400, "invalid_json")


@pytest.mark.parametrize("body", ["not base64!", base64.b64encode(b'{"text": "\xff"}').decode()])
def test_an_encoded_body_that_is_no_text_gets_400(bot: Any, body: str) -> None:
    """Bytes that are not base64, or not UTF-8, are not JSON."""
    check_problem(send_raw(bot, body, isBase64Encoded=True), 400, "invalid_json")


def test_a_large_body_gets_413(bot: Any) -> None:
    """32 KB are read; one byte more is not, plain or encoded."""
    just = json.dumps({"text": "hi", "padding": ""})
    fitting = just.replace('""', '"' + "x" * (32 * 1024 - len(just)) + '"')
    assert len(fitting) == 32 * 1024
    assert send_raw(bot, fitting).status == 200
    check_problem(send_raw(bot, fitting + " "), 413, "too_large")
    encoded = base64.b64encode(fitting.encode() + b" ").decode()
    check_problem(send_raw(bot, encoded, isBase64Encoded=True), 413, "too_large")


@pytest.mark.parametrize("headers", [None, {}, {"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Accept": "*/*"}])
def test_another_content_type_gets_415(bot: Any, headers: dict[str, str] | None) -> None:
    """Only application/json is read."""
    check_problem(send_raw(bot, '{"text": "hello"}', headers=headers), 415, "unsupported_media_type")


@pytest.mark.parametrize("conversation_id", ["0" * 32, "F" * 32, "x", "0" * 33, "..", "C#" + "0" * 30])
def test_an_unknown_conversation_gets_404(bot: Any, conversation_id: str) -> None:
    """Reading from and writing to a conversation that is not there are the same problem, whatever the id looks like."""
    path = f"/v1/conversations/{conversation_id}/messages"
    for answer in (bot.request("GET", path), bot.request("POST", path, {"text": "hello"})):
        assert answer.status == 404
        check_form(answer)


@pytest.mark.parametrize("path", ["/nowhere", "/v2/conversations", "/v1", "/v1/conversations/x/y/z", "/%00"])
def test_an_unknown_path_gets_404(bot: Any, path: str) -> None:
    """There is nothing there, for any method."""
    check_problem(bot.request("PUT", path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/conversations", "POST"),
        ("DELETE", "/v1/conversations", "POST"),
        ("PUT", UNKNOWN, "GET, POST"),
        ("POST", "/health", "GET"),
        ("HEAD", "/", "GET"),
        ("OPTIONS", "/health", "GET"),
    ],
)
def test_a_wrong_method_gets_405_and_the_right_ones(bot: Any, method: str, path: str, allowed: str) -> None:
    """The Allow header says what the path does know."""
    answer = bot.request(method, path)
    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


class BrokenStore(MemoryStore):
    """A store with a defect that quotes what it was given."""

    def append(self, conversation: Any, turn: Any) -> None:
        raise RuntimeError(f"cannot keep {turn.text}")


CANARY = "canary-7f3a +1 (123) 456-7890"


def test_a_defect_gets_500_and_leaks_nothing(make_bot: MakeBot) -> None:
    """The caller gets a request id; what the exception said is neither in the answer nor in the log."""
    bot = make_bot(store=BrokenStore())
    answer = bot.request("POST", bot.start(), {"text": CANARY})
    check_problem(answer, 500, "internal_error")
    assert answer.json["request_id"] == "request-1"
    assert "cannot keep" not in answer.text
    log = bot.log.getvalue()
    assert "RuntimeError" in log
    assert "append" in log
    assert "canary" not in log


def test_the_log_tells_what_happened_but_not_what_was_said(bot: Any) -> None:
    """Each request is one JSON line with its id, route, status and duration, and no word of the conversation."""
    path = bot.start()
    bot.request("POST", path, {"text": CANARY})
    bot.request("POST", path, {"text": CANARY, "n": 1}, resource="/v1/conversations/{conversation_id}/messages")
    lines = [json.loads(line) for line in bot.log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [201, 200, 200]
    assert lines[-1]["request_id"] == "request-1"
    assert lines[-1]["duration_ms"] >= 0
    assert "canary" not in bot.log.getvalue()
    assert "456-7890" not in bot.log.getvalue()


@pytest.mark.parametrize("event", [{}, None, [], "event", {"httpMethod": None, "path": 7}, {"path": "/health"}])
def test_an_event_that_is_none_gets_a_problem(bot: Any, event: Any) -> None:
    """Whoever invokes the function with something else gets an answer of the usual form."""
    check_problem(bot.ask(event), 500, "internal_error")


@pytest.mark.parametrize("request_id", [None, 7, "half of a pair \ud83d", "two\nlines"])
def test_a_strange_request_id_is_not_repeated(bot: Any, request_id: Any) -> None:
    """An id that cannot be sent or logged as it is becomes `unknown`."""
    answer = bot.request("GET", "/nowhere", requestContext={"requestId": request_id})
    check_problem(answer, 404, "not_found")
    assert answer.json["request_id"] == "unknown"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
messages = st.fixed_dictionaries({"text": any_text | json_values}, optional={"other": json_values})
events = st.fixed_dictionaries(
    {
        "httpMethod": st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get"]),
        "path": st.sampled_from(["/", "/health", "/v1/conversations", UNKNOWN, "EXISTING"]) | any_text,
        "headers": st.none()
        | st.dictionaries(st.sampled_from(["Content-Type", "content-type", "Accept"]) | any_text, any_text, max_size=3)
        | st.just({"Content-Type": "application/json"}),
        "body": st.none() | any_text | messages.map(json.dumps),
        "isBase64Encoded": st.booleans(),
    },
    optional={
        "multiValueHeaders": st.none(),
        "queryStringParameters": st.none() | st.dictionaries(any_text, any_text, max_size=2),
        "requestContext": st.none() | st.fixed_dictionaries({}, optional={"requestId": any_text, "stage": any_text}),
    },
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=events)
def test_no_request_is_an_accident(bot: Any, event: dict[str, Any]) -> None:
    """Whatever comes in is answered, below 500, with a problem document wherever it is refused."""
    if event["path"] == "EXISTING":
        event = {**event, "path": bot.start(), "httpMethod": "POST"}
    answer = bot.ask(event)
    answer.text.encode()  # whatever is answered can be sent
    assert answer.status < 500, answer.text
    if answer.status >= 300:
        check_form(answer)
