"""Tables of rows by key, with groups to find rows by, and a journal to undo changes with."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

Key = TypeVar("Key", bound="Hashable")
Row = TypeVar("Row")


class Journal:
    """What was there before each change that can still be undone, oldest first."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def note(self, undo: Callable[[], None]) -> None:
        """Keep the way back from a change."""
        self._undo.append(undo)

    def forget(self) -> None:
        """Let the changes stand."""
        self._undo.clear()

    def mark(self) -> int:
        """Return a place to undo to."""
        return len(self._undo)

    def undo(self, *, to: int = 0) -> None:
        """Take all changes since a mark back, the newest first."""
        while len(self._undo) > to:
            self._undo.pop()()


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
        before = self._rows.get(key)
        self._journal.note(lambda: self._set(key, before))
        self._set(key, row)

    def remove(self, key: Key) -> None:
        """Drop the row of a key."""
        before = self._rows[key]
        self._journal.note(lambda: self._set(key, before))
        self._set(key, None)

    def where(self, **group: Hashable) -> list[Row]:
        """Return the rows of one group: ``table.where(owner="mer_1")``."""
        [member] = group.items()
        return [self._rows[key] for key in self._members.get(member, ())]

    def _set(self, key: Key, row: Row | None) -> None:
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
