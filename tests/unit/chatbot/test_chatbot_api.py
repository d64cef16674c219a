"""The HTTP side: what callers get for good requests, and that nothing they send is an accident."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from chatbot.memory import MemoryStore
from tests.unit.chatbot.conftest import REQUEST_ID
from tests.unit.chatbot.schemas import check

MakeBot = Callable[..., Any]
UNKNOWN = "/v1/conversations/" + "0" * 32


def check_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status, answer.json["code"]) == (status, code), answer.text
    check_form(answer)


def check_form(answer: Any) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    check("Problem", answer.json)
    assert answer.json["status"] == answer.status
    assert answer.text == json.dumps(answer.json, ensure_ascii=False, separators=(",", ":"))


def test_a_conversation_from_start_to_end(bot: Any) -> None:
    """Start, ask, read back, rate, take along, delete: each answer has the form that the OpenAPI document promises."""
    started = bot.request("POST", "/v1/conversations")
    assert started.status == 201
    check("StartedConversation", started.json)
    assert started.headers["Location"] == f"conversations/{started.json['conversation_id']}/messages"
    path, token = f"/v1/{started.headers['Location']}", started.json["token"]
    turns = [
        bot.request("POST", path, {"text": text}, token=token).json for text in ("What does it cost?", "xyzzy plugh")
    ]
    for turn in turns:
        check("Turn", turn)
    history = bot.request("GET", path, token=token).json
    check("Transcript", history)
    assert history == {"messages": turns, "next_cursor": None}
    assert history["messages"][1]["source"] is None
    feedback = bot.request("PUT", f"{path}/2/feedback", {"rating": "down", "comment": " Not helpful. "}, token=token)
    check("Feedback", feedback.json)
    assert feedback.json == {"rating": "down", "comment": "Not helpful."}
    conversation = path.removesuffix("/messages")
    export = bot.request("GET", f"{conversation}/export", token=token)
    check("Export", export.json)
    assert [turn["feedback"] for turn in export.json["messages"]] == [None, feedback.json]
    deleted = bot.request("DELETE", conversation, token=token)
    assert (deleted.status, deleted.text) == (204, "")
    check_problem(bot.request("GET", path, token=token), 404, "conversation_not_found")
    check_problem(bot.request("DELETE", conversation, token=token), 404, "conversation_not_found")


def test_history_comes_in_pages(bot: Any) -> None:
    """Pages join without gap or overlap, and the last one leads nowhere."""
    chat = bot.start()
    for number in range(1, 8):
        chat.say(f"question {number}")
    pages, cursor = [], ""
    while cursor is not None:
        page = chat.request("GET", f"/messages?limit=3{cursor and f'&cursor={cursor}'}").json
        pages.append([turn["number"] for turn in page["messages"]])
        cursor = page["next_cursor"]
    assert pages == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_long_conversation_is_read_in_pages_of_fifty_unless_asked_otherwise(bot: Any) -> None:
    """A page holds no more than a caller can ask for."""
    chat = bot.start()
    for number in range(101):
        chat.say(f"question {number}")
    assert len(chat.request("GET", "/messages").json["messages"]) == 50
    assert len(chat.request("GET", "/messages?limit=100").json["messages"]) == 100


def test_a_cursor_is_good_for_its_own_conversation_alone(bot: Any) -> None:
    """Another conversation's cursor, one that was changed and one that never was are refused by name."""
    chat, other = bot.start(), bot.start()
    for each in (chat, other):
        for _ in range(2):
            each.say("hello")
    cursor, theirs = (each.request("GET", "/messages?limit=1").json["next_cursor"] for each in (chat, other))
    assert chat.request("GET", f"/messages?cursor={cursor}").json["messages"][0]["number"] == 2
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    for wrong in (theirs, changed, cursor + "AAAA", cursor[:-4], "x", "", "é", "%00", "=" * 9, "A" * 5000):
        for path in (f"/messages?cursor={wrong}", f"/export?cursor={wrong}"):
            answer = chat.request("GET", path)
            check_problem(answer, 422, "invalid_request")
            assert [(each["place"], each["pointer"]) for each in answer.json["errors"]] == [("query", "/cursor")]


@pytest.mark.parametrize(
    ("method", "path", "headers", "wrong"),
    [
        ("GET", "/messages?limit=0", {}, ("query", "/limit")),
        ("GET", "/messages?limit=101", {}, ("query", "/limit")),
        ("GET", "/messages?limit=-1", {}, ("query", "/limit")),
        ("GET", "/messages?limit=1.5", {}, ("query", "/limit")),
        ("GET", "/messages?limit=", {}, ("query", "/limit")),
        ("GET", "/messages?limit=٣", {}, ("query", "/limit")),
        ("GET", "/messages?limit=99999999999999999999", {}, ("query", "/limit")),
        ("GET", "/export?format=pdf", {}, ("query", "/format")),
        ("POST", "/messages", {"Idempotency-Key": ""}, ("header", "/Idempotency-Key")),
        ("POST", "/messages", {"idempotency-key": "two words"}, ("header", "/Idempotency-Key")),
        ("POST", "/messages", {"Idempotency-Key": "x" * 65}, ("header", "/Idempotency-Key")),
        ("POST", "/messages", {"Idempotency-Key": "clé"}, ("header", "/Idempotency-Key")),
    ],
)
def test_what_is_wrong_with_a_parameter_is_pointed_at(
    bot: Any, method: str, path: str, headers: dict[str, str], wrong: tuple[str, str]
) -> None:
    """A parameter out of its bounds gets 422 with the place where it stands and its name."""
    answer = bot.start().request(method, path, {"text": "hello"}, headers=headers)
    check_problem(answer, 422, "invalid_request")
    assert [(each["place"], each["pointer"]) for each in answer.json["errors"]] == [wrong]


@pytest.mark.parametrize("key", ["x", "x" * 64, "!~", "2f1c6ee0-5a3c-4e0e-9d7a-6f0c7d0c2f11"])
def test_any_visible_ascii_is_a_key(bot: Any, key: str) -> None:
    """One to 64 characters."""
    chat = bot.start()
    assert [chat.say("hello", key=key).json["number"] for _ in range(2)] == [1, 1]


ROUTES = [
    ("POST", "/messages", {"text": "hello"}),
    ("GET", "/messages", None),
    ("PUT", "/messages/1/feedback", {"rating": "up"}),
    ("GET", "/export", None),
    ("GET", "/export?format=markdown", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_whatever_is_wrong_with_the_access_is_the_same_404(bot: Any, method: str, path: str, body: Any) -> None:
    """No token, a wrong one, another conversation's, another scheme, no such conversation: nobody can tell which."""
    chat, other = bot.start(), bot.start()
    chat.say("hello")
    attempts = [
        bot.request(method, chat.path + path, body),
        bot.request(method, chat.path + path, body, token="wrong"),
        bot.request(method, chat.path + path, body, token=other.token),
        bot.request(method, chat.path + path, body, headers={"Authorization": f"Basic {chat.token}"}),
        bot.request(method, chat.path + path, body, headers={"Authorization": chat.token}),
        bot.request(method, UNKNOWN + path, body, token=chat.token),
        bot.request(method, "/v1/conversations/x" + path, body, token=chat.token),
    ]
    for answer in attempts:
        check_problem(answer, 404, "conversation_not_found")
    assert len({(answer.text, tuple(sorted(answer.headers.items()))) for answer in attempts}) == 1
    assert len(chat.request("GET", "/messages").json["messages"]) == 1


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_token_may_be_written_in_any_case(bot: Any, scheme: str) -> None:
    """HTTP's schemes have no case (RFC 9110, 11.1)."""
    chat = bot.start()
    answer = bot.request("GET", chat.messages, headers={"authorization": f"{scheme} {chat.token}"})
    assert answer.status == 200


@pytest.mark.parametrize("number", ["0", "2", "1001", "-1", "x", "1e0", "٣", "99999999999", "1 "])
def test_a_turn_that_is_not_there_cannot_be_rated(bot: Any, number: str) -> None:
    """Whatever the number looks like, there is no such message."""
    chat = bot.start()
    chat.say("hello")
    check_problem(chat.request("PUT", f"/messages/{number}/feedback", {"rating": "up"}), 404, "message_not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/rating"),
        ({"rating": "UP"}, "/rating"),
        ({"rating": 1}, "/rating"),
        ({"rating": ["up"]}, "/rating"),
        ({"rating": "up", "comment": None}, "/comment"),
        ({"rating": "up", "comment": 7}, "/comment"),
        ({"rating": "up", "comment": "x" * 1001}, "/comment"),
        ({"rating": "up", "comment": "\x00"}, "/comment"),
    ],
)
def test_what_is_wrong_with_feedback_is_pointed_at(bot: Any, body: Any, pointer: str) -> None:
    """Only thumbs up or down with at most 1,000 characters are feedback."""
    chat = bot.start()
    chat.say("hello")
    answer = chat.request("PUT", "/messages/1/feedback", body)
    check_problem(answer, 422, "invalid_request")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_an_empty_comment_is_none(bot: Any) -> None:
    """Blanks alone say nothing."""
    chat = bot.start()
    chat.say("hello")
    assert chat.request("PUT", "/messages/1/feedback", {"rating": "up", "comment": "  "}).json["comment"] is None


def test_messages_that_come_too_fast_get_429(make_bot: MakeBot) -> None:
    """The answer says when to come again."""
    chat = make_bot(messages_per_minute=1).start()
    chat.say("hello")
    answer = chat.say("hello")
    check_problem(answer, 429, "rate_limited")
    assert answer.headers["Retry-After"] == "60"


def test_another_body_under_a_key_gets_422(bot: Any) -> None:
    """The client mixed up its keys; it is no invalid request."""
    chat = bot.start()
    chat.say("hello", key="key")
    check_problem(chat.say("goodbye", key="key"), 422, "idempotency_key_reused")


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
    turn = bot.start().say("  cafe\u0301\r\nau lait\t \n")
    assert turn.json["text"] == "caf\u00e9\nau lait"


def send_raw(bot: Any, body: Any, **changes: Any) -> Any:
    """Send a body as it is, into a conversation that exists."""
    chat = bot.start()
    event = {
        "path": chat.messages,
        "httpMethod": "POST",
        "requestContext": {"requestId": REQUEST_ID},
        "body": body,
    }
    headers = changes.pop("headers", {"content-type": "application/json; charset=utf-8"}) or {}
    return bot.ask(event | changes | {"headers": headers | {"authorization": f"Bearer {chat.token}"}})


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
        (json.dumps({"text": "x" * 8001}), "/text"),
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


@pytest.mark.parametrize("text", ["x", "x" * 8000, "🙂" * 8000, "e\u0301" * 4000, "a\nb\tc"])
def test_texts_up_to_the_limit_are_taken(bot: Any, text: str) -> None:
    """One to 8,000 characters are a message, whatever their bytes; they are counted as they were sent."""
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
    """128 KB are read; one byte more is not, plain or encoded."""
    just = json.dumps({"text": "hi", "padding": ""})
    fitting = just.replace('""', '"' + "x" * (128 * 1024 - len(just)) + '"')
    assert len(fitting) == 128 * 1024
    assert send_raw(bot, fitting).status == 200
    check_problem(send_raw(bot, fitting + " "), 413, "too_large")
    encoded = base64.b64encode(fitting.encode() + b" ").decode()
    check_problem(send_raw(bot, encoded, isBase64Encoded=True), 413, "too_large")


@pytest.mark.parametrize("headers", [None, {}, {"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Accept": "*/*"}])
def test_another_content_type_gets_415(bot: Any, headers: dict[str, str] | None) -> None:
    """Only application/json is read."""
    check_problem(send_raw(bot, '{"text": "hello"}', headers=headers), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/nowhere", "/v2/conversations", "/v1", "/v1/conversations/x/y/z", "/%00"])
def test_an_unknown_path_gets_404(bot: Any, path: str) -> None:
    """There is nothing there, for any method."""
    check_problem(bot.request("PUT", path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/conversations", "POST"),
        ("DELETE", "/v1/conversations", "POST"),
        ("PUT", f"{UNKNOWN}/messages", "GET, POST"),
        ("GET", UNKNOWN, "DELETE"),
        ("POST", f"{UNKNOWN}/messages/1/feedback", "PUT"),
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

    def append(self, draft: Any) -> None:
        raise RuntimeError(f"cannot keep {draft.turn.text}")


CANARY = "canary-7f3a +1 (123) 456-7890"


def test_a_defect_gets_500_and_leaks_nothing(make_bot: MakeBot) -> None:
    """The caller gets a request id; what the exception said is neither in the answer nor in the log."""
    bot = make_bot(store=BrokenStore())
    answer = bot.start().say(CANARY)
    check_problem(answer, 500, "internal_error")
    assert answer.json["request_id"] == REQUEST_ID
    assert "cannot keep" not in answer.text
    log = bot.log.getvalue()
    assert "RuntimeError" in log
    assert "append" in log
    assert "canary" not in log


@pytest.mark.parametrize("event", [{}, None, [], "event", {"httpMethod": None, "path": 7}, {"path": "/health"}])
def test_an_event_that_is_none_gets_a_problem(bot: Any, event: Any) -> None:
    """Whoever invokes the function with something else gets an answer of the usual form."""
    answer = bot.ask(event)
    assert answer.status in (404, 405)
    check_form(answer)


@pytest.mark.parametrize("request_id", [None, 7, "half of a pair \ud83d", "two\nlines", "+1 (123) 456-7890"])
def test_a_strange_request_id_is_not_repeated(bot: Any, request_id: Any) -> None:
    """An id that a caller made up becomes `unknown`."""
    answer = bot.request("GET", "/nowhere", requestContext={"requestId": request_id})
    check_problem(answer, 404, "not_found")
    assert answer.json["request_id"] == "unknown"
