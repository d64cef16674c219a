"""The turns that should be looked at: what the table's sparse index leads to.

The index holds keys alone (`stacks/chatbot/table.py`), so what was deleted meanwhile is not found any more.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from delivery.errors import DeliveryError

INDEX, OPEN = "review", "open"
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
BATCH = 100
ATTEMPTS = 8

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Turn:
    """What the table says of one turn."""

    question: str
    asked_at: datetime
    answered: bool
    rating: str | None
    comment: str | None
    source: str | None


def turns_to_review(dynamodb: Any, table: str, *, since: datetime, now: datetime) -> list[Turn]:
    """Return unanswered and badly rated turns, newest first; ``dynamodb`` is a client of the table's region."""
    found = [
        _turn(item)
        for keys in batched(_keys(dynamodb, table, since), BATCH, strict=False)
        for item in _items(dynamodb, table, keys)
        if int(item["expires_at"]["N"]) > now.timestamp()
    ]
    return sorted(found, key=lambda turn: turn.asked_at, reverse=True)


def _keys(dynamodb: Any, table: str, since: datetime) -> Iterator[Item]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        IndexName=INDEX,
        KeyConditionExpression="review = :open AND created_at >= :since",
        ExpressionAttributeValues={":open": {"S": OPEN}, ":since": {"S": since.isoformat(timespec="seconds")}},
    )
    for page in pages:
        yield from ({name: item[name] for name in ("pk", "sk")} for item in page["Items"])


def _items(dynamodb: Any, table: str, keys: Sequence[Item]) -> Iterator[Item]:
    """Yield the items of ``keys`` that are still there; what DynamoDB leaves undone is asked for again."""
    wanted = {table: {"Keys": list(keys)}}
    for attempt in range(ATTEMPTS):
        answer = dynamodb.batch_get_item(RequestItems=wanted)
        yield from answer["Responses"].get(table, ())
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return
        time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 (jitter, not a secret)
    raise DeliveryError(f"{table} is too busy to be read: try again later")


def _turn(item: Item) -> Turn:
    return Turn(
        question=item["text"]["S"],
        asked_at=datetime.fromisoformat(item["created_at"]["S"]),
        answered=item["answered"]["BOOL"],
        rating=item["rating"]["S"] if "rating" in item else None,
        comment=item["comment"]["S"] if "comment" in item else None,
        source=item["source"]["M"]["title"]["S"] if "source" in item else None,
    )
