"""DynamoDB's own rules: what an item may be, what a page holds, what an index shows, and what all that costs."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.tables import Table, code_and_message, dynamodb, item, table

KILOBYTE = 1024


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with dynamodb() as client:
        yield client


@pytest.fixture
def things(client: Any) -> Table:
    return table(client, f"things-{uuid.uuid4()}")


def filled(size: int, **attributes: Any) -> dict[str, Any]:
    """Return an item of exactly ``size`` bytes, whose remaining attributes are texts."""
    attributes = {"pk": "p", "sk": "s"} | attributes
    used = sum(len(name) + len(text) for name, text in attributes.items()) + len("fill")
    return item(**attributes, fill="x" * (size - used))


def cost(answer: Any) -> float:
    return float(answer["ConsumedCapacity"]["CapacityUnits"])


def test_an_item_has_up_to_400_kilobytes(things: Table) -> None:
    """The limit counts names and values in bytes, binary values as they are before base64."""
    put = {"TableName": things.name}
    things.client.put_item(Item=filled(400 * KILOBYTE), **put)
    with pytest.raises(ClientError) as caught:
        things.client.put_item(Item=filled(400 * KILOBYTE + 1), **put)
    assert code_and_message(caught.value) == (
        "ValidationException",
        "Item size has exceeded the maximum allowed size",
    )
    assert things.get() == filled(400 * KILOBYTE)
    things.put(pk="raw", sk="s", raw=b"\0" * 409_000)
    with pytest.raises(ClientError) as caught:
        things.update("SET more = :x", pk="raw", ExpressionAttributeValues=item(**{":x": "x" * 1000}))
    assert code_and_message(caught.value)[1] == "Item size to update has exceeded the maximum allowed size"


def test_a_page_of_a_query_holds_a_megabyte(things: Table) -> None:
    """Pages end before they exceed it, and together hold everything once, in order."""
    for number in range(30):
        things.client.put_item(TableName=things.name, Item=filled(100 * KILOBYTE, sk=f"{number:03}"))
    first = things.query()
    assert first["Count"] == 10
    assert first["LastEvaluatedKey"] == item(pk="p", sk="009")
    pages = things.client.get_paginator("query").paginate(
        TableName=things.name, KeyConditionExpression="pk = :p", ExpressionAttributeValues=item(**{":p": "p"})
    )
    assert [each["sk"]["S"] for page in pages for each in page["Items"]] == [f"{number:03}" for number in range(30)]


@pytest.mark.parametrize("forward", [True, False])
def test_a_limit_is_of_items_read_and_leaves_a_last_key(things: Table, forward: bool) -> None:
    """The filter comes after the limit, and a limit that is reached has a last key even if nothing follows."""
    for number in range(4):
        things.put(pk="p", sk=str(number), even=number % 2 == 0)
    things.put(pk="another", sk="0")
    order = [str(number) for number in range(4)][:: 1 if forward else -1]

    def page(limit: int, after: str = "") -> tuple[int, int, str]:
        filtering = {"FilterExpression": "even = :yes", "values": item(**{":yes": True})}
        start = {"ExclusiveStartKey": item(pk="p", sk=after)} if after else {}
        answer = things.query(Limit=limit, ScanIndexForward=forward, **filtering, **start)
        last = answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")
        return answer["Count"], answer["ScannedCount"], last

    assert page(2) == (1, 2, order[1])
    assert page(2, after=order[1]) == (1, 2, order[3])
    assert page(2, after=order[3]) == (0, 0, "")
    assert page(5) == (2, 4, "")


def test_a_scan_pages_through_everything_once(things: Table) -> None:
    """Small pages and whole ones hold the same."""
    for number in range(7):
        things.put(pk=f"p{number % 3}", sk=str(number))
    pages = things.client.get_paginator("scan").paginate(TableName=things.name, PaginationConfig={"PageSize": 2})
    found = [each["sk"]["S"] for page in pages for each in page["Items"]]
    assert sorted(found) == [str(number) for number in range(7)]


def test_conditions_on_the_sort_key_choose_from_the_partition(things: Table) -> None:
    """Prefixes and ranges, with a limit of what matches."""
    for sk in ("A#1", "B#1", "B#2", "B#3", "C#1"):
        things.put(pk="p", sk=sk)

    def found(condition: str, **values: str) -> list[str]:
        answer = things.client.query(
            TableName=things.name,
            KeyConditionExpression=f"pk = :p AND {condition}",
            ExpressionAttributeValues=item(**{":p": "p"} | {f":{name}": text for name, text in values.items()}),
        )
        return [each["sk"]["S"] for each in answer["Items"]]

    assert found("begins_with(sk, :b)", b="B#") == ["B#1", "B#2", "B#3"]
    assert found("sk BETWEEN :a AND :b", a="A#2", b="B#2") == ["B#1", "B#2"]
    assert found("sk > :b", b="B#3") == ["C#1"]


def test_a_sparse_index_holds_the_items_that_have_its_keys(things: Table) -> None:
    """Items appear in it, in the order of its sort key, move and disappear with their attributes."""

    def owned(owner: str = "ann") -> list[dict[str, Any]]:
        answer = things.client.query(
            TableName=things.name,
            IndexName="by-owner",
            KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "owner"},
            ExpressionAttributeValues=item(**{":o": owner}),
        )
        return list(answer["Items"])

    things.put(pk="p", sk="a", owner="ann", rank=10, text="not projected")
    things.put(pk="p", sk="b", owner="ann", rank=9)
    things.put(pk="p", sk="c", owner="bob", rank=1)
    things.put(pk="p", sk="d", owner="ann")
    things.put(pk="p", sk="e")
    first, second = item(pk="p", sk="b", owner="ann", rank=9), item(pk="p", sk="a", owner="ann", rank=10)
    assert owned() == [first, second]
    things.update("REMOVE #o", sk="a", ExpressionAttributeNames={"#o": "owner"})
    things.update(
        "SET #r = :r", sk="d", ExpressionAttributeNames={"#r": "rank"}, ExpressionAttributeValues=item(**{":r": 1})
    )
    assert [each["sk"]["S"] for each in owned()] == ["d", "b"]
    assert things.client.scan(TableName=things.name, IndexName="by-owner")["Count"] == 3


def test_an_attribute_of_another_type_than_the_indexs_key_is_refused(things: Table) -> None:
    """Neither a put nor an update may store what the index cannot hold."""
    with pytest.raises(ClientError, match="Type mismatch for Index Key rank Expected: N Actual: S"):
        things.put(pk="p", sk="s", owner="ann", rank="high")
    things.put(pk="p", sk="s", owner="ann")
    setting = {"ExpressionAttributeNames": {"#r": "rank"}, "ExpressionAttributeValues": item(**{":r": "high"})}
    with pytest.raises(ClientError) as caught:
        things.update("SET #r = :r", **setting)
    assert code_and_message(caught.value)[0] == "ValidationException"
    assert things.get() == item(pk="p", sk="s", owner="ann")


def test_an_expired_item_is_still_there(things: Table) -> None:
    """DynamoDB deletes it some time later, so whoever reads it has to look at its time to live."""
    things.client.update_time_to_live(
        TableName=things.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    things.put(pk="p", sk="s", expires_at=int(time.time()) - 3600)
    assert things.get() is not None
    assert things.query()["Count"] == 1


@pytest.mark.parametrize(
    "key",
    [item(pk="p"), item(pk="p", sk="s", owner="ann"), item(pk="p", sk=1)],
    ids=["incomplete", "too much", "another type"],
)
def test_a_key_that_is_not_the_tables_is_refused(things: Table, key: dict[str, Any]) -> None:
    """By every operation that takes a key."""
    calls = (
        (things.client.get_item, {}),
        (things.client.delete_item, {}),
        (things.client.update_item, {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": item(**{":a": 1})}),
    )
    for call, options in calls:
        with pytest.raises(ClientError) as caught:
            call(TableName=things.name, Key=key, **options)
        expected = "The provided key element does not match the schema"
        assert code_and_message(caught.value) == ("ValidationException", expected)


def test_a_batch_is_25_writes_each_by_itself(things: Table) -> None:
    """Puts and deletes of different items are done, and nothing is left over."""
    things.put(pk="old", sk="s")
    requests = [{"PutRequest": {"Item": item(pk="p", sk=f"{number:02}")}} for number in range(24)]
    requests.append({"DeleteRequest": {"Key": item(pk="old", sk="s")}})
    answer = things.client.batch_write_item(RequestItems={things.name: requests})
    assert answer["UnprocessedItems"] == {}
    assert "ConsumedCapacity" not in answer
    assert things.query()["Count"] == 24
    assert things.get(pk="old") is None


@pytest.mark.parametrize("case", ["too many", "twice the same", "too large"])
def test_a_batch_that_breaks_a_rule_is_refused_as_a_whole(things: Table, case: str) -> None:
    """Not one of its items is written."""
    put = {"PutRequest": {"Item": item(pk="p", sk="s")}}
    requests = {
        "too many": [{"PutRequest": {"Item": item(pk="p", sk=f"{number:02}")}} for number in range(26)],
        "twice the same": [put, {"DeleteRequest": {"Key": item(sk="s", pk="p")}}],
        "too large": [put, {"PutRequest": {"Item": filled(400 * KILOBYTE + 1, sk="large")}}],
    }
    with pytest.raises(ClientError) as caught:
        things.client.batch_write_item(RequestItems={things.name: requests[case]})
    assert code_and_message(caught.value)[0] == "ValidationException"
    assert things.query()["Count"] == 0


def test_capacity_is_not_told_unless_it_is_asked_for(things: Table) -> None:
    """Its absence is part of the answer."""
    things.put(pk="p", sk="s")
    answers = [things.query(), things.update("SET a = :a", ExpressionAttributeValues=item(**{":a": 1}))]
    assert not any("ConsumedCapacity" in answer for answer in answers)


def test_writes_cost_a_unit_for_every_kilobyte_of_the_larger_item(things: Table) -> None:
    """Before or after: a large item that shrinks costs as much as it did when it was written."""
    options = {"TableName": things.name, "ReturnConsumedCapacity": "TOTAL"}
    assert cost(things.client.put_item(Item=filled(1024), **options)) == 1
    assert cost(things.client.put_item(Item=filled(1025), **options)) == 2
    removed = things.update("REMOVE fill", ReturnConsumedCapacity="TOTAL")
    assert cost(removed) == 2
    assert cost(things.client.delete_item(Key=item(pk="p", sk="s"), **options)) == 1
    assert cost(things.client.delete_item(Key=item(pk="p", sk="s"), **options)) == 1


def test_reads_cost_a_unit_for_every_four_kilobytes(things: Table) -> None:
    """Half as much when they need not be consistent; a query is charged for all that it reads together."""
    things.client.put_item(TableName=things.name, Item=filled(4097))
    options = {"TableName": things.name, "ReturnConsumedCapacity": "TOTAL"}
    key = item(pk="p", sk="s")
    assert cost(things.client.get_item(Key=key, **options)) == 1
    assert cost(things.client.get_item(Key=key, ConsistentRead=True, **options)) == 2
    assert cost(things.client.get_item(Key=key, ProjectionExpression="sk", **options)) == 1
    assert cost(things.client.get_item(Key=item(pk="nobody", sk="s"), **options)) == 0.5
    for number in range(10):
        things.client.put_item(TableName=things.name, Item=filled(1024, sk=f"t{number}"))
    filtering = {"FilterExpression": "pk = :none", "values": item(**{":none": "none"})}
    assert cost(things.query(ReturnConsumedCapacity="TOTAL", ConsistentRead=True)) == 4
    assert cost(things.query(ReturnConsumedCapacity="TOTAL", **filtering)) == 2


def test_transactions_cost_twice_as_much(things: Table) -> None:
    """Writes and checks in write units, reads in read units, as does a transaction that is sent again."""
    things.put(pk="p", sk="s")
    actions = [
        {"Put": {"TableName": things.name, "Item": filled(1500, sk="t")}},
        things.checking("attribute_exists(pk)"),
    ]
    options = {"ReturnConsumedCapacity": "TOTAL", "ClientRequestToken": str(uuid.uuid4())}
    expected = {"TableName": things.name, "CapacityUnits": 6.0, "WriteCapacityUnits": 6.0}
    assert things.transact(*actions, **options)["ConsumedCapacity"] == [expected]
    again = {"TableName": things.name, "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}
    assert things.transact(*actions, **options)["ConsumedCapacity"] == [again]
    gets = [{"Get": {"TableName": things.name, "Key": item(pk="p", sk=sk)}} for sk in ("s", "t")]
    answer = things.client.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [again]


def test_indexes_cost_what_changes_in_them(things: Table) -> None:
    """Nothing for an item that is not in them, two writes for one that moves."""
    options = {"TableName": things.name, "ReturnConsumedCapacity": "INDEXES"}

    def of_index(answer: Any) -> float:
        capacity = answer["ConsumedCapacity"]
        units = capacity.get("GlobalSecondaryIndexes", {}).get("by-owner", {}).get("CapacityUnits", 0.0)
        assert capacity["CapacityUnits"] == capacity["Table"]["CapacityUnits"] + units
        return float(units)

    assert of_index(things.client.put_item(Item=item(pk="p", sk="s"), **options)) == 0
    assert of_index(things.client.put_item(Item=item(pk="p", sk="s", owner="ann", rank=1), **options)) == 1
    assert of_index(things.client.put_item(Item=item(pk="p", sk="s", owner="ann", rank=1, text="x"), **options)) == 0
    assert of_index(things.client.put_item(Item=item(pk="p", sk="s", owner="bob", rank=1), **options)) == 2
    assert of_index(things.client.delete_item(Key=item(pk="p", sk="s"), **options)) == 1


def test_batches_cost_the_sum_of_their_items(things: Table) -> None:
    """Each item is rounded up by itself."""
    requests = [{"PutRequest": {"Item": filled(1025, sk=str(number))}} for number in range(3)]
    written = things.client.batch_write_item(RequestItems={things.name: requests}, ReturnConsumedCapacity="TOTAL")
    assert written["ConsumedCapacity"] == [{"TableName": things.name, "CapacityUnits": 6.0}]
    keys = {"Keys": [item(pk="p", sk=str(number)) for number in range(3)], "ConsistentRead": True}
    read = things.client.batch_get_item(RequestItems={things.name: keys}, ReturnConsumedCapacity="TOTAL")
    assert read["ConsumedCapacity"] == [{"TableName": things.name, "CapacityUnits": 3.0}]


def test_sizes_are_counted_as_documented(things: Table) -> None:
    """Numbers, sets and nested values by their own rules: a byte more and the item costs a unit more."""
    # pk, sk and their values: 6; number 6 + 3; flag 4 + 1; nothing 7 + 1; list 4 + 3 + (1 + 1) + (1 + 2);
    # map 3 + 3 + (1 + 1 + 3); set 3 + 3; binary 3 + 4.
    attributes = {
        **item(pk="p", sk="s", flag=True, list=["x", 12], map={"k": "abc"}, raw=b"\1\2\3\4"),
        "number": {"N": "-1200.340"},
        "nothing": {"NULL": True},
        "set": {"SS": ["a", "bc"]},
    }
    size = 6 + (6 + 4) + (4 + 1) + (7 + 1) + (4 + 3 + 2 + 3) + (3 + 3 + 5) + (3 + 3) + (3 + 4)
    options = {"TableName": things.name, "ReturnConsumedCapacity": "TOTAL"}

    def put(fill: int) -> float:
        return cost(things.client.put_item(Item=attributes | item(fill="x" * fill), **options))

    exact = 1024 - size - len("fill")
    assert put(exact) == 1
    assert put(exact + 1) == 2
