"""The writes of the store in DynamoDB: each is one call, and holds whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chatbot import items
from chatbot.items import META, Item
from chatbot.store import CapReachedError, ConflictError, KeyTakenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatbot.contract import Feedback, Turn
    from chatbot.store import Conversation, Draft, Key, Reservation

CONDITION_FAILED = "ConditionalCheckFailed"
# A cancelled transaction names a reason for each of its items; several writers of one item meet as these:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
CONFLICTS = frozenset({CONDITION_FAILED, "TransactionConflict"})
PRESENT = "attribute_not_exists(leaving)"


@dataclass(frozen=True)
class Writing:
    """Writes into one table; what the client raises comes through, unless a condition says what it means."""

    client: Any
    table: str

    def append(self, draft: Draft) -> None:
        """Keep a turn; see `Store.append`."""
        actions = {"turn": self._put(items.turn_item(draft), "attribute_not_exists(pk)")}
        actions["conversation"] = self._count(draft)
        if draft.key:
            actions["key"] = self._keep_key(draft, draft.key)
        if draft.reservation and draft.reservation.tokens != draft.spent:
            actions["day"] = {"Update": self._give_back(draft.reservation, spent=draft.spent)}
        self._transact(actions, draft.key)

    def reserve(self, conversation: Conversation, reservation: Reservation, *, caught_up_at: int) -> None:
        """Take what a reply may need; see `Store.reserve`."""
        actions = {
            "conversation": self._update(
                items.key_of(conversation.id, META),
                "SET caught_up_at = :next",
                f"caught_up_at = :known AND {PRESENT}",
                {":known": items.number(conversation.caught_up_at), ":next": items.number(caught_up_at)},
            ),
            "day": self._update(
                items.day_key(reservation.day),
                "SET expires_at = :expiry ADD tokens :tokens",
                "attribute_not_exists(tokens) OR tokens <= :most_before",
                {
                    ":tokens": items.number(reservation.tokens),
                    ":most_before": items.number(reservation.most_before),
                    ":expiry": items.epoch(reservation.now + items.DAY_KEPT),
                },
            ),
        }
        if reservation.key:
            item = items.reserved_key_item(conversation, reservation, reservation.key)
            actions["key"] = self._put_free_key(item, {":now": items.epoch(reservation.now)})
        self._transact(actions, reservation.key)

    def release(self, conversation_id: str, reservation: Reservation, *, spent: int) -> None:
        """Let go of what was reserved; see `Store.release`."""
        if reservation.key:
            self._hold(
                self.client.delete_item,
                Key=items.idempotency_key(conversation_id, reservation.key),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": reservation.owner}},
            )
        if reservation.tokens != spent:
            self.client.update_item(**self._give_back(reservation, spent=spent))

    def rate(self, turn: Turn, feedback: Feedback) -> bool:
        """Keep what a person thinks of a turn, and whether someone should look at it; see `Store.rate`."""
        values: Item = {":rating": {"S": feedback.rating}}
        kept, removed = ["rating = :rating"], []
        if feedback.comment is None:
            removed.append("#comment")
        else:
            kept.append("#comment = :comment")
            values[":comment"] = {"S": feedback.comment}
        if turn.answered and feedback.rating == "up":
            removed.append("review")
        else:
            kept.append("review = :review")
            values[":review"] = {"S": items.REVIEW}
        return self._hold(
            self.client.update_item,
            Key=items.turn_key(turn.conversation_id, turn.number),
            UpdateExpression=f"SET {', '.join(kept)}" + (f" REMOVE {', '.join(removed)}" if removed else ""),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#comment": "comment"},
            ExpressionAttributeValues=values,
        )

    def leave(self, conversation_id: str) -> bool:
        """Begin to delete a conversation; False if there is none."""
        return self._hold(
            self.client.update_item,
            Key=items.key_of(conversation_id, META),
            UpdateExpression="SET leaving = :true",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )

    def _count(self, draft: Draft) -> Item:
        known = draft.conversation
        set_, condition = "turns = :next", "turns = :known"
        values = {":known": items.number(known.turns), ":next": items.number(draft.turn.number)}
        if draft.caught_up_at is not None:
            set_ += ", caught_up_at = :caught_up_at"
            condition += " AND caught_up_at = :pace"
            values[":caught_up_at"] = items.number(draft.caught_up_at)
            values[":pace"] = items.number(known.caught_up_at)
        return self._update(items.key_of(known.id, META), f"SET {set_}", f"{condition} AND {PRESENT}", values)

    def _keep_key(self, draft: Draft, key: Key) -> Item:
        if draft.reservation is None:
            return self._put_free_key(items.key_item(draft, key), {":now": items.epoch(draft.now)})
        return self._put(
            items.key_item(draft, key),
            "#owner = :owner",
            {":owner": {"S": draft.reservation.owner}},
            ExpressionAttributeNames={"#owner": "owner"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _put_free_key(self, item: Item, values: Item) -> Item:
        return self._put(
            item,
            "attribute_not_exists(pk) OR #until < :now",
            values,
            ExpressionAttributeNames={"#until": "until"},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _put(self, item: Item, condition: str, values: Item | None = None, **options: Any) -> Item:
        put = {"TableName": self.table, "Item": item, "ConditionExpression": condition, **options}
        return {"Put": put | ({"ExpressionAttributeValues": values} if values else {})}

    def _update(self, key: Item, update: str, condition: str, values: Item) -> Item:
        return {
            "Update": {
                "TableName": self.table,
                "Key": key,
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _give_back(self, reservation: Reservation, *, spent: int) -> Item:
        return {
            "TableName": self.table,
            "Key": items.day_key(reservation.day),
            "UpdateExpression": "ADD tokens :tokens",
            "ExpressionAttributeValues": {":tokens": items.number(spent - reservation.tokens)},
        }

    def _hold(self, call: Any, **arguments: Any) -> bool:
        """Make a conditional write; False if its condition does not hold."""
        try:
            call(TableName=self.table, **arguments)
        except ClientError as error:
            match error.response["Error"]["Code"]:
                case "ConditionalCheckFailedException":
                    return False
                case "TransactionConflictException":
                    raise ConflictError from error
            raise
        return True

    def _transact(self, actions: Mapping[str, Item], key: Key | None) -> None:
        try:
            self.client.transact_write_items(TransactItems=list(actions.values()))
        except ClientError as error:
            reasons = error.response.get("CancellationReasons")
            if reasons:
                _explain(dict(zip(actions, reasons, strict=True)), key, error)
            raise


def _explain(reasons: Mapping[str, Item], key: Key | None, cancelled: ClientError) -> None:
    """Raise what a cancelled transaction means to a conversation; return if it means nothing of the kind."""
    codes = {name: reason.get("Code") for name, reason in reasons.items()}
    if key and codes.get("key") == CONDITION_FAILED:
        old = reasons["key"].get("Item")
        raise (KeyTakenError(key, items.holder_of(old)) if old else ConflictError()) from cancelled
    if not {"None", None, *CONFLICTS} >= set(codes.values()):
        return
    if codes.pop("day", None) == CONDITION_FAILED and not CONFLICTS & set(codes.values()):
        raise CapReachedError from cancelled
    raise ConflictError from cancelled
