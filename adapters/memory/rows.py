"""What repositories do with rows that have an identity: add once, find, lock, save."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Hashable

    from adapters.memory.tables import Table
    from adapters.memory.turn import Turn

_Key = TypeVar("_Key", bound="Hashable")
_Row = TypeVar("_Row")


def add(turn: Turn, kind: str, table: Table[_Key, _Row], key: _Key, row: _Row) -> None:
    """Store a new row; it counts as locked by the unit of work that adds it.

    Raises:
        AlreadyExists: there is one with this key.
    """
    if key in table:
        turn.refuse(AlreadyExists(kind, str(key)))
    table.put(key, row)
    turn.lock(kind, str(key))


def save(turn: Turn, kind: str, table: Table[_Key, _Row], key: _Key, row: _Row) -> None:
    """Store a row that was locked, as it is now.

    Raises:
        NotLocked: it was not locked in this unit of work.
    """
    turn.must_hold(kind, str(key))
    table.put(key, row)


def find(kind: str, table: Table[_Key, _Row], key: _Key) -> _Row:
    """Return the row of a key.

    Raises:
        NotFound: there is none.
    """
    row = table.get(key)
    if row is None:
        raise NotFound(kind, str(key))
    return row


def lock(turn: Turn, kind: str, table: Table[_Key, _Row], key: _Key) -> _Row:
    """Return the row of a key, to be saved later.

    Raises:
        NotFound: there is none.
    """
    row = find(kind, table, key)
    turn.lock(kind, str(key))
    return row
