"""The key-value store under the chain: SQLite, written once per step of the node."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from eth.db.backends.base import BaseDB

if TYPE_CHECKING:
    from pathlib import Path

CACHED_VALUES = 50_000
"""Entries kept in memory; trie nodes are 32 to 532 bytes, so this is some 20 MB at worst."""

_SCHEMA = "CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID"
_PRAGMAS = (
    # The lock lives as long as the connection and dies with the process, so that a second node
    # on the same file is refused and a killed one leaves nothing behind.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    # FULL also survives a power cut: a transaction that was answered stays mined.
    "PRAGMA synchronous = FULL",
)


class DatabaseInUse(Exception):
    """Another node has the database open."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another node has {path} open")
        self.path = path


class SqliteStore(BaseDB):
    """Keys and values of py-evm, staged in memory until `commit` writes them at once.

    py-evm writes trie nodes, headers and look-up keys one by one. Staging them makes the whole
    block one SQLite transaction: after a kill the file holds blocks, never parts of one.
    """

    def __init__(self, path: Path | None) -> None:
        self._staged: dict[bytes, bytes | None] = {}
        self._cached: dict[bytes, bytes] = {}
        self._connection: Final = sqlite3.connect(path or ":memory:", timeout=0.5)
        try:
            for statement in (*_PRAGMAS, _SCHEMA):
                self._connection.execute(statement)
            self._connection.commit()
        except sqlite3.OperationalError as error:
            self._connection.close()
            if path is not None and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise DatabaseInUse(path) from error
            raise

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._staged:
            value = self._staged[key]
        else:
            value = self._cached.get(key) or self._read(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._staged[key] = value

    def __delitem__(self, key: bytes) -> None:
        self[key]  # py-evm expects a KeyError for a key that is not there.
        self._staged[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def commit(self) -> None:
        """Write everything staged since the last commit in one transaction, durably."""
        if not self._staged:
            return
        with self._connection:
            self._connection.executemany(
                "INSERT INTO entry VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [item for item in self._staged.items() if item[1] is not None],
            )
            self._connection.executemany(
                "DELETE FROM entry WHERE key = ?",
                [(key,) for key, value in self._staged.items() if value is None],
            )
        for key in self._staged:
            self._cached.pop(key, None)
        self._staged.clear()

    def rollback(self) -> None:
        """Forget everything staged since the last commit."""
        self._staged.clear()

    def close(self) -> None:
        """Close the file, without what was not committed."""
        self._connection.close()

    def _read(self, key: bytes) -> bytes | None:
        row = self._connection.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        value: bytes = row[0]
        if len(self._cached) >= CACHED_VALUES:
            self._cached.clear()
        self._cached[key] = value
        return value
