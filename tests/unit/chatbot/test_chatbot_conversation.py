"""Conversations: started, continued without gaps, full, expired, and used by many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chatbot import conversation as module
from chatbot.errors import Problem, ProblemError
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.memory import MemoryStore
from chatbot.responders import KnowledgeResponder
from chatbot.store import ConflictError, StoreUnavailableError

MakeBot = Callable[..., Any]


def test_a_conversation_greets_and_says_when_it_ends(bot: Any) -> None:
    """A person is greeted by name, offered questions, and told how long the conversation is kept."""
    started = bot.conversations.start()
    assert "Parley" in started.greeting
    assert started.suggestions
    assert started.expires_at - started.created_at == timedelta(days=30)


def test_ids_cannot_be_guessed(bot: Any) -> None:
    """An id is 128 random bits in hexadecimal, never the same twice."""
    ids = {bot.conversations.start().conversation_id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(found) == 32 and set(found) <= set("0123456789abcdef") for found in ids)


def test_turns_are_numbered_and_kept(bot: Any) -> None:
    """Three messages make turns one to three, and the transcript returns what was answered."""
    conversation_id = bot.conversations.start().conversation_id
    turns = [bot.conversations.send(conversation_id, text) for text in ("hello", "what does it cost?", "xyzzy")]
    assert [turn.number for turn in turns] == [1, 2, 3]
    assert [turn.answered for turn in turns] == [True, True, False]
    assert bot.conversations.transcript(conversation_id).messages == tuple(turns)


def test_an_answer_names_its_source(bot: Any) -> None:
    """A known question is answered from the section that the source names."""
    turn = bot.conversations.send(bot.conversations.start().conversation_id, "what does it cost per month?")
    assert turn.source.id == "aws#what-does-it-cost"
    assert "KMS" in turn.reply


def test_an_unknown_question_is_declined_with_questions_to_ask(bot: Any) -> None:
    """The bot says that it does not know, names no source, and offers two or three questions that it answers."""
    conversation_id = bot.conversations.start().conversation_id
    turn = bot.conversations.send(conversation_id, "who won the football world cup?")
    assert turn.reply.startswith("I don't know")
    assert turn.source is None
    assert 2 <= len(turn.suggestions) <= 3
    for suggestion in turn.suggestions:
        assert bot.conversations.send(conversation_id, suggestion).source.title == suggestion


def test_a_suggestion_is_never_the_question_just_answered(tmp_path: Path) -> None:
    """What was just read is not offered again, even where there is little else to offer."""
    for name in ("Tea", "Coffee"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\nA hot drink.\n")
    responder = KnowledgeResponder(Knowledge(learn(tmp_path)))
    assert responder.reply("Tea", ()).suggestions == ("Coffee",)
    assert responder.reply("Coffee", ()).suggestions == ("Tea",)


def test_an_expired_conversation_is_gone(bot: Any) -> None:
    """After its retention a conversation can be neither read nor continued."""
    conversation_id = bot.conversations.start().conversation_id
    bot.clock.time += timedelta(days=30)
    for use in (bot.conversations.transcript, lambda found: bot.conversations.send(found, "hello")):
        with pytest.raises(ProblemError) as caught:
            use(conversation_id)
        assert caught.value.problem is Problem.CONVERSATION_NOT_FOUND


def test_a_full_conversation_takes_no_more(bot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its limit a conversation refuses a message and keeps what it has."""
    monkeypatch.setattr(module, "TURNS", 2)
    conversation_id = bot.conversations.start().conversation_id
    for _ in range(2):
        bot.conversations.send(conversation_id, "hello")
    with pytest.raises(ProblemError) as caught:
        bot.conversations.send(conversation_id, "hello")
    assert caught.value.problem is Problem.CONVERSATION_FULL
    assert len(bot.conversations.transcript(conversation_id).messages) == 2


class StubbornStore(MemoryStore):
    """A store where another writer always was first."""

    def append(self, conversation: Any, turn: Any) -> None:
        raise ConflictError


class BusyStore(MemoryStore):
    """A store where another person's message comes first, three times."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals = 3

    def append(self, conversation: Any, turn: Any) -> None:
        if self.rivals:
            self.rivals -= 1
            super().append(conversation, replace(turn, text="first!"))
        super().append(conversation, turn)


def test_a_message_that_comes_second_takes_the_next_number(make_bot: MakeBot) -> None:
    """Who is overtaken is not refused: the message follows those that were faster."""
    bot = make_bot(store=BusyStore())
    conversation_id = bot.conversations.start().conversation_id
    assert bot.conversations.send(conversation_id, "hello").number == 4
    kept = bot.conversations.transcript(conversation_id).messages
    assert [turn.text for turn in kept] == ["first!", "first!", "first!", "hello"]


def test_a_conflict_that_does_not_end_is_told(make_bot: MakeBot) -> None:
    """After a bounded number of tries the caller hears of the conflict and when to come again."""
    bot = make_bot(store=StubbornStore())
    with pytest.raises(ProblemError) as caught:
        bot.conversations.send(bot.conversations.start().conversation_id, "hello")
    assert caught.value.problem is Problem.CONFLICT
    assert caught.value.headers == {"Retry-After": "1"}


def test_many_at_once_leave_no_gap_and_lose_nothing(bot: Any) -> None:
    """Forty messages from eight at once: each that was acknowledged is kept once, numbered from one without a gap."""
    conversation_id = bot.conversations.start().conversation_id

    def send(number: int) -> int | None:
        try:
            return int(bot.conversations.send(conversation_id, f"hello {number}").number)
        except ProblemError:  # busy: allowed, as long as nothing is lost of what was acknowledged
            return None

    with ThreadPoolExecutor(8) as pool:
        acknowledged = sorted(filter(None, pool.map(send, range(40))))
    kept = bot.conversations.transcript(conversation_id).messages
    assert acknowledged == list(range(1, len(acknowledged) + 1))
    assert [turn.number for turn in kept] == acknowledged
    assert len({turn.text for turn in kept}) == len(kept)


class DeadStore(MemoryStore):
    """A store that cannot be reached."""

    def create(self, conversation: Any) -> None:
        raise StoreUnavailableError("EndpointConnectionError")


def test_a_store_that_is_down_gives_503(make_bot: MakeBot) -> None:
    """The caller hears that it is temporary, when to come again, and nothing of the store."""
    answer = make_bot(store=DeadStore()).request("POST", "/v1/conversations")
    assert (answer.status, answer.json["code"]) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "Endpoint" not in answer.text
