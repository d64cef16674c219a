"""One contract for every store: what is kept in DynamoDB must behave like what is kept in memory."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import botocore.session
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from chatbot.contract import Source, Turn
from chatbot.dynamodb import DynamoStore
from chatbot.memory import MemoryStore
from chatbot.store import ConflictError, Conversation, Store, StoreUnavailableError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ID = "0123456789abcdef0123456789abcdef"
# moto keeps one cloud for the whole process: another test module may have a table of its own.
TABLE = "store-contract-conversations"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def dynamodb_client(endpoint: str) -> object:
    return botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=10),
    )


@pytest.fixture
def dynamodb(endpoint: str) -> Iterator[DynamoStore]:
    client = dynamodb_client(endpoint)
    keys = [("pk", "HASH"), ("sk", "RANGE")]
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )
    # A page of two items makes every longer conversation come in several pages.
    yield DynamoStore(client, table_name=TABLE, page_size=2)
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("dynamodb")


def conversation(turns: int = 0, *, id: str = ID) -> Conversation:
    return Conversation(id=id, created_at=NOW, expires_at=NOW + timedelta(days=30), turns=turns)


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


def filled(store: Store, turns: int) -> Store:
    store.create(conversation())
    for number in range(1, turns + 1):
        store.append(conversation(number - 1), turn(number))
    return store


def test_a_new_conversation_is_there_and_empty(store: Store) -> None:
    """What was created can be read, and has no turns."""
    store.create(conversation())
    recent = store.recent(ID, limit=5, now=NOW)
    assert recent is not None
    assert recent.conversation == conversation()
    assert recent.turns == ()
    assert store.turns(ID, now=NOW) == ()


def test_an_unknown_conversation_is_not_there(store: Store) -> None:
    """Nobody's id gives nothing, in both ways of reading."""
    assert store.recent(ID, limit=5, now=NOW) is None
    assert store.turns(ID, now=NOW) is None


def test_turns_come_back_whole_and_in_order(store: Store) -> None:
    """Eleven turns, more than a page, are returned as they were written."""
    filled(store, 11)
    assert store.turns(ID, now=NOW) == tuple(turn(number) for number in range(1, 12))


def test_a_turn_keeps_the_lack_of_an_answer(store: Store) -> None:
    """A turn without source and suggestions, and with any character, is the same when read."""
    store.create(conversation())
    kept = turn(1, source=None, answered=False, suggestions=(), text="日本語 \n\t 🙂 é", reply="I don't know.")
    store.append(conversation(), kept)
    assert store.turns(ID, now=NOW) == (kept,)


@pytest.mark.parametrize("limit", [0, 1, 3, 50])
def test_recent_gives_the_newest_turns_with_their_conversation(store: Store, limit: int) -> None:
    """One read returns the count and the newest turns, oldest of them first."""
    filled(store, 5)
    recent = store.recent(ID, limit=limit, now=NOW)
    assert recent is not None
    assert recent.conversation.turns == 5
    assert [found.number for found in recent.turns] == [1, 2, 3, 4, 5][max(0, 5 - limit) :]


@pytest.mark.parametrize("known", [0, 1, 3])
def test_a_turn_from_a_stale_reading_is_refused_and_leaves_nothing(store: Store, known: int) -> None:
    """Whoever counts another number of turns than there are gets a conflict, and nothing is half written."""
    filled(store, 2)
    with pytest.raises(ConflictError):
        store.append(conversation(known), turn(known + 1, text="too late"))
    assert store.turns(ID, now=NOW) == (turn(1), turn(2))
    assert store.recent(ID, limit=0, now=NOW).conversation.turns == 2


def test_a_turn_for_a_conversation_that_is_gone_is_refused(store: Store) -> None:
    """A turn never brings a conversation back."""
    with pytest.raises(ConflictError):
        store.append(conversation(), turn(1))
    assert store.turns(ID, now=NOW) is None


def test_an_expired_conversation_is_invisible_before_it_is_deleted(store: Store) -> None:
    """From the moment of expiry there is nothing to read, though the items may still lie there."""
    filled(store, 2)
    expiry = conversation().expires_at
    assert store.turns(ID, now=expiry - timedelta(seconds=1)) is not None
    assert store.turns(ID, now=expiry) is None
    assert store.recent(ID, limit=5, now=expiry) is None


def test_conversations_do_not_mix(store: Store) -> None:
    """Each conversation has its own turns and its own count."""
    other = "f" * 32
    filled(store, 2)
    store.create(conversation(id=other))
    store.append(conversation(id=other), turn(1, conversation_id=other, text="elsewhere"))
    assert len(store.turns(ID, now=NOW)) == 2
    assert [found.text for found in store.turns(other, now=NOW)] == ["elsewhere"]


def test_only_one_of_many_writers_takes_a_number() -> None:
    """Sixteen writers that all want to be turn one: one is, and fifteen learn that they are not."""
    store = MemoryStore()
    store.create(conversation())
    barrier = threading.Barrier(16)

    def write(writer: int) -> bool:
        barrier.wait()
        try:
            store.append(conversation(), turn(1, text=f"writer {writer}"))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(write, range(16))) == 1
    assert len(store.turns(ID, now=NOW)) == 1


def test_every_item_expires(dynamodb: DynamoStore, endpoint: str) -> None:
    """DynamoDB's time to live finds its attribute, in seconds, on the conversation and on each turn."""
    filled(dynamodb, 2)
    items = dynamodb_client(endpoint).scan(TableName=TABLE)["Items"]
    expiry = str(int(conversation().expires_at.timestamp()))
    assert [(item["sk"]["S"], item["expires_at"]["N"]) for item in items] == [
        ("T#00000001", expiry),
        ("T#00000002", expiry),
        ("~META", expiry),
    ]


def test_a_missing_table_is_told_as_unavailable(endpoint: str) -> None:
    """Whatever DynamoDB refuses is the store's own error, without DynamoDB's words."""
    store = DynamoStore(dynamodb_client(endpoint), table_name="missing")
    with pytest.raises(StoreUnavailableError, match="ResourceNotFoundException"):
        store.recent(ID, limit=1, now=NOW)


def test_an_endpoint_that_does_not_answer_is_told_as_unavailable() -> None:
    """A store that cannot be reached is unavailable for every method."""
    store = DynamoStore(dynamodb_client("http://127.0.0.1:9"), table_name=TABLE)
    for call in (
        lambda: store.create(conversation()),
        lambda: store.recent(ID, limit=1, now=NOW),
        lambda: store.append(conversation(), turn(1)),
        lambda: store.turns(ID, now=NOW),
    ):
        with pytest.raises(StoreUnavailableError):
            call()
