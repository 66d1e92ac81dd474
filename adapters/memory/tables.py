"""Tables of rows by key, with groups to find rows by, and a journal to undo changes with."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")
Row = TypeVar("Row")


class Journal:
    """What was there before each change that can still be undone, oldest first."""

    def __init__(self) -> None:
        self._changes: list[tuple[Table[Any, Any], Any, Any]] = []

    def note(self, table: Table[Key, Row], key: Key, before: Row | None) -> None:
        """Keep what a table held under a key."""
        self._changes.append((table, key, before))

    def changes(self) -> Iterator[tuple[Table[Any, Any], Any, Any]]:
        """Return each change that can be undone: the table, the key, and the row before it."""
        return iter([*self._changes])

    def forget(self) -> None:
        """Let the changes stand."""
        self._changes.clear()

    def mark(self) -> int:
        """Return a place to undo to."""
        return len(self._changes)

    def undo(self, *, to: int = 0) -> None:
        """Take all changes since a mark back, the newest first."""
        while len(self._changes) > to:
            table, key, before = self._changes.pop()
            table.restore(key, before)


class Table(Generic[Key, Row]):
    """Rows by key, in the order in which their keys came in.

    Each group is named and computes a value of a row (None: the row is in no group), so that
    rows can be found by that value without a look at the others.
    """

    def __init__(self, journal: Journal, **groups: Callable[[Row], Hashable]) -> None:
        self._journal = journal
        self._rows: dict[Key, Row] = {}
        self._values = groups
        self._members: dict[tuple[str, Hashable], dict[Key, None]] = defaultdict(dict)

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Row]:
        return iter([*self._rows.values()])

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Row | None:
        """Return the row of a key, or None."""
        return self._rows.get(key)

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Return all keys and their rows."""
        return iter([*self._rows.items()])

    def put(self, key: Key, row: Row) -> None:
        """Store a row in place of what was there."""
        self._journal.note(self, key, self._rows.get(key))
        self.restore(key, row)

    def remove(self, key: Key) -> None:
        """Drop the row of a key."""
        self._journal.note(self, key, self._rows[key])
        self.restore(key, None)

    def where(self, **group: Hashable) -> list[Row]:
        """Return the rows of one group: ``table.where(owner="mer_1")``."""
        [member] = group.items()
        return [self._rows[key] for key in self._members.get(member, ())]

    def restore(self, key: Key, row: Row | None) -> None:
        """Store a row, or none, without a way back: only a journal has a reason to."""
        before = self._rows.get(key)
        if before is not None:
            self._leave(key, before)
        if row is None:
            self._rows.pop(key, None)
            return
        self._rows[key] = row
        for name, value in self._groups_of(row):
            self._members[name, value][key] = None

    def _leave(self, key: Key, row: Row) -> None:
        for member in self._groups_of(row):
            members = self._members[member]
            del members[key]
            if not members:
                del self._members[member]

    def _groups_of(self, row: Row) -> Iterator[tuple[str, Hashable]]:
        for name, value_of in self._values.items():
            value = value_of(row)
            if value is not None:
                yield name, value
