"""Idempotency keys and reservations: what is sent twice happens once, and a model is asked for nothing in vain."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatbot.errors import Problem, ProblemError
from chatbot.memory import MemoryStore
from chatbot.reservations import LEASE
from chatbot.store import StoreUnavailableError
from tests.unit.chatbot.models import MOST_TOKENS, SPENT, BrokenModel, Model

MakeBot = Callable[..., Any]


def problem(call: Callable[[], object]) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        call()
    return caught.value


def send(chat: Any, text: str = "hello", key: str | None = "key") -> Any:
    return chat.bot.conversations.send(chat.access, text, key)


def kept(chat: Any) -> tuple[Any, ...]:
    return tuple(chat.bot.conversations.page(chat.access, limit=1_000).turns)


def with_model(make_bot: MakeBot, model: Model, *, replies: int = 100, **parts: Any) -> Any:
    """A bot whose day has tokens for so many replies, as long as none is given back."""
    return make_bot(responder=model, daily_tokens=MOST_TOKENS * replies, **parts)


@pytest.fixture(params=["knowledge", "bedrock"])
def any_bot(request: pytest.FixtureRequest, make_bot: MakeBot) -> Any:
    return make_bot() if request.param == "knowledge" else with_model(make_bot, Model())


@pytest.mark.parametrize("turns_between", [0, 20])
def test_a_repeated_message_gets_the_same_turn(any_bot: Any, turns_between: int) -> None:
    """However many turns lie between, the key leads to its own turn, marked as a replay, and nothing is added."""
    chat = any_bot.start()
    first = send(chat)
    for number in range(turns_between):
        send(chat, "another", f"key {number}")
    again = send(chat)
    assert again.turn == first.turn
    assert (first.is_replay, again.is_replay) == (False, True)
    assert len(kept(chat)) == 1 + turns_between


@pytest.mark.parametrize("turns_between", [0, 20])
def test_a_key_with_another_text_is_refused(any_bot: Any, turns_between: int) -> None:
    """A client that mixes up its keys hears of it, and nothing is added."""
    chat = any_bot.start()
    send(chat)
    for number in range(turns_between):
        send(chat, "another", f"key {number}")
    assert problem(lambda: send(chat, "goodbye")).problem is Problem.IDEMPOTENCY_KEY_REUSED
    assert len(kept(chat)) == 1 + turns_between


def test_keys_of_different_conversations_are_different(any_bot: Any) -> None:
    """A key means something only within its conversation."""
    assert [send(any_bot.start()).is_replay for _ in range(2)] == [False, False]


def test_a_replay_is_what_was_answered_the_first_time(bot: Any) -> None:
    """Feedback that came later is not part of it."""
    chat = bot.start()
    first = chat.say("hello", key="key")
    chat.request("PUT", "/messages/1/feedback", {"rating": "down"})
    again = chat.say("hello", key="key")
    assert again.text == first.text
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def all_at_once(count: int, call: Callable[[int], Any]) -> list[Any]:
    """Call so many times at the same moment."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Any:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_one_key_fifty_times_at_once_makes_one_turn(bot: Any) -> None:
    """One request makes the turn, and 49 get the same one."""
    chat = bot.start()
    sent = all_at_once(50, lambda _: send(chat))
    assert sorted(each.is_replay for each in sent) == [False] + [True] * 49
    assert {each.turn for each in sent} == set(kept(chat))


def test_one_key_fifty_times_at_once_asks_the_model_once(make_bot: MakeBot) -> None:
    """While one request waits for the model, the others wait for it, and all of them get its turn."""
    others = threading.Event()
    model = Model(meanwhile=lambda: others.wait(10))
    bot = with_model(make_bot, model)
    object.__setattr__(bot.conversations, "pause", lambda *_: others.set())
    chat = bot.start()
    sent = all_at_once(50, lambda _: outcome(lambda: send(chat)))
    turns = [each.turn for each in sent if not isinstance(each, ProblemError)]
    busy = [each for each in sent if isinstance(each, ProblemError)]
    assert model.asked == ["hello"]
    assert set(turns) == set(kept(chat))
    assert all(each.problem is Problem.CONFLICT and int(each.headers["Retry-After"]) > 0 for each in busy)
    assert send(chat).is_replay


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except ProblemError as found:
        return found


def test_who_waits_too_long_for_another_request_is_told_to_come_again(make_bot: MakeBot) -> None:
    """A repeated message whose first request is still under way gets 409, and does not ask the model."""
    found: list[ProblemError] = []
    model = Model(meanwhile=lambda: found.append(problem(lambda: send(chat))))
    chat = with_model(make_bot, model).start()
    send(chat)
    assert found[0].problem is Problem.CONFLICT
    assert int(found[0].headers["Retry-After"]) > 0
    assert model.asked == ["hello"]


def test_another_text_under_a_key_in_use_is_refused_at_once(make_bot: MakeBot) -> None:
    """It is known to be wrong before the first request has ended."""
    found: list[ProblemError] = []
    model = Model(meanwhile=lambda: found.append(problem(lambda: send(chat, "goodbye"))))
    chat = with_model(make_bot, model).start()
    send(chat)
    assert found[0].problem is Problem.IDEMPOTENCY_KEY_REUSED


class ForgetfulStore(MemoryStore):
    """A store that the function dies in front of: nothing is kept or released after the model was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.dies = True

    def append(self, draft: Any) -> None:
        if self.dies:
            raise StoreUnavailableError("gone")
        super().append(draft)


def test_a_crash_blocks_a_key_for_no_longer_than_a_request_can_run(make_bot: MakeBot) -> None:
    """Until then the key is in use; afterwards the next request takes it over and makes the turn."""
    store = ForgetfulStore()
    bot = with_model(make_bot, Model(), store=store)
    chat = bot.start()
    with pytest.raises(StoreUnavailableError):
        send(chat)
    store.dies = False
    assert problem(lambda: send(chat)).problem is Problem.CONFLICT
    bot.clock.time += LEASE + timedelta(seconds=1)
    assert not send(chat).is_replay
    assert [turn.number for turn in kept(chat)] == [1]


def test_a_failed_responder_leaves_its_key_free(make_bot: MakeBot) -> None:
    """The next request with the key asks again, at once; what the failed one spent counts as spent."""
    bot = with_model(make_bot, BrokenModel(), replies=2)
    chat = bot.start()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            send(chat)
    assert problem(lambda: send(chat)).problem is Problem.TOKEN_CAP_REACHED


def test_tokens_that_were_not_spent_are_given_back(make_bot: MakeBot) -> None:
    """A day with tokens for two replies at most has them for three that spend less."""
    chat = with_model(make_bot, Model(), replies=2).start()
    assert MOST_TOKENS * 2 - SPENT * 2 < MOST_TOKENS + SPENT  # the fourth could spend too much
    for number in range(3):
        send(chat, key=f"key {number}")
    assert problem(lambda: send(chat, key="key 3")).problem is Problem.TOKEN_CAP_REACHED


def test_the_cap_holds_for_all_conversations_and_says_when_it_ends(make_bot: MakeBot) -> None:
    """Whoever comes too late hears of midnight (UTC), and is served after it; a replay costs nothing."""
    bot = with_model(make_bot, Model(), replies=1)
    first = bot.start()
    send(first)
    bot.clock.time = datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC)
    other = bot.start()
    found = problem(lambda: send(other))
    assert found.problem is Problem.TOKEN_CAP_REACHED
    assert "2026-11-23T00:00:00Z" in found.detail
    assert 30 <= int(found.headers["Retry-After"]) <= 31
    assert send(first).is_replay
    bot.clock.time += timedelta(seconds=31)
    assert send(other).turn.number == 1


def test_a_model_is_not_asked_for_what_is_refused(make_bot: MakeBot) -> None:
    """Too fast, too many tokens, no such conversation: none of them costs anything."""
    model = Model()
    bot = with_model(make_bot, model, replies=1, messages_per_minute=1)
    chat = bot.start()
    send(chat)
    assert problem(lambda: send(chat, key="other")).problem is Problem.RATE_LIMITED
    assert problem(lambda: send(bot.start(), key="other")).problem is Problem.TOKEN_CAP_REACHED
    assert len(model.asked) == 1


def test_knowledge_is_not_searched_for_what_is_refused(make_bot: MakeBot) -> None:
    """Who is too fast costs a look at the pace, and no more."""
    responder = Model(needs_reservation=False, most_tokens=0)
    chat = make_bot(responder=responder, messages_per_minute=1).start()
    send(chat, "first", key=None)
    assert problem(lambda: send(chat, "second", key=None)).problem is Problem.RATE_LIMITED
    assert responder.asked == ["first"]


def test_a_conversation_deleted_while_the_model_thinks_stays_deleted(make_bot: MakeBot) -> None:
    """The reply comes too late: there is no such conversation, and what it did not spend is given back."""
    model = Model()
    bot = with_model(make_bot, model, replies=2)
    chat = bot.start()
    model.meanwhile = lambda: bot.conversations.delete(chat.access)
    assert problem(lambda: send(chat)).problem is Problem.CONVERSATION_NOT_FOUND
    model.meanwhile = lambda: None
    assert problem(lambda: send(chat)).problem is Problem.CONVERSATION_NOT_FOUND
    others = bot.start()
    for number in range(2):
        send(others, key=f"key {number}")


def test_messages_without_a_key_are_all_new(any_bot: Any) -> None:
    """Who sends no key says everything once more."""
    chat = any_bot.start()
    assert [send(chat, key=None).turn.number for _ in range(3)] == [1, 2, 3]
