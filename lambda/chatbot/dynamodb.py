"""The store of conversations in DynamoDB; `items` says how its table is laid out."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chatbot import items
from chatbot.items import FIRST_TURN, META, Item
from chatbot.store import Recent, StoreUnavailableError
from chatbot.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from chatbot.contract import Feedback, Turn
    from chatbot.store import Conversation, Draft, Holder, Key, Reservation

# Three tries of this length end well before API Gateway gives up after 29 seconds.
CLIENT_CONFIG = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3}, tcp_keepalive=True
)
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
BATCH = 25
BATCH_ATTEMPTS = 6


class DynamoStore:
    """Keeps conversations in the table that the infrastructure made (`pk`, `sk`, time to live in `expires_at`)."""

    def __init__(self, client: Any, *, table_name: str, page_size: int | None = None) -> None:
        self._client = client
        self._table = table_name
        self._page_size = page_size

    def create(self, conversation: Conversation) -> None:
        item = items.conversation_item(conversation)
        with _unavailable():
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")

    def recent(self, conversation_id: str, *, limit: int, now: datetime) -> Recent | None:
        found = self._query(conversation_id, FIRST_TURN, META, ScanIndexForward=False, Limit=limit + 1)["Items"]
        if not found or found[0]["sk"]["S"] != META or items.is_expired(found[0], now):
            return None
        turns = (items.kept_turn_of(conversation_id, item) for item in reversed(found[1:]))
        return Recent(items.conversation_of(conversation_id, found[0]), tuple(turns))

    def one(self, conversation_id: str, *, number: int, now: datetime) -> Recent | None:
        keys = [items.key_of(conversation_id, META), items.turn_key(conversation_id, number)]
        wanted = {self._table: {"Keys": keys, "ConsistentRead": True}}
        with _unavailable():
            answer = self._client.batch_get_item(RequestItems=wanted)
        if answer.get("UnprocessedKeys"):
            raise StoreUnavailableError("UnprocessedKeys")
        found = {item["sk"]["S"]: item for item in answer["Responses"][self._table]}
        meta = found.pop(META, None)
        if meta is None or items.is_expired(meta, now):
            return None
        turns = (items.kept_turn_of(conversation_id, item) for item in found.values())
        return Recent(items.conversation_of(conversation_id, meta), tuple(turns))

    def page(self, conversation_id: str, *, after: int, limit: int) -> tuple[Turn, ...]:
        first, last = (items.turn_key(conversation_id, number)["sk"]["S"] for number in (after + 1, after + limit))
        found = self._all(conversation_id, first, last)
        return tuple(items.turn_of(conversation_id, item) for item in found)

    def append(self, draft: Draft) -> None:
        with _unavailable():
            self._writing().append(draft)

    def reserve(self, conversation: Conversation, reservation: Reservation, *, caught_up_at: int) -> None:
        with _unavailable():
            self._writing().reserve(conversation, reservation, caught_up_at=caught_up_at)

    def release(self, conversation_id: str, reservation: Reservation, *, spent: int) -> None:
        with _unavailable():
            self._writing().release(conversation_id, reservation, spent=spent)

    def holder(self, conversation_id: str, key: Key, *, now: datetime) -> Holder | None:
        wanted = items.idempotency_key(conversation_id, key)
        with _unavailable():
            item = self._client.get_item(TableName=self._table, Key=wanted, ConsistentRead=True).get("Item")
        return items.holder_of(item) if item and not items.is_expired(item, now) else None

    def rate(self, turn: Turn, feedback: Feedback) -> bool:
        with _unavailable():
            return self._writing().rate(turn, feedback)

    def erase(self, conversation_id: str) -> None:
        # First nobody can add to it or see it, and whoever is interrupted can still come back; the last to go is what
        # lets them in.
        with _unavailable():
            there = self._writing().leave(conversation_id)
        if there:
            inside = self._all(conversation_id, " ", META, ProjectionExpression="pk, sk")
            for batch in batched((item for item in inside if item["sk"]["S"] != META), BATCH, strict=False):
                self._delete(batch)
            self._delete([items.key_of(conversation_id, META)])

    def _delete(self, keys: Iterable[Item]) -> None:
        left: Item = {self._table: [{"DeleteRequest": {"Key": key}} for key in keys]}
        for attempt in range(BATCH_ATTEMPTS):
            with _unavailable():
                left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]
            if not left:
                return
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 (jitter, not a secret)
        raise StoreUnavailableError("UnprocessedItems")

    def _all(self, conversation_id: str, first: str, last: str, **options: Any) -> Iterator[Item]:
        if self._page_size:
            options["Limit"] = self._page_size
        while True:
            page = self._query(conversation_id, first, last, **options)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            options["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _query(self, conversation_id: str, first: str, last: str, **options: Any) -> Item:
        partition = items.key_of(conversation_id, first)["pk"]
        with _unavailable():
            answer: Item = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": partition, ":first": {"S": first}, ":last": {"S": last}},
                ConsistentRead=True,
                **options,
            )
        return answer

    def _writing(self) -> Writing:
        return Writing(self._client, self._table)


@contextmanager
def _unavailable() -> Iterator[None]:
    """Turn what the client raises into the store's own error."""
    try:
        yield
    except ClientError as error:
        raise StoreUnavailableError(error.response.get("Error", {}).get("Code", "unknown")) from error
    except BotoCoreError as error:
        raise StoreUnavailableError(type(error).__name__) from error
