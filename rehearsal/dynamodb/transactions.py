"""TransactWriteItems: all of it, or nothing and the reasons why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    AttributeDoesNotExist,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeToUpdateTooLarge,
    MockValidationException,
    MultipleTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)

from rehearsal.dynamodb.keys import Key, find, key_given, key_in
from rehearsal.dynamodb.sizes import TRANSACTION_LIMIT, item_size

if TYPE_CHECKING:
    from moto.dynamodb.models import Table

    from rehearsal.dynamodb.tables import Tables

Reason = tuple[str | None, str | None, dict[str, Any] | None]
"""Code, message and item, as moto writes them into the answer."""

FINE: Reason = (None, None, None)
FAILED = "The conditional request failed"

# What only the item as it is stored shows to be wrong; it cancels the transaction. All else is refused beforehand.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
CANCELLING = (
    AttributeDoesNotExist,
    IncorrectDataType,
    InvalidUpdateExpressionInvalidDocumentPath,
    ItemSizeToUpdateTooLarge,
)


@dataclass(frozen=True)
class Action:
    """One action of a transaction: ``kind`` is Put, Update, Delete or ConditionCheck."""

    kind: str
    given: Mapping[str, Any]
    table: Table
    key: Key

    def unmet(self) -> Reason:
        """Say why the item, as it is now, does not allow this action.

        The item is shown to whoever asked for it, if there is one.
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Put.html
        """
        names, values = self.given.get("ExpressionAttributeNames"), self.given.get("ExpressionAttributeValues")
        condition = get_filter_expression(self.given.get("ConditionExpression"), names, values)
        item = find(self.table, self.key)
        if condition.expr(item):
            return FINE
        shown = self.given.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return "ConditionalCheckFailed", FAILED, item.to_json()["Attributes"] if item and shown else None

    def done(self, tables: Tables) -> Reason:
        """Do it, and say what stood in the way."""
        name = self.table.name
        try:
            if self.kind == "Put":
                tables.put_item(name, self.given["Item"])
            elif self.kind == "Delete":
                tables.delete_item(name, self.given["Key"])
            elif self.kind == "Update":
                tables.update_item(
                    name,
                    self.given["Key"],
                    update_expression=self.given["UpdateExpression"],
                    expression_attribute_names=self.given.get("ExpressionAttributeNames"),
                    expression_attribute_values=self.given.get("ExpressionAttributeValues"),
                )
            else:
                tables.journal.checked(self.table, self.key)
        except CANCELLING as error:
            return "ValidationError", error.message, None
        return FINE


def transact(tables: Tables, items: list[dict[str, Any]]) -> None:
    """Carry out a transaction; every condition is about the items as they were before it.

    Raises moto's ``TransactionCanceledException`` with a reason for each action, or its errors for a request that no
    items could satisfy; then nothing has changed.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    actions = [_action(tables, item) for item in items]
    if len({(action.table.name, action.key) for action in actions}) < len(actions):
        raise MultipleTransactionsException
    reasons = [action.unmet() for action in actions]
    try:
        if not _cancels(reasons):
            reasons = list(_attempts(tables, actions))
        if _cancels(reasons):
            raise TransactionCanceledException(reasons)
        _limit(tables)
    except BaseException:
        tables.journal.undo()
        raise


def _action(tables: Tables, item: Mapping[str, Any]) -> Action:
    if len(item) != 1:
        raise TransactWriteSingleOpException
    [(kind, given)] = item.items()
    table = tables.get_table(given["TableName"])
    key = key_in(table, given["Item"]) if kind == "Put" else key_given(table, given["Key"])
    return Action(kind, given, table, key)


def _attempts(tables: Tables, actions: list[Action]) -> Iterator[Reason]:
    return (action.done(tables) for action in actions)


def _cancels(reasons: list[Reason]) -> bool:
    return any(code for code, _, _ in reasons)


def _limit(tables: Tables) -> None:
    size = sum(item_size(write.after.attrs) for write in tables.journal.writes if write.after is not None)
    if size > TRANSACTION_LIMIT:
        raise MockValidationException("Transaction request cannot include more than 4 MB of items in total")
