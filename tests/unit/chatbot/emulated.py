"""An emulated DynamoDB over HTTP, with the table that the infrastructure makes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.config import Config

from rehearsal.cloud import Cloud

ATTRIBUTES = ("pk", "sk", "review", "created_at")


@contextmanager
def server() -> Iterator[str]:
    """Serve AWS on loopback and give its address."""
    with Cloud(account="123456789012", region="eu-central-1") as cloud:
        yield cloud.endpoint


def client(endpoint: str) -> Any:
    """A client of DynamoDB that does not try again."""
    return botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=10, max_pool_connections=64),
    )


def create_table(dynamodb: Any, name: str) -> None:
    """Make the table of conversations with its index of what should be looked at."""
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_keys("pk", "sk"),
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in ATTRIBUTES],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "review",
                "KeySchema": _keys("review", "created_at"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
