"""The rehearsal's DynamoDB: whether it is as fast on a large table as on a small one."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.figure import Figure, interleaved, seconds

LARGE, SMALL = 1_000, 10
WORDS = "x" * 500
CALLS = 20
NUMBERS = itertools.count()


def measure(repeat: int) -> list[Figure]:
    """Write in transactions to one partition of each table, and query it."""
    with _dynamodb() as client:
        large, small = _filled(client, "large", LARGE), _filled(client, "small", SMALL)
        transactions = {name: partial(_transaction, client, name) for name in (large, small)}
        queries = {name: partial(_query, client, name) for name in (large, small)}
        return [
            _figure("tables.transaction", "a transaction", transactions, repeat),
            _figure("tables.query", "a query of one partition", queries, repeat),
        ]


def _figure(id: str, what: str, calls: Mapping[str, Callable[[], object]], repeat: int) -> Figure:
    found = interleaved({name: _milliseconds(call) for name, call in calls.items()}, repeat * 3)
    return Figure(
        id=id,
        what=f"{what}, {LARGE} items in the table",
        unit="ms",
        ours=found["large"],
        peer=found["small"],
        peer_name=f"{SMALL} items",
    )


def _milliseconds(call: Callable[[], object]) -> Callable[[], float]:
    """Make a measurement of what one of several calls takes."""
    several = seconds(lambda: [call() for _ in range(CALLS)])
    return lambda: several() / CALLS * 1000


@contextmanager
def _dynamodb() -> Iterator[Any]:
    from rehearsal.cloud import Cloud
    from rehearsal.dynamodb import DynamoDB

    with Cloud(account="123456789012", region="eu-central-1") as cloud:
        cloud.routes.append(DynamoDB(cloud))
        yield cloud.client("dynamodb")


def _filled(client: Any, name: str, size: int) -> str:
    keys = {"pk": "HASH", "sk": "RANGE"}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
    )
    for number in range(size):
        client.put_item(TableName=name, Item=_item(f"conversation {number}", "turn"))
    return name


def _item(partition: str, sort: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": sort}, "text": {"S": WORDS}}


def _transaction(client: Any, name: str) -> None:
    """Replace one of ten turns, and count."""
    put = {"TableName": name, "Item": _item("conversation 0", f"turn {next(NUMBERS) % 10}")}
    count = {
        "TableName": name,
        "Key": {"pk": {"S": "conversation 0"}, "sk": {"S": "~"}},
        "UpdateExpression": "ADD turns :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    client.transact_write_items(TransactItems=[{"Put": put}, {"Update": count}])


def _query(client: Any, name: str) -> None:
    values = {":pk": {"S": "conversation 0"}}
    client.query(TableName=name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values, Limit=5)
