"""The ledger: one table that holds every plan, takes each of them once, and keeps what became of it.

Who plans writes ``plan``, who applies writes ``apply``; neither role may write what is the other's.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from delivery.aws import asking, client, code
from delivery.errors import COMMAND, DeliveryError, UsageError
from delivery.project import Project
from delivery.record import Apply, Record, Status
from delivery.state import Backend

BY_TIME: Final = "by-time"
"""The index that has an environment's plans in the order in which they were made."""

Item = dict[str, Any]


class TakenError(Exception):
    """Someone else took the plan, or closed it, meanwhile."""


@dataclass(frozen=True)
class Ledger:
    """The table; every method raises ``DeliveryError`` when it cannot be reached."""

    table: str
    region: str

    @classmethod
    def of(cls, project: Project) -> "Ledger":
        """Return the ledger that the project's state stack makes; raises ``UsageError`` where it makes none."""
        state = project.stack("state")
        try:
            name = state.configuration["resource"]["aws_dynamodb_table"]["ledger"]["name"]
        except (KeyError, TypeError) as error:
            raise UsageError(f"stack state makes no ledger ({error} is missing): run `make synth` again") from error
        return cls(str(name), Backend.of(state).region)

    def enter(self, record: Record) -> None:
        """Enter a new plan; raises ``DeliveryError`` for one that is there already."""
        item = record.as_data()
        values = {":plan": item["plan"], ":at": item["created_at"]}
        try:
            self._update(record, "SET #plan = :plan, created_at = :at", "attribute_not_exists(plan_sha256)", values)
        except TakenError:
            raise DeliveryError(
                f"plan {record.plan_sha256} of {record.environment} is in the ledger already: plan again"
            ) from None

    def find(self, environment: str, plan_sha256: str) -> Record | None:
        """Return a plan, or ``None`` where the ledger knows none of that digest for that environment."""
        key = _packed({"environment": environment, "plan_sha256": plan_sha256})
        with self._asking():
            answer = self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return self._record(answer["Item"]) if "Item" in answer else None

    def take(self, record: Record, apply: Apply) -> Record:
        """Take a plan that nobody took before; raises ``TakenError`` where someone did."""
        condition = "attribute_exists(plan_sha256) AND attribute_not_exists(#apply)"
        return self._write(record, apply, condition, {})

    def close(self, record: Record, apply: Apply) -> Record:
        """Write what became of a plan that was taken; raises ``TakenError`` unless it still is, by the same."""
        condition = "#apply.#status = :applying AND #apply.started_at = :started AND #apply.#by = :by"
        taken = {":applying": str(Status.APPLYING), ":started": apply.started_at, ":by": apply.by}
        return self._write(record, apply, condition, taken, {"#status": "status", "#by": "by"})

    def plans(self, environment: str, limit: int | None = None) -> Iterator[Record]:
        """Yield an environment's plans, the newest first."""
        pages = {"PaginationConfig": {"MaxItems": limit}} if limit else {}
        with self._asking():
            found = self._client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName=BY_TIME,
                KeyConditionExpression="environment = :environment",
                ExpressionAttributeValues=_packed({":environment": environment}),
                ScanIndexForward=False,
                **pages,
            )
            for page in found:
                yield from map(self._record, page["Items"])

    def _write(
        self, record: Record, apply: Apply, condition: str, values: Item, names: dict[str, str] | None = None
    ) -> Record:
        self._update(record, "SET #apply = :apply", condition, values | {":apply": apply.as_data()}, names)
        return replace(record, apply=apply)

    def _update(
        self, record: Record, change: str, condition: str, values: Item, names: dict[str, str] | None = None
    ) -> None:
        from botocore.exceptions import ClientError

        used = f"{change} {condition}"
        known = {"#plan": "plan", "#apply": "apply"} | (names or {})
        with self._asking():
            try:
                self._client.update_item(
                    TableName=self.table,
                    Key=_packed({"environment": record.environment, "plan_sha256": record.plan_sha256}),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={short: name for short, name in known.items() if short in used},
                    ExpressionAttributeValues=_packed(values),
                )
            except ClientError as error:
                if code(error) == "ConditionalCheckFailedException":
                    raise TakenError from error
                raise

    @cached_property
    def _client(self) -> Any:
        return client("dynamodb", self.region)

    def _asking(self) -> AbstractContextManager[None]:
        return asking(f"the ledger {self.table} cannot be used (if it is not there yet, run `{COMMAND} bootstrap`)")

    def _record(self, item: Item) -> Record:
        from boto3.dynamodb.types import TypeDeserializer

        values = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
        try:
            return Record.of(values)
        except ValueError as error:
            raise DeliveryError(f"the ledger {self.table} holds what is no record of a plan: {error}") from error


def _packed(values: Item) -> Item:
    """Return ``values`` as DynamoDB takes them.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
    """
    from boto3.dynamodb.types import TypeSerializer

    return {name: TypeSerializer().serialize(value) for name, value in values.items()}
