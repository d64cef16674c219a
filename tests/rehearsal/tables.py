"""Tables in an emulated DynamoDB, and items in the form that its API has them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.cloud import Cloud
from rehearsal.dynamodb import DynamoDB

REGION = "eu-west-1"


@contextmanager
def dynamodb() -> Iterator[Any]:
    """Return a client of an empty DynamoDB."""
    # moto remembers what earlier clouds of this process held, so each has an account of its own.
    account = str(secrets.randbelow(9 * 10**11) + 10**11)
    with Cloud(account=account, region=REGION) as cloud:
        cloud.routes.append(DynamoDB(cloud))
        yield cloud.client("dynamodb")


def value(thing: Any) -> dict[str, Any]:
    """Return ``thing`` as an attribute's value."""
    kinds = {str: "S", bytes: "B", bool: "BOOL", list: "L", dict: "M", int: "N"}
    plain: Any = thing
    if isinstance(thing, list):
        plain = [value(each) for each in thing]
    elif isinstance(thing, dict):
        plain = item(**thing)
    elif type(thing) is int:
        plain = str(thing)
    return {kinds[type(thing)]: plain}


def item(**attributes: Any) -> dict[str, Any]:
    """Return attributes as an item has them."""
    return {name: value(thing) for name, thing in attributes.items()}


@dataclass(frozen=True)
class Table:
    """A table with the key ``pk`` and ``sk`` and the sparse index ``by-owner`` (``owner``, ``rank``)."""

    client: Any
    name: str

    def put(self, **attributes: Any) -> Any:
        """Put one item."""
        return self.client.put_item(TableName=self.name, Item=item(**attributes))

    def get(self, pk: str = "p", sk: str = "s", **options: Any) -> dict[str, Any] | None:
        """Return one item."""
        found = self.client.get_item(TableName=self.name, Key=item(pk=pk, sk=sk), **options).get("Item")
        return None if found is None else dict(found)

    def update(self, expression: str, *, pk: str = "p", sk: str = "s", **options: Any) -> Any:
        """Update one item."""
        key = item(pk=pk, sk=sk)
        return self.client.update_item(TableName=self.name, Key=key, UpdateExpression=expression, **options)

    def query(self, pk: str = "p", **options: Any) -> Any:
        """Return a page of a partition."""
        return self.client.query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=item(**{":pk": pk}) | options.pop("values", {}),
            **options,
        )

    def transact(self, *actions: dict[str, Any], **options: Any) -> Any:
        """Write in a transaction."""
        return self.client.transact_write_items(TransactItems=list(actions), **options)

    def putting(self, *, only_new: bool = False, **attributes: Any) -> dict[str, Any]:
        """Return the action that puts an item, if it must be new."""
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if only_new else {}
        return {"Put": {"TableName": self.name, "Item": item(**attributes)} | condition}

    def updating(self, expression: str, *, pk: str = "p", sk: str = "s", **options: Any) -> dict[str, Any]:
        """Return the action that updates an item."""
        key = item(pk=pk, sk=sk)
        return {"Update": {"TableName": self.name, "Key": key, "UpdateExpression": expression} | options}

    def checking(self, condition: str, *, pk: str = "p", sk: str = "s", **options: Any) -> dict[str, Any]:
        """Return the action that only checks a condition."""
        key = item(pk=pk, sk=sk)
        return {"ConditionCheck": {"TableName": self.name, "Key": key, "ConditionExpression": condition} | options}


def table(client: Any, name: str, **options: Any) -> Table:
    """Create a table."""
    keys = {"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]}
    schema = [{"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "rank", "KeyType": "RANGE"}]
    types = {"pk": "S", "sk": "S", "owner": "S", "rank": "N"}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        GlobalSecondaryIndexes=[
            {"IndexName": "by-owner", "KeySchema": schema, "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
        **keys | options,
    )
    return Table(client, name)


def code_and_message(error: ClientError) -> tuple[str, str]:
    """Return how an error is named and worded."""
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


def reasons(error: ClientError) -> list[str]:
    """Return the code of each action's reason."""
    return [reason["Code"] for reason in error.response["CancellationReasons"]]
