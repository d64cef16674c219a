"""One contract for every store: what is kept in DynamoDB must behave like what is kept in memory."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatbot.contract import Feedback, Source, Turn
from chatbot.dynamodb import DynamoStore
from chatbot.memory import MemoryStore
from chatbot.reservations import LEASE, new_reservation
from chatbot.store import (
    CapReachedError,
    ConflictError,
    Conversation,
    Draft,
    Holder,
    KeptTurn,
    Key,
    KeyTakenError,
    Reservation,
    Store,
    StoreUnavailableError,
)
from tests.unit.chatbot import emulated

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
ID = "0123456789abcdef0123456789abcdef"
KEY = Key.of("key-1", "question")
# moto keeps one cloud for the whole process: another test module may have a table of its own.
TABLE = "store-contract-conversations"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with emulated.server() as address:
        yield address


@pytest.fixture(scope="module")
def connection(endpoint: str) -> Iterator[Any]:
    found = emulated.client(endpoint)
    yield found
    found.close()


@pytest.fixture
def client(connection: Any) -> Iterator[Any]:
    emulated.create_table(connection, TABLE)
    yield connection
    connection.delete_table(TableName=TABLE)


@pytest.fixture
def dynamodb(client: Any) -> DynamoStore:
    # A page of two items makes every longer conversation come in several pages.
    return DynamoStore(client, table_name=TABLE, page_size=2)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("dynamodb")


def conversation(turns: int = 0, *, id: str = ID, pace: int = 0) -> Conversation:
    return Conversation(
        id=id,
        token_hash="a" * 64,
        created_at=NOW,
        expires_at=NOW + timedelta(days=30),
        turns=turns,
        caught_up_at=pace,
    )


def turn(number: int, **changes: object) -> Turn:
    fields = {
        "conversation_id": ID,
        "number": number,
        "text": f"question {number}",
        "reply": f"answer {number}",
        "source": Source(id="about#what-is-it", title="What is it?"),
        "answered": True,
        "suggestions": ("Next?", "And then?"),
        "created_at": NOW + timedelta(seconds=number),
    }
    return Turn(**fields | changes)


def draft(number: int, **changes: Any) -> Draft:
    known = changes.pop("conversation", conversation(number - 1, pace=number - 1))
    parts = {"turn": turn(number), "key": None, "now": NOW, "caught_up_at": number} | changes
    return Draft(conversation=known, **parts)


def reservation(key: Key | None = KEY, *, now: datetime = NOW, tokens: int = 40, cap: int = 100) -> Reservation:
    return new_reservation(key, now=now, most_tokens=tokens, daily_tokens=cap)


def filled(store: Store, turns: int) -> Store:
    store.create(conversation())
    for number in range(1, turns + 1):
        store.append(draft(number))
    return store


def kept(store: Store) -> tuple[Turn, ...]:
    return store.page(ID, after=0, limit=100)


def found(store: Store) -> Conversation:
    recent = store.recent(ID, limit=0, now=NOW)
    assert recent is not None
    return recent.conversation


def test_a_new_conversation_is_there_and_empty(store: Store) -> None:
    """What was created can be read, and has no turns."""
    store.create(conversation())
    recent = store.recent(ID, limit=5, now=NOW)
    assert recent is not None
    assert recent.conversation == conversation()
    assert recent.turns == ()
    assert kept(store) == ()


def test_an_unknown_conversation_is_not_there(store: Store) -> None:
    """Nobody's id gives nothing, in every way of reading."""
    assert store.recent(ID, limit=5, now=NOW) is None
    assert store.one(ID, number=1, now=NOW) is None
    assert store.holder(ID, KEY, now=NOW) is None


def test_turns_come_back_whole_and_in_order(store: Store) -> None:
    """Eleven turns, more than a page, are returned as they were written."""
    filled(store, 11)
    assert kept(store) == tuple(turn(number) for number in range(1, 12))


@pytest.mark.parametrize(("after", "limit", "numbers"), [(0, 3, [1, 2, 3]), (3, 3, [4, 5]), (5, 3, []), (1, 1, [2])])
def test_a_page_begins_after_a_turn_and_ends_at_its_limit(
    store: Store, after: int, limit: int, numbers: list[int]
) -> None:
    """Pages join without overlap, and the one after the last is empty."""
    filled(store, 5)
    assert [turn.number for turn in store.page(ID, after=after, limit=limit)] == numbers


def test_a_turn_keeps_all_that_is_known_of_it(store: Store) -> None:
    """A turn without an answer, by a model's stand-in, with any character, is the same when read."""
    store.create(conversation())
    strange = turn(
        1, source=None, answered=False, suggestions=(), text="日本語 \n\t 🙂 é", reply="I don't know.", fallback=True
    )
    store.append(draft(1, turn=strange, key=KEY))
    assert kept(store) == (strange,)
    assert store.recent(ID, limit=1, now=NOW).turns == (KeptTurn(strange, KEY),)


@pytest.mark.parametrize("limit", [0, 1, 3, 50])
def test_recent_gives_the_newest_turns_with_their_conversation(store: Store, limit: int) -> None:
    """One read returns the count and the newest turns, oldest of them first, and never a key."""
    store.create(conversation())
    for number in range(1, 6):
        store.append(draft(number, key=Key.of(f"key {number}", "question")))
    recent = store.recent(ID, limit=limit, now=NOW)
    assert recent is not None
    assert recent.conversation == conversation(5, pace=5)
    assert [kept.turn.number for kept in recent.turns] == [1, 2, 3, 4, 5][max(0, 5 - limit) :]


def test_one_turn_is_found_with_its_conversation(store: Store) -> None:
    """A number gives its turn; one that does not exist gives the conversation alone."""
    filled(store, 3)
    assert store.one(ID, number=2, now=NOW).turns == (KeptTurn(turn(2)),)
    assert store.one(ID, number=4, now=NOW).turns == ()
    assert store.one(ID, number=4, now=NOW).conversation.turns == 3


@pytest.mark.parametrize("known", [0, 1, 3])
def test_a_turn_from_a_stale_reading_is_refused_and_leaves_nothing(store: Store, known: int) -> None:
    """Whoever counts another number of turns than there are gets a conflict, and nothing is half written."""
    filled(store, 2)
    with pytest.raises(ConflictError):
        store.append(draft(known + 1, conversation=conversation(known, pace=2), key=KEY))
    assert kept(store) == (turn(1), turn(2))
    assert found(store).turns == 2
    assert store.holder(ID, KEY, now=NOW) is None


def test_a_turn_that_does_not_know_the_pace_is_refused(store: Store) -> None:
    """Two messages never take the same place in the pace."""
    filled(store, 2)
    with pytest.raises(ConflictError):
        store.append(draft(3, conversation=conversation(2, pace=1)))
    assert found(store).caught_up_at == 2


def test_a_turn_for_a_conversation_that_is_gone_is_refused(store: Store) -> None:
    """Neither a turn nor a reservation ever brings a conversation back."""
    with pytest.raises(ConflictError):
        store.append(draft(1))
    with pytest.raises(ConflictError):
        store.reserve(conversation(), reservation(), caught_up_at=1)
    assert store.recent(ID, limit=0, now=NOW) is None


def test_an_expired_conversation_is_invisible_before_it_is_deleted(store: Store) -> None:
    """From the moment of expiry there is nothing to read, though the items may still lie there."""
    store.create(conversation())
    store.append(draft(1, key=KEY))
    expiry = conversation().expires_at
    before = expiry - timedelta(seconds=1)
    assert store.recent(ID, limit=5, now=before) is not None
    assert store.holder(ID, KEY, now=before) == Holder(KEY.body_hash, 1)
    assert store.recent(ID, limit=5, now=expiry) is None
    assert store.one(ID, number=1, now=expiry) is None
    assert store.holder(ID, KEY, now=expiry) is None


def test_conversations_do_not_mix(store: Store) -> None:
    """Each conversation has its own turns, its own count and its own keys."""
    other = "f" * 32
    store.create(conversation())
    store.append(draft(1, key=KEY))
    store.create(conversation(id=other))
    elsewhere = turn(1, conversation_id=other, text="elsewhere")
    store.append(draft(1, conversation=conversation(id=other), turn=elsewhere, key=KEY))
    assert kept(store) == (turn(1),)
    assert store.page(other, after=0, limit=9) == (elsewhere,)


@pytest.mark.parametrize("later_turns", [0, 9])
def test_a_key_belongs_to_the_first_turn_that_came_with_it(store: Store, later_turns: int) -> None:
    """Another turn with the same key is refused with the first one's number, however long ago that was."""
    store.create(conversation())
    store.append(draft(1, key=KEY))
    for number in range(2, 2 + later_turns):
        store.append(draft(number))
    last = 1 + later_turns
    with pytest.raises(KeyTakenError) as taken:
        store.append(draft(last + 1, key=Key.of("key-1", "other body")))
    assert taken.value.holder == Holder(KEY.body_hash, 1)
    assert found(store).turns == last


def test_a_taken_key_is_told_before_a_conflict(store: Store) -> None:
    """Who repeats a message learns that it is kept, though the conversation has changed since it was read."""
    store.create(conversation())
    store.append(draft(1, key=KEY))
    with pytest.raises(KeyTakenError):
        store.append(draft(1, key=KEY))


def test_a_reserved_key_is_held_and_then_stands_for_its_turn(store: Store) -> None:
    """While a model is asked, nobody else gets the key; afterwards it leads to the turn."""
    store.create(conversation())
    held = reservation()
    store.reserve(conversation(), held, caught_up_at=7)
    assert store.holder(ID, KEY, now=NOW) == Holder(KEY.body_hash, None)
    for attempt in (
        lambda: store.reserve(conversation(pace=7), reservation(), caught_up_at=8),
        lambda: store.append(draft(1, conversation=conversation(pace=7), key=KEY)),
    ):
        with pytest.raises(KeyTakenError) as taken:
            attempt()
        assert taken.value.holder == Holder(KEY.body_hash, None)
    store.append(draft(1, key=KEY, caught_up_at=None, reservation=held, spent=10))
    assert store.holder(ID, KEY, now=NOW) == Holder(KEY.body_hash, 1)
    assert found(store).caught_up_at == 7


def test_a_key_that_was_held_too_long_can_be_taken_over(store: Store) -> None:
    """A request that died leaves no block behind, and one that was only slow cannot finish any more."""
    store.create(conversation())
    slow, heir = reservation(), reservation(now=NOW + LEASE + timedelta(seconds=1))
    store.reserve(conversation(), slow, caught_up_at=1)
    store.reserve(conversation(pace=1), heir, caught_up_at=2)
    with pytest.raises(KeyTakenError):
        store.append(draft(1, key=KEY, caught_up_at=None, reservation=slow, spent=1))
    store.append(draft(1, key=KEY, caught_up_at=None, reservation=heir, spent=1))
    assert kept(store) == (turn(1),)


def test_tokens_are_reserved_up_to_the_cap_and_given_back(store: Store) -> None:
    """Two replies of 40 fit under 100, a third does not until one has said that it spent 15."""
    store.create(conversation())
    first, second, third = (reservation(Key.of(f"key {number}", "")) for number in range(3))
    store.reserve(conversation(), first, caught_up_at=1)
    store.reserve(conversation(pace=1), second, caught_up_at=2)
    with pytest.raises(CapReachedError):
        store.reserve(conversation(pace=2), third, caught_up_at=3)
    assert found(store).caught_up_at == 2
    assert store.holder(ID, third.key, now=NOW) is None
    store.append(draft(1, key=first.key, caught_up_at=None, reservation=first, spent=15))
    store.reserve(conversation(1, pace=2), third, caught_up_at=3)


def test_the_next_day_has_tokens_of_its_own(store: Store) -> None:
    """What yesterday spent does not count today."""
    store.create(conversation())
    store.reserve(conversation(), reservation(None, cap=40), caught_up_at=1)
    with pytest.raises(CapReachedError):
        store.reserve(conversation(pace=1), reservation(None, cap=40), caught_up_at=2)
    tomorrow = reservation(None, now=NOW + timedelta(days=1), cap=40)
    store.reserve(conversation(pace=1), tomorrow, caught_up_at=2)


def test_a_reservation_that_came_to_nothing_is_released(store: Store) -> None:
    """The key is free again, and so are the tokens that were not spent; nobody else's key is touched."""
    store.create(conversation())
    held = reservation(cap=40)
    store.reserve(conversation(), held, caught_up_at=1)
    store.release(ID, replace(held, owner="someone else", tokens=0), spent=0)
    assert store.holder(ID, KEY, now=NOW) is not None
    store.release(ID, held, spent=0)
    assert store.holder(ID, KEY, now=NOW) is None
    store.reserve(conversation(pace=1), reservation(cap=40), caught_up_at=2)


def test_feedback_is_kept_with_its_turn_and_replaced(store: Store) -> None:
    """The last rating counts, and so does the lack of a comment."""
    filled(store, 2)
    assert store.rate(turn(2), Feedback("down", "Wrong."))
    assert kept(store)[1].feedback == Feedback("down", "Wrong.")
    assert store.rate(turn(2), Feedback("up", None))
    assert kept(store) == (turn(1), turn(2, feedback=Feedback("up", None)))


def test_feedback_brings_no_turn_back(store: Store) -> None:
    """A turn that is gone cannot be rated."""
    filled(store, 1)
    store.erase(ID)
    assert not store.rate(turn(1), Feedback("up", None))
    assert store.recent(ID, limit=1, now=NOW) is None


def test_an_erased_conversation_is_gone_and_stays_gone(store: Store) -> None:
    """There is nothing to read, what was under way cannot be added, and erasing again does nothing."""
    filled(store, 5)
    store.erase(ID)
    store.erase(ID)
    assert store.recent(ID, limit=5, now=NOW) is None
    assert store.one(ID, number=1, now=NOW) is None
    with pytest.raises(ConflictError):
        store.append(draft(6, key=KEY))
    assert store.recent(ID, limit=5, now=NOW) is None


def test_only_one_of_many_writers_takes_a_number() -> None:
    """Sixteen writers that all want to be turn one: one is, and fifteen learn that they are not."""
    store = filled(MemoryStore(), 0)
    barrier = threading.Barrier(16)

    def write(writer: int) -> bool:
        barrier.wait()
        try:
            store.append(draft(1, turn=turn(1, text=f"writer {writer}")))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(write, range(16))) == 1
    assert len(kept(store)) == 1


def scan(client: Any, **options: Any) -> list[dict[str, Any]]:
    return client.scan(TableName=TABLE, **options)["Items"]


def test_every_item_expires(dynamodb: DynamoStore, client: Any) -> None:
    """DynamoDB's time to live finds its attribute, in seconds, on everything, the day's tokens included."""
    dynamodb.create(conversation())
    held = reservation(Key.of("other", ""))
    dynamodb.append(draft(1, key=KEY))
    dynamodb.reserve(conversation(1, pace=1), held, caught_up_at=2)
    expiry = str(int(conversation().expires_at.timestamp()))
    day = str(int((NOW + timedelta(days=2)).timestamp()))
    assert sorted((item["sk"]["S"].partition("#")[0], item["expires_at"]["N"]) for item in scan(client)) == [
        ("K", expiry),
        ("K", expiry),
        ("T", expiry),
        ("~META", day),
        ("~META", expiry),
    ]


def test_erasing_leaves_no_item(dynamodb: DynamoStore, client: Any) -> None:
    """Turns, keys and the conversation itself are gone from the table; another conversation is not."""
    other = "f" * 32
    dynamodb.create(conversation(id=other))
    dynamodb.create(conversation())
    for number in range(1, 31):
        dynamodb.append(draft(number, key=Key.of(f"key {number}", "")))
    dynamodb.erase(ID)
    assert [item["pk"]["S"] for item in scan(client)] == [f"C#{other}"]


class InterruptedClient:
    """A client that loses its connection in the middle of deleting."""

    def __init__(self, client: Any, *, deletes: int) -> None:
        self._client = client
        self._deletes = deletes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_write_item(self, **arguments: Any) -> Any:
        if not self._deletes:
            raise self._client.exceptions.ProvisionedThroughputExceededException(
                {"Error": {"Code": "ProvisionedThroughputExceededException"}}, "BatchWriteItem"
            )
        self._deletes -= 1
        return self._client.batch_write_item(**arguments)


def test_erasing_goes_on_where_it_was_interrupted(dynamodb: DynamoStore, client: Any) -> None:
    """Half deleted, a conversation takes no turn and is marked; the next attempt deletes the rest."""
    filled(dynamodb, 30)
    half = DynamoStore(InterruptedClient(client, deletes=1), table_name=TABLE, page_size=2)
    with pytest.raises(StoreUnavailableError):
        half.erase(ID)
    assert len(scan(client)) == 6
    assert found(dynamodb).is_leaving
    with pytest.raises(ConflictError):
        dynamodb.append(draft(31))
    with pytest.raises(ConflictError):
        dynamodb.reserve(found(dynamodb), reservation(), caught_up_at=99)
    dynamodb.erase(ID)
    assert scan(client) == []


class ShortOfBreathClient(InterruptedClient):
    """A client whose every other batch is done only in part."""

    def batch_write_item(self, **arguments: Any) -> Any:
        self._deletes += 1
        if self._deletes % 2:
            return self._client.batch_write_item(**arguments)
        ((table, requests),) = arguments["RequestItems"].items()
        self._client.batch_write_item(RequestItems={table: requests[:1]})
        return {"UnprocessedItems": {table: requests[1:]} if requests[1:] else {}}


def test_what_a_batch_left_undone_is_done_again(dynamodb: DynamoStore, client: Any) -> None:
    """DynamoDB may process a batch in part; erasing ends only when nothing is left."""
    filled(dynamodb, 60)
    DynamoStore(ShortOfBreathClient(client, deletes=1), table_name=TABLE).erase(ID)
    assert scan(client) == []


def review(client: Any) -> list[str]:
    return [item["sk"]["S"] for item in scan(client, IndexName="review")]


def test_the_index_holds_what_should_be_looked_at_and_no_more(dynamodb: DynamoStore, client: Any) -> None:
    """Unanswered questions and thumbs-down are in the sparse index; a thumb up takes out what was answered."""
    dynamodb.create(conversation())
    turns = [turn(1), turn(2, answered=False), turn(3), turn(4)]
    for each in turns:
        dynamodb.append(draft(each.number, turn=each))
    assert review(client) == ["T#00000002"]
    dynamodb.rate(turns[2], Feedback("down", None))
    dynamodb.rate(turns[3], Feedback("up", "Thanks."))
    assert sorted(review(client)) == ["T#00000002", "T#00000003"]
    dynamodb.rate(turns[2], Feedback("up", None))
    dynamodb.rate(turns[1], Feedback("up", None))
    assert review(client) == ["T#00000002"]


def test_the_index_repeats_nothing_that_was_said(dynamodb: DynamoStore, client: Any) -> None:
    """It has keys and times alone."""
    filled(dynamodb, 1)
    dynamodb.rate(turn(1), Feedback("down", "secret"))
    (item,) = scan(client, IndexName="review")
    assert set(item) == {"pk", "sk", "review", "created_at"}


def test_a_missing_table_is_told_as_unavailable(connection: Any) -> None:
    """Whatever DynamoDB refuses is the store's own error, without DynamoDB's words."""
    store = DynamoStore(connection, table_name="missing")
    with pytest.raises(StoreUnavailableError, match="ResourceNotFoundException"):
        store.recent(ID, limit=1, now=NOW)


def test_an_endpoint_that_does_not_answer_is_told_as_unavailable() -> None:
    """A store that cannot be reached is unavailable for every method."""
    store = DynamoStore(emulated.client("http://127.0.0.1:9"), table_name=TABLE)
    for call in (
        lambda: store.create(conversation()),
        lambda: store.recent(ID, limit=1, now=NOW),
        lambda: store.one(ID, number=1, now=NOW),
        lambda: store.page(ID, after=0, limit=1),
        lambda: store.append(draft(1)),
        lambda: store.reserve(conversation(), reservation(), caught_up_at=1),
        lambda: store.release(ID, reservation(), spent=0),
        lambda: store.holder(ID, KEY, now=NOW),
        lambda: store.rate(turn(1), Feedback("up", None)),
        lambda: store.erase(ID),
    ):
        with pytest.raises(StoreUnavailableError):
            call()


class RefusingClient(InterruptedClient):
    """A client whose transactions are cancelled for a reason that an emulator has no occasion for."""

    def __init__(self, client: Any, *reasons: str) -> None:
        super().__init__(client, deletes=0)
        self._reasons = [{"Code": reason} for reason in reasons]

    def transact_write_items(self, **_: Any) -> Any:
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        cancelled = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": self._reasons}
        raise self._client.exceptions.TransactionCanceledException(cancelled, "TransactWriteItems")


@pytest.mark.parametrize(
    ("reasons", "meaning"),
    [
        (("TransactionConflict", "None"), ConflictError),
        (("None", "TransactionConflict"), ConflictError),
        (("None", "ConditionalCheckFailed"), ConflictError),
        (("None", "ThrottlingError"), StoreUnavailableError),
        (("ConditionalCheckFailed", "ProvisionedThroughputExceeded"), StoreUnavailableError),
        (("None", "ValidationError"), StoreUnavailableError),
    ],
)
def test_a_cancelled_transaction_means_what_its_reasons_say(
    connection: Any, reasons: tuple[str, str], meaning: type[Exception]
) -> None:
    """Others who write the same are a conflict to try again; a table that cannot keep up is unavailable."""
    store = DynamoStore(RefusingClient(connection, *reasons), table_name=TABLE)
    with pytest.raises(meaning):
        store.append(draft(1))


def test_a_day_that_others_write_is_a_conflict_and_not_the_cap(connection: Any) -> None:
    """Only the condition on the tokens says that they are spent."""
    for reasons, meaning in (
        (("None", "TransactionConflict"), ConflictError),
        (("TransactionConflict", "ConditionalCheckFailed"), ConflictError),
        (("None", "ConditionalCheckFailed"), CapReachedError),
    ):
        store = DynamoStore(RefusingClient(connection, *reasons), table_name=TABLE)
        with pytest.raises(meaning):
            store.reserve(conversation(), reservation(None), caught_up_at=1)
