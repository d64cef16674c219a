"""Capacity units: what a request's reads and writes cost.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import Table
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import GlobalSecondaryIndex, SecondaryIndex

from rehearsal.dynamodb.journal import Read, Write
from rehearsal.dynamodb.sizes import item_size

WRITE_BYTES, READ_BYTES = 1024, 4096
EVENTUAL, CONSISTENT, TRANSACTIONAL = 0.5, 1, 2
"""How often the units of a read count; those of a write count once, or twice in a transaction."""


@dataclass(frozen=True)
class Use:
    """Units of a table, or of the index that is named."""

    table: Table
    index: str
    units: float


def of_read(read: Read, times: float) -> Use:
    """Return what a read costs; to find nothing costs what the smallest item does."""
    return Use(read.table, read.index, _units(read.size, READ_BYTES) * times)


def of_write(write: Write, times: float) -> Iterator[Use]:
    """Yield what a write costs: by the larger of the item before and after it, and again for each index it changes."""
    size = max(item_size(item.attrs) if item else 0 for item in (write.before, write.after))
    yield Use(write.table, "", _units(size, WRITE_BYTES) * times)
    for index in write.table.all_indexes():
        yield Use(write.table, index.name, _of_index(index, write) * times)


def report(uses: Iterable[Use], *, kind: str = "", indexes: bool = False) -> list[dict[str, Any]]:
    """Return a ``ConsumedCapacity`` for each table, of its indexes one by one if asked for.

    Transactions say whether they read or wrote: ``kind`` is then Read or Write.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ConsumedCapacity.html
    """
    tables: dict[str, list[Use]] = {}
    for use in uses:
        tables.setdefault(use.table.name, []).append(use)
    return [
        {"TableName": name, **_capacity(found, kind)} | (_details(found, kind) if indexes else {})
        for name, found in tables.items()
    ]


def _details(uses: list[Use], kind: str) -> dict[str, Any]:
    details: dict[str, Any] = {"Table": _capacity([use for use in uses if not use.index], kind)}
    for use in uses:
        if use.index and use.units:
            of_index = [each for each in uses if each.index == use.index]
            everywhere = isinstance(use.table.get_index(use.index), GlobalSecondaryIndex)
            group = "GlobalSecondaryIndexes" if everywhere else "LocalSecondaryIndexes"
            details.setdefault(group, {})[use.index] = _capacity(of_index, kind)
    return details


def _capacity(uses: Iterable[Use], kind: str) -> dict[str, float]:
    units = float(sum(use.units for use in uses))
    return {"CapacityUnits": units} | ({f"{kind}CapacityUnits": units} if kind else {})


def _of_index(index: SecondaryIndex, write: Write) -> int:
    """Return the units of putting an entry, of deleting one, or of both where the keys of the index change.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
    """
    before, after = _entry(index, write.before), _entry(index, write.after)
    if before == after:
        return 0
    moved = before and after and any(before[name] != after[name] for name in index.schema_key_attrs)
    sizes = [item_size(before), item_size(after)] if moved else [max(item_size(before), item_size(after))]
    return sum(_units(size, WRITE_BYTES) for size in sizes)


def _entry(index: SecondaryIndex, item: Item | None) -> Mapping[str, DynamoType]:
    """Return what ``index`` holds of ``item``: nothing if it lacks one of its keys."""
    held = item is not None and all(name in item.attrs for name in index.schema_key_attrs)
    return index.project(item).attrs if held else {}


def _units(size: int, unit: int) -> int:
    return max(1, math.ceil(size / unit))
