"""Primary keys: what identifies an item in moto's tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.exceptions import InvalidAttributeTypeError, MockValidationException, ProvidedKeyDoesNotExist
from moto.dynamodb.models import Table
from moto.dynamodb.models.dynamo_type import DynamoType, Item


@dataclass(frozen=True)
class Key:
    """An item's primary key; ``sort`` is None in a table without a sort key."""

    partition: DynamoType
    sort: DynamoType | None


def key_in(table: Table, item: Mapping[str, Any]) -> Key:
    """Return the primary key within ``item``; raises moto's errors when it is incomplete or of the wrong type."""
    for name in table.table_key_attrs:
        if name not in item:
            message = f"One or more parameter values were invalid: Missing the key {name} in the item"
            raise MockValidationException(message)
    key = _key(table, item)
    for name, value, expected in _typed(table, key):
        if value.type != expected:
            raise InvalidAttributeTypeError(name, expected, value.type)
    return key


def key_given(table: Table, names: Mapping[str, Any]) -> Key:
    """Return the primary key that a request names; raises ``ProvidedKeyDoesNotExist`` unless it is the table's exactly.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
    """
    if set(names) != set(table.table_key_attrs):
        raise ProvidedKeyDoesNotExist
    key = _key(table, names)
    if any(value.type != expected for _, value, expected in _typed(table, key)):
        raise ProvidedKeyDoesNotExist
    return key


def find(table: Table, key: Key) -> Item | None:
    """Return the item with ``key``; unlike moto's own look-up, this leaves nothing behind when there is none."""
    found = table.items.get(key.partition)
    return found if key.sort is None else (found or {}).get(key.sort)


def place(table: Table, key: Key, item: Item | None) -> None:
    """Make ``item`` the one with ``key``; None leaves none."""
    items, last = (table.items, key.partition) if key.sort is None else (table.items[key.partition], key.sort)
    if item is None:
        items.pop(last, None)
    else:
        items[last] = item


def _key(table: Table, values: Mapping[str, Any]) -> Key:
    sort = values[table.range_key_attr] if table.range_key_attr else None
    return Key(DynamoType(values[table.hash_key_attr]), DynamoType(sort) if sort else None)


def _typed(table: Table, key: Key) -> list[tuple[str, DynamoType, str]]:
    partition = (table.hash_key_attr, key.partition, table.hash_key_type)
    return [partition] if key.sort is None else [partition, (table.range_key_attr, key.sort, table.range_key_type)]
