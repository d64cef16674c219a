"""moto's handler of DynamoDB's operations, with AWS's rules where moto has others."""

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException, TransactWriteSingleOpException
from moto.dynamodb.models import Table
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.responses import (
    DynamoHandler,
    DynamoResult,
    ProjectionExpressionParser,
    dynamodb_backends,
    validate_attributes_used,
)

from rehearsal.constraints import enforce
from rehearsal.dynamodb.capacity import CONSISTENT, EVENTUAL, TRANSACTIONAL, Use, of_read, of_write, report
from rehearsal.dynamodb.keys import Key, key_given, key_in
from rehearsal.dynamodb.sizes import TRANSACTION_LIMIT
from rehearsal.dynamodb.tables import Tables
from rehearsal.dynamodb.tokens import Tokens
from rehearsal.protocol import ServiceError, service_model

BATCH_WRITES = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""

JSON = "application/x-amz-json-1.0"
CAPACITY = "ConsumedCapacity"
DATA_OPERATIONS = frozenset(
    {"BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan", "TransactGetItems"}
    | {"TransactWriteItems", "UpdateItem"}
)


class Handler(DynamoHandler):  # type: ignore[misc]  # moto is untyped to us.
    """Handles one request; whoever calls it sees to it that no other one runs in this account and region."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    @cached_property
    def dynamodb_backend(self) -> Tables:
        """moto's backend, in a journal."""
        return Tables(dynamodb_backends[self.current_account][self.region])

    def get_item(self) -> ActionResult:
        """Return an item; moto would take the key of an index for one of the table's."""
        key_given(self.dynamodb_backend.get_table(self.body["TableName"]), self.body["Key"])
        return super().get_item()

    def transact_write_items(self) -> ActionResult:
        """Write all or nothing, once for each token."""
        enforce("dynamodb", "TransactWriteItems", self.body)
        if not all(len(each) == 1 for each in self.body["TransactItems"]):
            raise TransactWriteSingleOpException
        if self._tokens.knows(self.body):
            self._read_again()
        else:
            super().transact_write_items()
            self._tokens.keep(self.body)
        return ActionResult({})

    def transact_get_items(self) -> ActionResult:
        """Return items as they are at one moment.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
        """
        enforce("dynamodb", "TransactGetItems", self.body)
        items = [self._got(each["Get"]) for each in self.body["TransactItems"]]
        if sum(read.size for read in self.dynamodb_backend.journal.reads) > TRANSACTION_LIMIT:
            raise MockValidationException("Transaction request cannot return more than 4 MB of items in total")
        return DynamoResult({"Responses": [item.describe_attrs() if item else {} for item in items]})

    def batch_write_item(self) -> ActionResult:
        """Write each item by itself; a batch that cannot be carried out in full is refused in full."""
        enforce("dynamodb", "BatchWriteItem", self.body)
        keys = list(self._batch_keys(self.body["RequestItems"]))
        if len(keys) > BATCH_WRITES:
            raise MockValidationException("Too many items requested for the BatchWriteItem call")
        if len(set(keys)) < len(keys):
            raise MockValidationException("Provided list of item keys contains duplicates")
        try:
            super().batch_write_item()
        except BaseException:
            self.dynamodb_backend.journal.undo()
            raise
        return ActionResult({"UnprocessedItems": {}})

    def execute_transaction(self) -> ActionResult:
        """Refuse: moto would leave behind what was done before a statement failed."""
        raise ServiceError("UnknownOperationException", "the rehearsal does not emulate dynamodb ExecuteTransaction")

    def serialized(self, action_result: ActionResult) -> Any:
        """Return status, headers and body: with the capacity that was consumed if, and only if, it was asked for.

        moto looks up every value in every shape of the model, which takes longer than all the rest of a Query.
        """
        result, operation = action_result.result, self._get_action()
        if not isinstance(result, dict) or operation not in DATA_OPERATIONS:
            return super().serialized(action_result)
        members = service_model("dynamodb").operation_model(operation).output_shape.members
        answer = {name: value for name, value in result.items() if name in members and name != CAPACITY}
        if (wanted := self.body.get("ReturnConsumedCapacity", "NONE")) != "NONE":
            answer |= self._report(operation, indexes=wanted == "INDEXES")
        return 200, {"Content-Type": JSON} | self.response_headers, json.dumps(answer, default=_base64)

    def _report(self, operation: str, *, indexes: bool) -> dict[str, Any]:
        journal, transaction = self.dynamodb_backend.journal, operation.startswith("Transact")
        kind = "" if not transaction else "Write" if journal.writes else "Read"
        capacities = report(self._uses(transaction), kind=kind, indexes=indexes)
        return {CAPACITY: capacities if transaction or operation.startswith("Batch") else capacities[0]}

    def _uses(self, transaction: bool) -> Iterator[Use]:
        """Yield what the writes cost, or the reads of a request that wrote nothing."""
        journal = self.dynamodb_backend.journal
        for write in journal.writes:
            yield from of_write(write, TRANSACTIONAL if transaction else CONSISTENT)
        for read in journal.reads if not journal.writes else ():
            yield of_read(read, TRANSACTIONAL if transaction else self._consistency(read.table))

    def _consistency(self, table: Table) -> float:
        batch = self.body.get("RequestItems", {})
        asked = batch.get(table.name) or batch.get(table.table_arn) or self.body
        return CONSISTENT if asked.get("ConsistentRead") else EVENTUAL

    def _read_again(self) -> None:
        """A transaction whose token is known reads its items.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken
        """
        for each in self.body["TransactItems"]:
            [action] = each.values()
            self.dynamodb_backend.get_item(action["TableName"], action.get("Item") or action["Key"])

    def _got(self, given: Mapping[str, Any]) -> Item | None:
        names = given.get("ExpressionAttributeNames")
        parser = ProjectionExpressionParser(given.get("ProjectionExpression"), names)
        paths = parser.parse()
        validate_attributes_used(names, parser.expr_attr_names_found, validation_error_prefix=False)
        key_given(self.dynamodb_backend.get_table(given["TableName"]), given["Key"])
        return self.dynamodb_backend.get_item(given["TableName"], given["Key"], paths)

    def _batch_keys(self, batch: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[str, Key]]:
        for name, requests in batch.items():
            table = self.dynamodb_backend.get_table(name)
            for request in requests:
                if len(request) != 1:
                    raise MockValidationException("A write request is either a PutRequest or a DeleteRequest")
                [(kind, body)] = request.items()
                yield table.name, key_in(table, body["Item"]) if kind == "PutRequest" else key_given(table, body["Key"])


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
