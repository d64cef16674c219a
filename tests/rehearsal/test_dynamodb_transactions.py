"""TransactWriteItems and TransactGetItems do all or nothing, whoever else writes at the same time."""

import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.dynamodb.tokens import Tokens
from rehearsal.protocol import ServiceError
from tests.rehearsal.tables import Table, code_and_message, dynamodb, item, reasons, table

THREADS = 50


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with dynamodb() as client:
        yield client


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns so often that whatever may come in between does."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def conversations(client: Any) -> Table:
    return table(client, f"conversations-{uuid.uuid4()}")


def succeeded(work: Any, numbers: Iterable[int], *, refusal: str = "TransactionCanceledException") -> int:
    """Return how many of the concurrent calls were not refused; any other error ends the test."""

    def attempt(number: int) -> str:
        try:
            work(number)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "success"

    with ThreadPoolExecutor(THREADS) as executor:
        outcomes = Counter(executor.map(attempt, numbers))
    assert set(outcomes) <= {"success", refusal}
    return outcomes["success"]


@pytest.mark.usefixtures("restless")
def test_of_many_transactions_on_one_item_as_many_succeed_as_its_condition_allows(conversations: Table) -> None:
    """Fifty threads take from a stock of seven."""
    conversations.put(pk="p", sk="s", left=7)

    def take(number: int) -> None:
        conversations.transact(
            conversations.updating(
                "SET #left = #left - :one",
                ConditionExpression="#left >= :one",
                ExpressionAttributeNames={"#left": "left"},
                ExpressionAttributeValues=item(**{":one": 1}),
            ),
            conversations.putting(pk="taken", sk=str(number), only_new=True),
        )

    assert succeeded(take, range(THREADS)) == 7
    found = conversations.get()
    assert found == item(pk="p", sk="s", left=0)
    assert conversations.query("taken")["Count"] == 7


@pytest.mark.usefixtures("restless")
def test_every_turn_that_is_acknowledged_is_stored_once(conversations: Table) -> None:
    """Writers that count what they have read lose nothing: who comes too late is told so."""
    conversations.put(pk="p", sk="~META", turns=0)

    def send(_: int) -> None:
        known = int((conversations.get(sk="~META") or {})["turns"]["N"])
        conversations.transact(
            conversations.putting(pk="p", sk=f"T#{known + 1:08}", only_new=True),
            conversations.updating(
                "SET turns = :next",
                sk="~META",
                ConditionExpression="turns = :known",
                ExpressionAttributeValues=item(**{":known": known, ":next": known + 1}),
            ),
        )

    acknowledged = succeeded(send, range(2 * THREADS))
    stored = [each["sk"]["S"] for each in conversations.query()["Items"]]
    assert acknowledged > 0
    assert stored == [f"T#{number:08}" for number in range(1, acknowledged + 1)] + ["~META"]
    assert (conversations.get(sk="~META") or {})["turns"] == {"N": str(acknowledged)}


@pytest.mark.usefixtures("restless")
def test_conditional_writes_of_single_items_are_atomic(conversations: Table) -> None:
    """Of many who put the same new item, one does; of many who add one, none is lost."""

    def claim(number: int) -> None:
        conversations.client.put_item(
            TableName=conversations.name,
            Item=item(pk="lock", sk="s", by=number),
            ConditionExpression="attribute_not_exists(pk)",
        )

    assert succeeded(claim, range(THREADS), refusal="ConditionalCheckFailedException") == 1
    with ThreadPoolExecutor(THREADS) as executor:
        adding = {"ExpressionAttributeValues": item(**{":one": 1})}
        list(executor.map(lambda _: conversations.update("ADD hits :one", **adding), range(THREADS)))
    assert (conversations.get() or {})["hits"] == {"N": str(THREADS)}


@pytest.mark.usefixtures("restless")
def test_reads_beside_writes_see_whole_transactions(conversations: Table) -> None:
    """Two items that always change together are never seen apart, and no read fails."""
    conversations.put(pk="a", sk="s", n=0)
    conversations.put(pk="b", sk="s", n=0)
    both = [
        {"Get": {"TableName": conversations.name, "Key": item(pk=pk, sk="s"), "ProjectionExpression": "n"}}
        for pk in ("a", "b")
    ]

    def work(number: int) -> tuple[Any, ...]:
        if number % 2:
            setting = {"ExpressionAttributeValues": item(**{":n": number})}
            conversations.transact(
                conversations.updating("SET n = :n", pk="a", **setting),
                conversations.updating("SET n = :n", pk="b", **setting),
                conversations.putting(pk=f"new-{number}", sk="s"),
            )
        conversations.client.scan(TableName=conversations.name)
        found = conversations.client.transact_get_items(TransactItems=both)["Responses"]
        return tuple(each["Item"]["n"]["N"] for each in found)

    with ThreadPoolExecutor(THREADS) as executor:
        assert all(first == second for first, second in executor.map(work, range(2 * THREADS)))


def test_a_cancelled_transaction_says_why_for_each_action_and_changes_nothing(conversations: Table) -> None:
    """The reasons stand in the order of the actions; the item that failed comes along for who asks for it."""
    stored = item(pk="p", sk="s", raw=b"\x00\xff", nested={"list": [1, True, b"x"]})
    conversations.client.put_item(TableName=conversations.name, Item=stored)
    new = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    with pytest.raises(conversations.client.exceptions.TransactionCanceledException) as caught:
        conversations.transact(
            conversations.putting(pk="other", sk="s"),
            conversations.updating("REMOVE a", **new),
            conversations.checking("attribute_exists(pk)", pk="nobody", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            {"Delete": {"TableName": conversations.name, "Key": item(pk="third", sk="s")}},
        )
    fine, failed, nothing, also_fine = caught.value.response["CancellationReasons"]
    assert fine == also_fine == {"Code": "None"}
    assert failed == {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": stored}
    assert nothing == {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    code, message = code_and_message(caught.value)
    assert code == "TransactionCanceledException"
    assert message.endswith("[None, ConditionalCheckFailed, ConditionalCheckFailed, None]")
    assert conversations.client.scan(TableName=conversations.name)["Items"] == [stored]


def test_conditions_are_about_the_items_before_the_transaction(conversations: Table) -> None:
    """What one action writes does not satisfy another one's condition."""
    with pytest.raises(conversations.client.exceptions.TransactionCanceledException) as caught:
        conversations.transact(
            conversations.putting(pk="p", sk="s"),
            conversations.checking("attribute_exists(pk)", pk="q"),
        )
    assert reasons(caught.value) == ["None", "ConditionalCheckFailed"]


def test_an_update_that_its_item_does_not_bear_cancels_the_transaction(conversations: Table) -> None:
    """What only the stored item shows is a reason, and everything before it is undone."""
    conversations.put(pk="p", sk="s", words="many")
    conversations.put(pk="gone", sk="s")
    one = {"ExpressionAttributeValues": item(**{":one": 1})}
    with pytest.raises(conversations.client.exceptions.TransactionCanceledException) as caught:
        conversations.transact(
            {"Delete": {"TableName": conversations.name, "Key": item(pk="gone", sk="s")}},
            conversations.updating("ADD hits :one", pk="new", **one),
            conversations.updating("SET a = :one ADD words :one", **one),
        )
    assert reasons(caught.value) == ["None", "None", "ValidationError"]
    assert conversations.get() == item(pk="p", sk="s", words="many")
    assert conversations.get(pk="gone") is not None
    assert conversations.get(pk="new") is None


def test_an_update_that_fails_half_way_leaves_the_item_alone(conversations: Table) -> None:
    """An update of a single item is all or nothing too."""
    conversations.put(pk="p", sk="s", words="many")
    with pytest.raises(ClientError) as caught:
        conversations.update("SET a = :one ADD words :one", ExpressionAttributeValues=item(**{":one": 1}))
    assert code_and_message(caught.value)[0] == "ValidationException"
    with pytest.raises(ClientError):
        conversations.update("SET a = :big", pk="new", ExpressionAttributeValues=item(**{":big": "x" * 420_000}))
    assert conversations.get() == item(pk="p", sk="s", words="many")
    assert conversations.get(pk="new") is None


def test_a_stream_holds_nothing_of_a_cancelled_transaction(client: Any) -> None:
    """Records of writes that were undone are gone."""
    streaming = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    streamed = table(client, f"streamed-{uuid.uuid4()}", StreamSpecification=streaming)
    streamed.put(pk="p", sk="s", words="many")
    with pytest.raises(client.exceptions.TransactionCanceledException):
        streamed.transact(
            streamed.putting(pk="q", sk="s"),
            streamed.updating("ADD words :one", ExpressionAttributeValues=item(**{":one": 1})),
        )
    streamed.put(pk="r", sk="s")
    arn = client.describe_table(TableName=streamed.name)["Table"]["LatestStreamArn"]
    streams = streams_of(client)
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    start = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in records] == ["p", "r"]


def streams_of(client: Any) -> Any:
    import boto3

    return boto3.session.Session().client(
        "dynamodbstreams",
        endpoint_url=client.meta.endpoint_url,
        region_name=client.meta.region_name,
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
    )


@pytest.mark.parametrize("other", ["delete", "check", "put"])
def test_two_actions_on_one_item_are_refused(conversations: Table, other: str) -> None:
    """One item, however its key is written, may be the target of one action."""
    actions = {
        "delete": {"Delete": {"TableName": conversations.name, "Key": item(sk="s", pk="p")}},
        "check": conversations.checking("attribute_exists(pk)"),
        "put": conversations.putting(sk="s", pk="p", more=1),
    }
    with pytest.raises(ClientError) as caught:
        conversations.transact(conversations.updating("REMOVE a"), actions[other])
    expected = "Transaction request cannot include multiple operations on one item"
    assert code_and_message(caught.value) == ("ValidationException", expected)
    assert conversations.get() is None


def test_a_hundred_actions_are_the_limit(conversations: Table) -> None:
    """A hundred are done, one more is refused; so it is with reads."""
    conversations.transact(*(conversations.putting(pk="p", sk=f"{number:03}") for number in range(100)))
    assert conversations.query()["Count"] == 100
    with pytest.raises(ClientError) as caught:
        conversations.transact(*(conversations.putting(pk="q", sk=f"{number:03}") for number in range(101)))
    assert code_and_message(caught.value)[0] == "ValidationException"
    assert conversations.query("q")["Count"] == 0
    gets = [{"Get": {"TableName": conversations.name, "Key": item(pk="p", sk=f"{n:03}")}} for n in range(101)]
    assert len(conversations.client.transact_get_items(TransactItems=gets[:100])["Responses"]) == 100
    with pytest.raises(ClientError):
        conversations.client.transact_get_items(TransactItems=gets)


def test_four_megabytes_are_the_limit(conversations: Table) -> None:
    """Eleven items of nearly 400 KB are more than a transaction takes, and none is written."""
    large = "x" * 400_000
    with pytest.raises(ClientError) as caught:
        conversations.transact(*(conversations.putting(pk="p", sk=str(n), text=large) for n in range(11)))
    assert code_and_message(caught.value)[0] == "ValidationException"
    assert conversations.query()["Count"] == 0


def test_a_table_that_does_not_exist_is_not_found(conversations: Table) -> None:
    """The whole request fails, whichever action names the table."""
    missing = {"Delete": {"TableName": "missing", "Key": item(pk="p", sk="s")}}
    with pytest.raises(conversations.client.exceptions.ResourceNotFoundException):
        conversations.transact(conversations.putting(pk="p", sk="s"), missing)
    assert conversations.get() is None


def test_a_token_makes_a_transaction_happen_once(conversations: Table) -> None:
    """The same again succeeds and does nothing; something else under the same token is refused."""
    adding = conversations.updating("ADD hits :one", ExpressionAttributeValues=item(**{":one": 1}))
    token = str(uuid.uuid4())
    conversations.transact(adding, ClientRequestToken=token)
    conversations.transact(adding, ClientRequestToken=token)
    assert (conversations.get() or {})["hits"] == {"N": "1"}
    with pytest.raises(conversations.client.exceptions.IdempotentParameterMismatchException):
        conversations.transact(conversations.putting(pk="q", sk="s"), ClientRequestToken=token)
    conversations.transact(adding, ClientRequestToken=str(uuid.uuid4()))
    assert (conversations.get() or {})["hits"] == {"N": "2"}


def test_a_token_of_a_cancelled_transaction_may_be_used_again(conversations: Table) -> None:
    """Only what was done is remembered."""
    token, new = str(uuid.uuid4()), conversations.putting(pk="p", sk="s", only_new=True)
    conversations.put(pk="p", sk="s")
    with pytest.raises(conversations.client.exceptions.TransactionCanceledException):
        conversations.transact(new, ClientRequestToken=token)
    conversations.client.delete_item(TableName=conversations.name, Key=item(pk="p", sk="s"))
    conversations.transact(new, ClientRequestToken=token)
    assert conversations.get() is not None


def test_a_token_is_valid_for_ten_minutes() -> None:
    """Afterwards it may name another transaction."""
    moment = 0.0
    tokens = Tokens(lambda: moment)
    first, second = ({"ClientRequestToken": "t", "TransactItems": [number]} for number in (1, 2))
    tokens.keep(first)
    moment = 599.0
    assert tokens.knows(first)
    with pytest.raises(ServiceError):
        tokens.knows(second)
    moment = 600.0
    assert not tokens.knows(second)


def test_reads_of_a_transaction_are_projected_and_may_find_nothing(conversations: Table) -> None:
    """Every get has its answer, in order."""
    conversations.put(pk="p", sk="s", text="hello", n=1)
    found = conversations.client.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": conversations.name, "Key": item(pk="nobody", sk="s")}},
            {
                "Get": {
                    "TableName": conversations.name,
                    "Key": item(pk="p", sk="s"),
                    "ProjectionExpression": "#t",
                    "ExpressionAttributeNames": {"#t": "text"},
                }
            },
        ]
    )
    assert found["Responses"] == [{}, {"Item": item(text="hello")}]


def test_a_partiql_transaction_is_refused_by_name(conversations: Table) -> None:
    """It is not half done."""
    with pytest.raises(ClientError, match="does not emulate dynamodb ExecuteTransaction"):
        conversations.client.execute_transaction(TransactStatements=[{"Statement": "SELECT * FROM x"}])
