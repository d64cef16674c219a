"""What one request writes and reads: enough to take it back, and to say what it costs."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from moto.dynamodb.models import Table
from moto.dynamodb.models.dynamo_type import Item

from rehearsal.dynamodb.keys import Key, find, place
from rehearsal.dynamodb.sizes import item_size


@dataclass(frozen=True)
class Write:
    """What happened to one item (None stands for no item), after so many records of the table's stream."""

    table: Table
    key: Key
    before: Item | None
    after: Item | None
    records: int


@dataclass(frozen=True)
class Read:
    """How many bytes of a table were looked at, or of the index that is named."""

    table: Table
    index: str
    size: int


@dataclass
class Journal:
    """The writes and reads of one request, in their order."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    @contextmanager
    def writing(self, table: Table, key: Key) -> Iterator[None]:
        """Record what the block does to one item; when it raises, it has done nothing."""
        before, records = find(table, key), _records(table)
        if before is not None:
            place(table, key, copy.deepcopy(before))  # moto updates items where they are.
        try:
            yield
        except BaseException:
            _restore(Write(table, key, before, None, records))
            raise
        self.writes.append(Write(table, key, before, find(table, key), records))

    def checked(self, table: Table, key: Key) -> None:
        """Record a condition check: nothing is written, yet it costs what a write does."""
        item = find(table, key)
        self.writes.append(Write(table, key, item, item, _records(table)))

    def read(self, table: Table, *items: Item | None, index: str = "") -> None:
        """Record what was read at once."""
        self.reads.append(Read(table, index, sum(item_size(item.attrs) for item in items if item is not None)))

    def undo(self) -> None:
        """Take back every write, the latest first."""
        while self.writes:
            _restore(self.writes.pop())


def _restore(write: Write) -> None:
    place(write.table, write.key, write.before)
    if write.table.stream_shard is not None:
        del write.table.stream_shard.items[write.records :]


def _records(table: Table) -> int:
    return len(table.stream_shard.items) if table.stream_shard is not None else 0
