"""Query and Scan: one page of a table or of an index."""

import copy
from collections.abc import Iterable, Iterator
from inspect import BoundArguments, signature
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from rehearsal.dynamodb.journal import Journal

Page = tuple[list[Item], int, dict[str, Any] | None]
"""The items, how many were looked at, and the key of the last of those if there may be more."""

QUERY, SCAN = signature(DynamoDBBackend.query), signature(DynamoDBBackend.scan)


class View:
    """As much of a backend as moto's Query and Scan ask for: one table, with ``items`` alone if these are given."""

    def __init__(self, table: Table, items: list[Item] | None = None) -> None:
        self._table = table
        if items is not None:
            self._table = copy.copy(table)
            self._table.all_items = lambda: items

    def get_table(self, _name: str) -> Table:
        """Return the table."""
        return self._table


def query(journal: Journal, table: Table, *arguments: Any, **options: Any) -> Page:
    """Return a page of what matches the conditions on the key; the arguments are those of moto's backend.

    moto sorts all that it sees, so it is shown what can match, not the whole table.
    """
    view = View(table, list(_candidates(table, options.get("index_name"), options.get("hash_key_conditions") or ())))
    asked = QUERY.bind(view, *arguments, **options)
    return _page(journal, table, asked, DynamoDBBackend.query, "projection_expressions")


def scan(journal: Journal, table: Table, *arguments: Any, **options: Any) -> Page:
    """Return a page of everything; the arguments are those of moto's backend."""
    asked = SCAN.bind(View(table), *arguments, **options)
    return _page(journal, table, asked, DynamoDBBackend.scan, "projection_expression")


def _page(journal: Journal, table: Table, asked: BoundArguments, operation: Any, projection: str) -> Page:
    """Filter and project after the page is known: both change what is returned, not what is read.

    A page that ends because of ``Limit`` has a last key even if nothing follows.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#DDB-Query-request-Limit
    """
    given = asked.arguments
    index, limit, paths = given.get("index_name"), given["limit"], given.get(projection)
    names, values = given.get("expr_names"), given.get("expr_values")
    expression = get_filter_expression(given.get("filter_expression"), names, values)
    given |= {"filter_expression": None, projection: None}
    items, scanned, last = operation(*asked.args, **asked.kwargs)
    journal.read(table, *items, index=index or "")
    if last is None and items and limit == scanned:
        last = table._get_last_evaluated_key(items[-1], index)
    items = [item for item in items if expression.expr(item)]
    return [item.project(paths) if paths else item for item in items], scanned, last


def _candidates(table: Table, index: str | None, conditions: Iterable[tuple[str, Any]]) -> Iterable[Item]:
    """Return the items of the partition that ``conditions`` name, in a sparse index those that have all of its keys.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
    """
    wanted = {name: DynamoType(value) for name, value in conditions}
    if index is None and set(wanted) == {table.hash_key_attr}:
        found = table.items.get(wanted[table.hash_key_attr])
        return (found.values() if table.has_range_key else [found]) if found else ()
    keys = table.get_index(index).schema_key_attrs if index in {each.name for each in table.all_indexes()} else ()
    return (
        item
        for item in everything(table)
        if all(name in item.attrs for name in keys) and all(item.attrs.get(name) == wanted[name] for name in wanted)
    )


def everything(table: Table) -> Iterator[Item]:
    """Yield all items, in no order."""
    for partition in table.items.values():
        yield from partition.values() if table.has_range_key else [partition]
