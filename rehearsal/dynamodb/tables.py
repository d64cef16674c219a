"""moto's tables as the handler of one request sees them: all goes through a journal, and by AWS's rules."""

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge, ItemSizeToUpdateTooLarge, MockValidationException
from moto.dynamodb.models import DynamoDBBackend, Table
from moto.dynamodb.models.dynamo_type import Item

from rehearsal.dynamodb import pages
from rehearsal.dynamodb.journal import Journal
from rehearsal.dynamodb.keys import find, key_given, key_in
from rehearsal.dynamodb.sizes import ITEM_LIMIT, item_size
from rehearsal.dynamodb.transactions import transact


class Tables:
    """The backend of one account and region; whatever is not here is moto's own."""

    def __init__(self, backend: DynamoDBBackend) -> None:
        self._backend = backend
        self.journal = Journal()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def get_item(
        self, table_name: str, keys: Mapping[str, Any], projection_expressions: list[list[str]] | None = None
    ) -> Item | None:
        """Return one item; of a whole item, the key counts."""
        table = self.get_table(table_name)
        item = find(table, key_given(table, {name: keys[name] for name in table.table_key_attrs if name in keys}))
        self.journal.read(table, item)
        return item.project(projection_expressions) if item and projection_expressions else item

    def put_item(self, table_name: str, item_attrs: Mapping[str, Any], *more: Any, **options: Any) -> Item:
        """Put an item."""
        table = self.get_table(table_name)
        with self.journal.writing(table, key_in(table, item_attrs)):
            item = self._backend.put_item(table_name, item_attrs, *more, **options)
            _check(table, item, ItemSizeTooLarge)
        return item

    def update_item(self, table_name: str, key: Mapping[str, Any], *more: Any, **options: Any) -> Item:
        """Update an item."""
        table = self.get_table(table_name)
        with self.journal.writing(table, key_given(table, key)):
            item = self._backend.update_item(table_name, key, *more, **options)
            _check(table, item, ItemSizeToUpdateTooLarge)
        return item

    def delete_item(self, table_name: str, key: Mapping[str, Any], *more: Any, **options: Any) -> Item | None:
        """Delete an item."""
        table = self.get_table(table_name)
        with self.journal.writing(table, key_given(table, key)):
            return self._backend.delete_item(table_name, key, *more, **options)

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """Do all of it or nothing."""
        transact(self, transact_items)

    def query(self, table_name: str, *arguments: Any, **options: Any) -> pages.Page:
        """Return a page of a query."""
        return pages.query(self.journal, self.get_table(table_name), table_name, *arguments, **options)

    def scan(self, table_name: str, *arguments: Any, **options: Any) -> pages.Page:
        """Return a page of a scan."""
        return pages.scan(self.journal, self.get_table(table_name), table_name, *arguments, **options)


def _check(table: Table, item: Item, too_large: type[Exception]) -> None:
    """Refuse an item that is too large, or that no index could hold.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items
    """
    if item_size(item.attrs) > ITEM_LIMIT:
        raise too_large
    types = {each["AttributeName"]: each["AttributeType"] for each in table.attr}
    for index in table.all_indexes():
        for name in index.schema_key_attrs:
            if name in item.attrs and item.attrs[name].type != types[name]:
                raise MockValidationException(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                    f"Expected: {types[name]} Actual: {item.attrs[name].type} IndexName: {index.name}"
                )
