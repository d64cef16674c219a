"""The log and the metrics: they tell what happened, and never what was said, by whom, or a token."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from chatbot.memory import MemoryStore
from chatbot.store import StoreUnavailableError
from tests.unit.chatbot.conftest import REQUEST_ID
from tests.unit.chatbot.models import MOST_TOKENS, SPENT, BrokenModel, Model

MakeBot = Callable[..., Any]

CANARIES = ("canary-7f3a", "+1 (123) 456-7890", "4111 1111 1111 1111", "jane.doe@example.com")
CANARY = " ".join(CANARIES)


def lines(bot: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bot.log.getvalue().splitlines()]


def test_each_request_is_one_line(bot: Any) -> None:
    """It tells id, route, status, duration and a stand-in for the conversation, and for a turn what became of it."""
    chat = bot.start()
    chat.say("What does it cost?", key="key")
    chat.say("xyzzy")
    chat.say("What does it cost?", key="key")
    bot.request("GET", "/nowhere")
    start, known, unknown, replayed, nowhere = lines(bot)
    assert (start["status"], start["route"]) == (201, "POST /v1/conversations")
    assert known["route"] == "POST /v1/conversations/{conversation_id}/messages"
    assert known["request_id"] == REQUEST_ID
    assert known["duration_ms"] >= 0
    assert len(known["conversation"]) == 16
    assert known["conversation"] == unknown["conversation"] != chat.id[:16]
    assert (known["turn"], known["answered"], known["responder"], known["fallback"]) == (1, True, "knowledge", False)
    assert (unknown["turn"], unknown["answered"], unknown["tokens"]) == (2, False, 0)
    assert (replayed["turn"], replayed["replayed"]) == (1, True)
    assert (nowhere["status"], nowhere["problem"]) == (404, "not_found")


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_turn_is_measured_once(make_bot: MakeBot, capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens, time, and what was left unanswered or fell back are metrics of the environment; a replay is none."""
    bot = make_bot(responder=Model(), daily_tokens=MOST_TOKENS)
    chat = bot.start()
    chat.say("hello", key="key")
    chat.say("hello", key="key")
    (found,) = metrics(capsys)
    (declared,) = found["_aws"]["CloudWatchMetrics"]
    assert declared["Namespace"] == "Parley"
    assert declared["Dimensions"] == [["service"]]
    assert {metric["Name"] for metric in declared["Metrics"]} == {"Unanswered", "Fallback", "Tokens", "TurnTime"}
    assert (found["Unanswered"], found["Fallback"], found["Tokens"]) == ([0], [0], [SPENT])
    assert found["TurnTime"][0] >= 0


def test_what_is_unanswered_is_counted(bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The average of the metric is the share of questions without an answer."""
    chat = bot.start()
    for text in ("xyzzy", "What does it cost?"):
        chat.say(text)
    assert [found["Unanswered"] for found in metrics(capsys)] == [[1], [0]]


def test_a_reached_cap_is_counted(make_bot: MakeBot, capsys: pytest.CaptureFixture[str]) -> None:
    """An alarm can be set on it."""
    bot = make_bot(responder=Model(), daily_tokens=1)
    assert bot.start().say("hello").status == 429
    assert [found["TokenCapReached"] for found in metrics(capsys)] == [[1]]


class BrokenStore(MemoryStore):
    """A store whose every method fails and quotes what it was given."""

    broken = False

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or name == "broken" or not self.broken:
            return found

        def fail(*arguments: Any, **named: Any) -> None:
            raise self.broken(f"{CANARY} {arguments} {named}")

        return fail


def everything(bot: Any, chat: Any) -> None:
    """Plant the canaries in every part of every route, with and without access."""
    bodies = ({"text": CANARY}, {"rating": CANARY, "comment": CANARY}, {"rating": "down", "comment": CANARY}, CANARY)
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", CANARY):
        for path in (
            "/v1/conversations",
            f"{chat.path}/messages?cursor={CANARY}&limit={CANARY}",
            f"{chat.path}/messages",
            f"{chat.path}/messages/1/feedback",
            f"{chat.path}/messages/{CANARY}/feedback",
            f"{chat.path}/export?format={CANARY}",
            f"{chat.path}/export?format=markdown",
            f"/v1/conversations/{CANARY}/messages",
            f"/{CANARY}",
        ):
            for body in bodies:
                for headers in (
                    {"Idempotency-Key": "canary-7f3a", "Origin": CANARY, "User-Agent": CANARY},
                    {"Idempotency-Key": CANARY, "Content-Type": CANARY},
                ):
                    if method != "DELETE":
                        bot.request(method, path, body, token=chat.token, headers=headers)
                    bot.request(method, path, body, token=CANARY, headers=headers, resource=path)
                    bot.request(method, path, body, requestContext={"requestId": CANARY, "path": CANARY})


def leaks(told: str, token: str) -> list[str]:
    return [canary for canary in (*CANARIES, token, "456-7890", "jane.doe") if canary in told]


@pytest.mark.parametrize("failure", [None, RuntimeError, StoreUnavailableError])
def test_no_route_tells_what_was_said_or_a_token(
    make_bot: MakeBot,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    failure: type[Exception] | None,
) -> None:
    """Through every route, refused, failing or fine: no text, token, phone, card or mail address in any line."""
    caplog.set_level(logging.DEBUG)
    store = BrokenStore()
    bot = make_bot(store=store, origins=("https://site.example",))
    chat = bot.start()
    chat.say(CANARY)
    if failure is StoreUnavailableError:
        store.broken = lambda _said: StoreUnavailableError("ThrottlingException")
    elif failure:
        store.broken = failure
    everything(bot, chat)
    chat.request("DELETE", "")
    captured = capfd.readouterr()
    told = bot.log.getvalue() + captured.out + captured.err
    assert len(bot.log.getvalue().splitlines()) > 100
    assert not leaks(told, chat.token)
    assert chat.id not in told


@pytest.mark.parametrize("model", [Model, BrokenModel])
def test_a_model_tells_nothing_either(make_bot: MakeBot, capfd: pytest.CaptureFixture[str], model: type[Model]) -> None:
    """A responder that fails and quotes the question leaves no trace of it."""
    bot = make_bot(responder=model(), daily_tokens=MOST_TOKENS)
    chat = bot.start()
    chat.say(CANARY, key="canary-7f3a")
    captured = capfd.readouterr()
    told = bot.log.getvalue() + captured.out + captured.err
    assert not leaks(told, chat.token)


def test_content_is_told_where_it_is_switched_on_but_never_a_token(make_bot: MakeBot) -> None:
    """Who must see what is asked can; the switch does not open conversations."""
    bot = make_bot(log_content=True)
    chat = bot.start()
    chat.say(CANARY, key="key")
    assert lines(bot)[-1]["text"] == CANARY
    assert lines(bot)[-1]["reply"]
    assert chat.token not in bot.log.getvalue()


def test_an_unforeseen_error_is_told_by_its_kind_and_place(make_bot: MakeBot) -> None:
    """Whoever is on call finds the line of code, and the request that met it."""
    store = BrokenStore()
    bot = make_bot(store=store)
    store.broken = RuntimeError
    assert bot.request("POST", "/v1/conversations").status == 500
    error, request = lines(bot)
    assert (error["level"], error["error"], error["request_id"]) == ("ERROR", "RuntimeError", REQUEST_ID)
    assert any("conversation.py" in frame and "start" in frame for frame in error["stack"])
    assert request["status"] == 500
