"""How large an item is, and what that limits."""

import base64
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from moto.dynamodb.models import table
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

ITEM_LIMIT = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items"""

PAGE_LIMIT = 1024 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html"""

TRANSACTION_LIMIT = 4 * 1024 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""

CONTAINER_BYTES, ELEMENT_BYTES = 3, 1


def item_size(attributes: Mapping[str, DynamoType]) -> int:
    """Return the size of an item in bytes: the names of its attributes and their values.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + value_size(value) for name, value in attributes.items())


def value_size(value: DynamoType) -> int:
    """Return the size of a value in bytes, without the name it goes by."""
    return SIZES[value.type](value.value)


def _list(values: list[DynamoType]) -> int:
    return CONTAINER_BYTES + sum(ELEMENT_BYTES + value_size(value) for value in values)


def _map(values: Mapping[str, DynamoType]) -> int:
    return CONTAINER_BYTES + len(values) * ELEMENT_BYTES + item_size(values)


def _number(text: str) -> int:
    """A byte for every two significant digits, and one more; zeros at either end do not count."""
    digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
    return (len(digits) + 1) // 2 + 1


def _string(text: str) -> int:
    return len(text.encode())


def _binary(value: bytes | str) -> int:
    return len(value if isinstance(value, bytes) else base64.b64decode(value))


SIZES: dict[str, Callable[[Any], int]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "L": _list,
    "M": _map,
    "SS": lambda values: sum(map(_string, values)),
    "NS": lambda values: sum(map(_number, values)),
    "BS": lambda values: sum(map(_binary, values)),
}


def measure_as_dynamodb() -> None:
    """Let moto's items and pages of this process be measured as above; items are checked when they are written."""
    Item.size = lambda item: item_size(item.attrs)
    LimitedSizeDict.__setitem__ = dict.__setitem__
    table.RESULT_SIZE_LIMIT = PAGE_LIMIT
    # moto keeps every copy of every item that it ever made.
    Item.instances_tracked = deque(maxlen=0)
    table.Table.instances_tracked = deque(maxlen=0)
