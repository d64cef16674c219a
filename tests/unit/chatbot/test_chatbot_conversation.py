"""Conversations: started, continued without gaps, full, expired, deleted, and used by many at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chatbot import sending
from chatbot.access import Access
from chatbot.contract import Feedback
from chatbot.errors import Problem, ProblemError
from chatbot.knowledge import Knowledge
from chatbot.learn import learn
from chatbot.memory import MemoryStore
from chatbot.responders import KnowledgeResponder
from chatbot.store import ConflictError, StoreUnavailableError

MakeBot = Callable[..., Any]


def send(chat: Any, text: str, key: str | None = None) -> Any:
    return chat.bot.conversations.send(chat.access, text, key).turn


def kept(chat: Any) -> tuple[Any, ...]:
    return tuple(chat.bot.conversations.page(chat.access, limit=1_000).turns)


def problem(call: Callable[[], object]) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        call()
    return caught.value


def test_a_conversation_greets_and_says_when_it_ends(bot: Any) -> None:
    """A person is greeted by name, offered questions, and told how long the conversation is kept."""
    started = bot.conversations.start()
    assert "Parley" in started.greeting
    assert started.suggestions
    assert started.expires_at - started.created_at == timedelta(days=30)


def test_ids_and_tokens_cannot_be_guessed(bot: Any) -> None:
    """An id is 128 random bits and a token 256, never the same twice."""
    started = [bot.conversations.start() for _ in range(50)]
    assert len({found.conversation_id for found in started}) == 50
    assert all(set(found.conversation_id) <= set("0123456789abcdef") for found in started)
    assert len({found.token for found in started}) == 50
    assert all(len(found.token) == 43 for found in started)


def test_the_store_never_sees_a_token(bot: Any) -> None:
    """What is kept is a hash, from which the token does not follow."""
    chat = bot.start()
    found = bot.store.recent(chat.id, limit=0, now=bot.clock())
    assert chat.token not in repr(found)
    assert len(found.conversation.token_hash) == 64


def test_turns_are_numbered_and_kept(bot: Any) -> None:
    """Three messages make turns one to three, and the history returns what was answered."""
    chat = bot.start()
    turns = [send(chat, text) for text in ("hello", "what does it cost?", "xyzzy")]
    assert [turn.number for turn in turns] == [1, 2, 3]
    assert [turn.answered for turn in turns] == [True, True, False]
    assert kept(chat) == tuple(turns)


def test_an_answer_names_its_source(bot: Any) -> None:
    """A known question is answered from the section that the source names."""
    turn = send(bot.start(), "what does it cost per month?")
    assert turn.source.id == "aws#what-does-it-cost"
    assert "KMS" in turn.reply


def test_an_unknown_question_is_declined_with_questions_to_ask(bot: Any) -> None:
    """The bot says that it does not know, names no source, and offers two or three questions that it answers."""
    chat = bot.start()
    turn = send(chat, "who won the football world cup?")
    assert turn.reply.startswith("I don't know")
    assert turn.source is None
    assert 2 <= len(turn.suggestions) <= 3
    for suggestion in turn.suggestions:
        assert send(chat, suggestion).source.title == suggestion


def test_a_suggestion_is_never_the_question_just_answered(tmp_path: Path) -> None:
    """What was just read is not offered again, even where there is little else to offer."""
    for name in ("Tea", "Coffee"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\nA hot drink.\n")
    responder = KnowledgeResponder(Knowledge(learn(tmp_path)))
    assert responder.reply("Tea", ()).suggestions == ("Coffee",)
    assert responder.reply("Coffee", ()).suggestions == ("Tea",)


def uses(chat: Any, access: Access) -> list[Callable[[], object]]:
    conversations = chat.bot.conversations
    return [
        lambda: conversations.page(access, limit=5),
        lambda: conversations.send(access, "hello"),
        lambda: conversations.rate(access, 1, Feedback("up", None)),
        lambda: conversations.delete(access),
    ]


def test_an_expired_conversation_is_gone(bot: Any) -> None:
    """After its retention a conversation can be neither read, continued, rated nor deleted."""
    chat = bot.start()
    send(chat, "hello")
    bot.clock.time += timedelta(days=30)
    for use in uses(chat, chat.access):
        assert problem(use).problem is Problem.CONVERSATION_NOT_FOUND


@pytest.mark.parametrize("token", [None, "", "wrong", "\ud83d", "x" * 10_000])
def test_without_its_token_there_is_no_conversation(bot: Any, token: str | None) -> None:
    """No use of it works, and what is told is what is told of a conversation that never was."""
    chat = bot.start()
    send(chat, "hello")
    for use in uses(chat, Access(chat.id, token)):
        found, nowhere = problem(use), problem(uses(chat, Access("0" * 32, chat.token))[0])
        assert found.document(request_id="r") == nowhere.document(request_id="r")
    assert len(kept(chat)) == 1


def test_another_conversations_token_opens_nothing(bot: Any) -> None:
    """A token is good for its own conversation alone."""
    mine, theirs = bot.start(), bot.start()
    for use in uses(theirs, Access(theirs.id, mine.token)):
        assert problem(use).problem is Problem.CONVERSATION_NOT_FOUND


def test_a_full_conversation_takes_no_more(bot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its limit a conversation refuses a message and keeps what it has."""
    monkeypatch.setattr(sending, "TURNS", 2)
    chat = bot.start()
    for _ in range(2):
        send(chat, "hello")
    assert problem(lambda: send(chat, "hello")).problem is Problem.CONVERSATION_FULL
    assert len(kept(chat)) == 2


def test_a_conversation_has_a_pace(make_bot: MakeBot) -> None:
    """A minute's messages may come at once; then each waits its turn, is told how long, and is no turn until then."""
    bot = make_bot(messages_per_minute=6)
    chat = bot.start()
    for _ in range(6):
        send(chat, "hello")
    found = problem(lambda: send(chat, "hello"))
    assert found.problem is Problem.RATE_LIMITED
    assert found.headers == {"Retry-After": "10"}
    bot.clock.time += timedelta(seconds=10)
    assert send(chat, "hello").number == 7
    assert problem(lambda: send(chat, "hello")).problem is Problem.RATE_LIMITED
    assert send(bot.start(), "hello").number == 1


def test_repeating_a_message_costs_no_pace(make_bot: MakeBot) -> None:
    """A client that retries is not punished for it."""
    chat = make_bot(messages_per_minute=1).start()
    first = send(chat, "hello", "key")
    assert [send(chat, "hello", "key") for _ in range(5)] == [first] * 5


class StubbornStore(MemoryStore):
    """A store where another writer always was first."""

    def append(self, draft: Any) -> None:
        raise ConflictError


class BusyStore(MemoryStore):
    """A store where another person's message comes first, three times."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals = 3

    def append(self, draft: Any) -> None:
        if self.rivals:
            self.rivals -= 1
            super().append(replace(draft, turn=replace(draft.turn, text="first!")))
        super().append(draft)


def test_a_message_that_comes_second_takes_the_next_number(make_bot: MakeBot) -> None:
    """Who is overtaken is not refused: the message follows those that were faster."""
    chat = make_bot(store=BusyStore()).start()
    assert send(chat, "hello").number == 4
    assert [turn.text for turn in kept(chat)] == ["first!", "first!", "first!", "hello"]


def test_a_conflict_that_does_not_end_is_told(make_bot: MakeBot) -> None:
    """After a bounded number of tries the caller hears of the conflict and when to come again."""
    chat = make_bot(store=StubbornStore()).start()
    found = problem(lambda: send(chat, "hello"))
    assert found.problem is Problem.CONFLICT
    assert found.headers == {"Retry-After": "1"}


def test_many_at_once_leave_no_gap_and_lose_nothing(bot: Any) -> None:
    """Fifty different messages at once: each that was acknowledged is kept once, numbered from one without a gap."""
    chat = bot.start()

    def number(index: int) -> int | None:
        try:
            return int(send(chat, f"hello {index}").number)
        except ProblemError as refused:
            busy.append(refused.problem)  # allowed, as long as nothing is lost of what was acknowledged
            return None

    busy: list[Problem] = []
    with ThreadPoolExecutor(50) as pool:
        acknowledged = sorted(filter(None, pool.map(number, range(50))))
    assert set(busy) <= {Problem.CONFLICT}
    turns = kept(chat)
    assert acknowledged == list(range(1, len(acknowledged) + 1))
    assert [turn.number for turn in turns] == acknowledged
    assert len({turn.text for turn in turns}) == len(turns)


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


def test_a_deleted_conversation_is_gone_for_good(bot: Any) -> None:
    """Afterwards there is no such conversation, not even to delete."""
    chat, other = bot.start(), bot.start()
    send(chat, "hello")
    bot.conversations.delete(chat.access)
    for use in uses(chat, chat.access):
        assert problem(use).problem is Problem.CONVERSATION_NOT_FOUND
    assert send(other, "hello").number == 1


def test_feedback_is_for_turns_that_exist(bot: Any) -> None:
    """The last rating of a turn counts; a turn that is not there cannot be rated."""
    chat = bot.start()
    send(chat, "hello")
    for feedback in (Feedback("down", "Too short."), Feedback("up", None)):
        assert bot.conversations.rate(chat.access, 1, feedback) == feedback
        assert kept(chat)[0].feedback == feedback
    rating = problem(lambda: bot.conversations.rate(chat.access, 2, Feedback("up", None)))
    assert rating.problem is Problem.MESSAGE_NOT_FOUND
