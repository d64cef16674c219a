"""What the bot asks of DynamoDB: how many calls, and how much each turn writes."""

from collections.abc import Callable, Iterator
from copy import replace
from typing import Any

import pytest

from chatbot import items
from chatbot.dynamodb import DynamoStore
from tests.unit.chatbot import emulated
from tests.unit.chatbot.models import MOST_TOKENS, Model

MakeBot = Callable[..., Any]
TABLE = "calls-conversations"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with emulated.server() as endpoint:
        found = emulated.client(endpoint)
        emulated.create_table(found, TABLE)
        yield found


@pytest.fixture
def calls(client: Any) -> Iterator[list[tuple[str, int]]]:
    """Operation and size of every request that goes to DynamoDB."""
    made: list[tuple[str, int]] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        made.append((model.name, len(params["body"])))

    client.meta.events.register("before-call.dynamodb", note)
    yield made
    client.meta.events.unregister("before-call.dynamodb", note)


@pytest.fixture
def bot(client: Any, make_bot: MakeBot) -> Any:
    return make_bot(store=DynamoStore(client, table_name=TABLE))


def names(calls: list[tuple[str, int]]) -> list[str]:
    found = [name for name, _ in calls]
    calls.clear()
    return found


@pytest.mark.parametrize("key", [None, "key"])
def test_an_uncontended_turn_takes_two_calls(bot: Any, calls: Any, key: str | None) -> None:
    """One reads the conversation with its newest turns, one writes; a key costs no call."""
    chat = bot.start()
    names(calls)
    for number in range(3):
        assert chat.say("hello", key=key and f"{key} {number}".replace(" ", "-")).status == 200
        assert names(calls) == ["Query", "TransactWriteItems"]


def test_a_turn_that_asks_a_model_takes_one_call_more(client: Any, make_bot: MakeBot, calls: Any) -> None:
    """It reserves the key and the tokens before the model is asked."""
    store = DynamoStore(client, table_name=TABLE)
    chat = make_bot(store=store, responder=Model(), daily_tokens=MOST_TOKENS * 9).start()
    names(calls)
    assert chat.say("hello", key="key").status == 200
    assert names(calls) == ["Query", "TransactWriteItems", "TransactWriteItems"]


def test_a_recent_message_is_replayed_with_one_call(bot: Any, calls: Any) -> None:
    """A client that retries finds its turn among those that are read anyway; an old one takes two more calls."""
    chat = bot.start()
    chat.say("hello", key="key")
    names(calls)
    assert chat.say("hello", key="key").headers["Idempotency-Replayed"] == "true"
    assert names(calls) == ["Query"]
    for _ in range(10):
        chat.say("another")
    names(calls)
    assert chat.say("hello", key="key").headers["Idempotency-Replayed"] == "true"
    assert names(calls) == ["Query", "TransactWriteItems", "BatchGetItem"]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/messages", None, ["Query"]),
        ("GET", "/export", None, ["Query"]),
        ("PUT", "/messages/1/feedback", {"rating": "down"}, ["BatchGetItem", "UpdateItem"]),
    ],
)
def test_reading_and_rating_take_no_more_than_they_must(
    bot: Any, calls: Any, method: str, path: str, body: Any, expected: list[str]
) -> None:
    """The token is checked by what is read anyway."""
    chat = bot.start()
    chat.say("hello")
    names(calls)
    assert chat.request(method, path, body).status == 200
    assert names(calls) == expected


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/messages", {"text": "hello"}),
        ("GET", "/messages", None),
        ("GET", "/export", None),
        ("PUT", "/messages/1/feedback", {"rating": "up"}),
        ("DELETE", "", None),
    ],
)
def test_every_refused_access_takes_the_same_one_call(bot: Any, calls: Any, method: str, path: str, body: Any) -> None:
    """Nothing tells from outside whether a conversation exists: not even how long the answer takes."""
    chat, other = bot.start(), bot.start()
    chat.say("hello")
    names(calls)
    made = []
    for token, base in ((None, chat), ("wrong", chat), (other.token, chat), (chat.token, None)):
        address = base.path if base else "/v1/conversations/" + "0" * 32
        assert bot.request(method, address + path, body, token=token).status == 404
        made.append(names(calls))
    assert len(made[0]) == 1
    assert made == [made[0]] * 4


def test_a_conversation_that_is_half_deleted_is_there_for_deleting_alone(client: Any, bot: Any) -> None:
    """After an interruption nobody reads, adds or rates anything, and deleting again ends what was begun."""
    chat = bot.start()
    chat.say("hello")
    client.update_item(
        TableName=TABLE,
        Key=items.key_of(chat.id, items.META),
        UpdateExpression="SET leaving = :yes",
        ExpressionAttributeValues={":yes": {"BOOL": True}},
    )
    for method, path, body in (
        ("GET", "/messages", None),
        ("GET", "/export", None),
        ("POST", "/messages", {"text": "hello"}),
        ("PUT", "/messages/1/feedback", {"rating": "up"}),
    ):
        assert chat.request(method, path, body).json["code"] == "conversation_not_found"
    assert bot.request("DELETE", chat.path, token="wrong").status == 404
    assert chat.request("DELETE", "").status == 204
    assert chat.request("DELETE", "").status == 404


@pytest.mark.parametrize("key", [None, "key"])
def test_a_late_turn_writes_no_more_than_an_early_one(bot: Any, calls: Any, key: str | None) -> None:
    """The thousandth turn is sent to DynamoDB in as many bytes as the tenth, give or take its number's digits."""
    written = []
    for turns in (9, 999):
        chat = bot.start()
        found = bot.store.recent(chat.id, limit=0, now=bot.clock()).conversation
        bot.store.create(replace(found, id=(other := chat.id[::-1]), turns=turns))
        calls.clear()
        late = replace(chat, id=other)
        assert late.say("What does it cost?", key=key).json["number"] == turns + 1
        written.append(sum(size for name, size in calls if name == "TransactWriteItems"))
    assert abs(written[1] - written[0]) < 20
