"""The bot's store against a DynamoDB whose transactions are serial: many at once, nothing twice, nothing lost."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chatbot.access import Access
from chatbot.conversation import Conversations
from chatbot.dynamodb import DynamoStore
from chatbot.errors import Problem, ProblemError
from chatbot.sending import Sent
from tests.rehearsal.tables import dynamodb
from tests.unit.chatbot import emulated
from tests.unit.chatbot.models import MOST_TOKENS, SPENT, Model

MANY = 50
TABLE = "conversations"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with dynamodb() as found:
        emulated.create_table(found, TABLE)
        yield found


@dataclass
class Chat:
    """A conversation that many use at once."""

    client: Any
    model: Model = field(default_factory=lambda: Model(needs_reservation=False, most_tokens=0))
    daily_tokens: int = 0

    def __post_init__(self) -> None:
        self.conversations = Conversations(
            store=DynamoStore(self.client, table_name=TABLE),
            responder=self.model,
            greeting="Hello.",
            retention=timedelta(days=1),
            messages_per_minute=6_000,
            daily_tokens=self.daily_tokens,
        )
        started = self.conversations.start()
        self.access = Access(started.conversation_id, started.token)

    def send(self, text: str, key: str | None = None) -> Sent:
        return self.conversations.send(self.access, text, key)

    def kept(self) -> tuple[Any, ...]:
        return self.conversations.page(self.access, limit=1_000).turns


def at_once(call: Callable[[int], Any], many: int = MANY) -> tuple[list[Any], list[ProblemError]]:
    """Call so many times at the same moment; return what came back, and what was refused."""
    barrier = threading.Barrier(many)
    refused: list[ProblemError] = []

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return call(number)
        except ProblemError as problem:
            refused.append(problem)
            return None

    with ThreadPoolExecutor(many) as pool:
        return [found for found in pool.map(one, range(many)) if found is not None], refused


def test_fifty_messages_at_once_are_each_kept_or_refused(client: Any) -> None:
    """What was acknowledged is there, once, under its number, without a gap; the rest hears when to come again."""
    chat = Chat(client)
    sent, refused = at_once(lambda number: chat.send(f"message {number}", f"key-{number}"))
    assert sorted(each.turn.number for each in sent) == list(range(1, len(sent) + 1))
    assert {each.turn for each in sent} == set(chat.kept())
    assert len(sent) + len(refused) == MANY
    assert len(sent) > MANY / 2
    assert {(each.problem, each.headers["Retry-After"]) for each in refused} <= {(Problem.CONFLICT, "1")}


def test_one_key_fifty_times_at_once_makes_one_turn(client: Any) -> None:
    """One request makes it, and 49 get the same turn."""
    chat = Chat(client)
    sent, refused = at_once(lambda _: chat.send("hello", "key"))
    assert not refused
    assert sorted(each.is_replay for each in sent) == [False] + [True] * (MANY - 1)
    assert {each.turn for each in sent} == set(chat.kept())
    assert len(chat.kept()) == 1


def test_one_key_with_two_texts_at_once_makes_one_turn(client: Any) -> None:
    """Whichever text was first has the key; the other is refused as a mistake, not as a conflict."""
    chat = Chat(client)
    sent, refused = at_once(lambda number: chat.send(f"text {number % 2}", "key"))
    assert len({each.turn for each in sent}) == len(chat.kept()) == 1
    assert {each.problem for each in refused} == {Problem.IDEMPOTENCY_KEY_REUSED}
    assert len(sent) == len(refused) == MANY // 2


def test_one_key_fifty_times_at_once_asks_the_model_once(client: Any) -> None:
    """The others wait for the request that asks it, and get its turn, or hear when to come again."""
    chat = Chat(client, Model(), daily_tokens=MOST_TOKENS * MANY)
    sent, refused = at_once(lambda _: chat.send("hello", "key"))
    assert chat.model.asked == ["hello"]
    assert {each.turn for each in sent} == set(chat.kept())
    assert {each.problem for each in refused} <= {Problem.CONFLICT}
    assert chat.send("hello", "key").is_replay


def spent_today(client: Any) -> int:
    """What the table says of this day's tokens."""
    found = client.scan(TableName=TABLE, FilterExpression="attribute_exists(tokens)")["Items"]
    return sum(int(item["tokens"]["N"]) for item in found)


def test_many_conversations_at_once_never_spend_more_than_the_cap(client: Any) -> None:
    """Replies are refused as soon as another could spend too much, and what was not spent is there again."""
    before = spent_today(client)
    cap = before + MOST_TOKENS * 5
    chats = [Chat(client, Model(), daily_tokens=cap) for _ in range(20)]
    sent, refused = at_once(lambda number: chats[number].send("hello", "key"), many=20)
    assert spent_today(client) == before + len(sent) * SPENT <= cap
    assert {each.problem for each in refused} <= {Problem.TOKEN_CAP_REACHED, Problem.CONFLICT}
    assert len(sent) >= 5


def test_deleting_while_others_send_leaves_nothing(client: Any) -> None:
    """Whatever comes too late finds no conversation, and brings none back."""
    chat = Chat(client)
    for number in range(30):
        chat.send(f"message {number}", f"before-{number}")

    def use(number: int) -> Any:
        if number == MANY // 2:
            return chat.conversations.delete(chat.access)
        return chat.send(f"late {number}", f"late-{number}")

    _, refused = at_once(use)
    assert {each.problem for each in refused} <= {Problem.CONVERSATION_NOT_FOUND, Problem.CONFLICT}
    partition = {":pk": {"S": f"C#{chat.access.conversation_id}"}}
    left = client.query(
        TableName=TABLE, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=partition, ConsistentRead=True
    )
    assert left["Items"] == []


def test_the_thousandth_turn_costs_what_the_tenth_does(client: Any) -> None:
    """In capacity, which is what is paid for; and the thousand-and-first turn is refused."""
    costs: list[float] = []

    def ask(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], **_: object) -> None:
        costs.append(sum(each["CapacityUnits"] for each in parsed["ConsumedCapacity"]))

    early, late = Chat(client), Chat(client)
    for chat, turns in ((early, 9), (late, 999)):
        _pretend(chat, turns)
    client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", ask)
    client.meta.events.register("after-call.dynamodb.TransactWriteItems", note)
    try:
        numbers = [chat.send("hello", "key").turn.number for chat in (early, late)]
    finally:
        client.meta.events.unregister("provide-client-params.dynamodb.TransactWriteItems", ask)
        client.meta.events.unregister("after-call.dynamodb.TransactWriteItems", note)
    assert numbers == [10, 1_000]
    assert costs[0] == costs[1] > 0
    with pytest.raises(ProblemError) as full:
        late.send("hello", "one-more")
    assert full.value.problem is Problem.CONVERSATION_FULL


def _pretend(chat: Chat, turns: int) -> None:
    """Say that the conversation has so many turns already."""
    chat.client.update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"C#{chat.access.conversation_id}"}, "sk": {"S": "~META"}},
        UpdateExpression="SET turns = :turns",
        ExpressionAttributeValues={":turns": {"N": str(turns)}},
    )
