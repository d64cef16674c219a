"""The store of conversations in DynamoDB: one partition a conversation, one item a turn.

The conversation itself has the sort key `~META`, which is greater than that of every turn (`T#00000001`), so that
one descending Query reads it and the newest turns together.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chatbot.contract import Source, Turn
from chatbot.store import ConflictError, Conversation, Recent, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = dict[str, Any]

META = "~META"
# Three tries of this length end well before API Gateway gives up after 29 seconds.
CLIENT_CONFIG = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 3}, tcp_keepalive=True
)
# A cancelled transaction names a reason for each of its items:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
CONFLICT_REASONS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class DynamoStore:
    """Keeps conversations in the table that the infrastructure made (`pk`, `sk`, time to live in `expires_at`)."""

    def __init__(self, client: Any, *, table_name: str, page_size: int | None = None) -> None:
        self._client = client
        self._table = table_name
        self._page = {} if page_size is None else {"Limit": page_size}

    def create(self, conversation: Conversation) -> None:
        item = {
            **_key(conversation.id, META),
            "turns": {"N": str(conversation.turns)},
            "created_at": {"S": conversation.created_at.isoformat()},
            "expires_at": _epoch(conversation.expires_at),
        }
        with _unavailable():
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)")

    def recent(self, conversation_id: str, *, limit: int, now: datetime) -> Recent | None:
        with _unavailable():
            found = self._client.query(**self._partition(conversation_id), ScanIndexForward=False, Limit=limit + 1)[
                "Items"
            ]
        if not found or found[0]["sk"]["S"] != META or _expired(found[0], now):
            return None
        turns = [_turn(conversation_id, item) for item in reversed(found[1:])]
        return Recent(_conversation(conversation_id, found[0]), tuple(turns))

    def append(self, conversation: Conversation, turn: Turn) -> None:
        put = {
            "TableName": self._table,
            "Item": _turn_item(turn, expires_at=conversation.expires_at),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        count = {
            "TableName": self._table,
            "Key": _key(conversation.id, META),
            "UpdateExpression": "SET turns = :next",
            "ConditionExpression": "turns = :known",
            "ExpressionAttributeValues": {
                ":known": {"N": str(conversation.turns)},
                ":next": {"N": str(turn.number)},
            },
        }
        with _unavailable():
            self._client.transact_write_items(TransactItems=[{"Put": put}, {"Update": count}])

    def turns(self, conversation_id: str, *, now: datetime) -> tuple[Turn, ...] | None:
        with _unavailable():
            items = list(self._all(conversation_id))
        # The conversation sorts last, and everything in the partition expires with it.
        if not items or items[-1]["sk"]["S"] != META or _expired(items[-1], now):
            return None
        return tuple(_turn(conversation_id, item) for item in items[:-1])

    def _all(self, conversation_id: str) -> Iterator[Item]:
        following: Item = {}
        while True:
            page = self._client.query(**self._partition(conversation_id), **self._page, **following)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            following = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _partition(self, conversation_id: str) -> Item:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": f"C#{conversation_id}"}},
            "ConsistentRead": True,
        }


@contextmanager
def _unavailable() -> Iterator[None]:
    """Turn what the client raises into the store's own errors."""
    try:
        yield
    except ClientError as error:
        reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", ())}
        if reasons & CONFLICT_REASONS:
            raise ConflictError from error
        raise StoreUnavailableError(error.response.get("Error", {}).get("Code", "unknown")) from error
    except BotoCoreError as error:
        raise StoreUnavailableError(type(error).__name__) from error


def _key(conversation_id: str, sort_key: str) -> Item:
    return {"pk": {"S": f"C#{conversation_id}"}, "sk": {"S": sort_key}}


def _turn_item(turn: Turn, *, expires_at: datetime) -> Item:
    source = {} if turn.source is None else {"source": {"M": _strings(id=turn.source.id, title=turn.source.title)}}
    return {
        **_key(turn.conversation_id, f"T#{turn.number:08d}"),
        **_strings(text=turn.text, reply=turn.reply, created_at=turn.created_at.isoformat()),
        "number": {"N": str(turn.number)},
        "answered": {"BOOL": turn.answered},
        "suggestions": {"L": [{"S": suggestion} for suggestion in turn.suggestions]},
        "expires_at": _epoch(expires_at),
        **source,
    }


def _turn(conversation_id: str, item: Item) -> Turn:
    source = item.get("source", {}).get("M")
    return Turn(
        conversation_id=conversation_id,
        number=int(item["number"]["N"]),
        text=item["text"]["S"],
        reply=item["reply"]["S"],
        source=None if source is None else Source(id=source["id"]["S"], title=source["title"]["S"]),
        answered=item["answered"]["BOOL"],
        suggestions=tuple(suggestion["S"] for suggestion in item["suggestions"]["L"]),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
    )


def _conversation(conversation_id: str, item: Item) -> Conversation:
    return Conversation(
        id=conversation_id,
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        expires_at=datetime.fromtimestamp(int(item["expires_at"]["N"]), tz=UTC),
        turns=int(item["turns"]["N"]),
    )


def _strings(**values: str) -> Item:
    return {name: {"S": value} for name, value in values.items()}


def _epoch(moment: datetime) -> Item:
    return {"N": str(int(moment.timestamp()))}


def _expired(item: Item, now: datetime) -> bool:
    return int(item["expires_at"]["N"]) <= now.timestamp()
