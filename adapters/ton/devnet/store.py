"""A chain in a file: SQLite, one transaction a block, on disk before anybody is told of it.

Kept is what executions brought about, not what caused them: the chain does not have to be executed
again when it is opened, and does not depend on the emulator's being the same one.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FORMAT = 1
"""Of the tables and of what blocks are made of; a file of another format is not opened."""

APPLICATION = 0x544F4E44
"""What SQLite keeps in a file to tell whose it is: "TOND"."""

_PRAGMAS = (
    # The lock lives as long as the connection and dies with the process, so that a second devnet
    # on the same file is refused and a killed one leaves nothing behind.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    # FULL also survives a power cut: what was answered stays so.
    "PRAGMA synchronous = FULL",
)
_SCHEMA = f"""
BEGIN;
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block (
    seqno INTEGER PRIMARY KEY, at INTEGER NOT NULL, start_lt INTEGER NOT NULL,
    end_lt INTEGER NOT NULL, seed BLOB NOT NULL, shard_hash BLOB NOT NULL,
    shard_digest BLOB NOT NULL, masterchain_hash BLOB NOT NULL, masterchain_digest BLOB NOT NULL
);
CREATE TABLE executed (
    lt INTEGER PRIMARY KEY, end_lt INTEGER NOT NULL, account BLOB NOT NULL, fees INTEGER NOT NULL,
    seqno INTEGER NOT NULL, shard_hash BLOB NOT NULL, bag BLOB NOT NULL
);
CREATE INDEX executed_by_block ON executed (seqno);
CREATE TABLE account (
    id BLOB NOT NULL, seqno INTEGER NOT NULL, balance TEXT NOT NULL, bag BLOB NOT NULL,
    PRIMARY KEY (id, seqno)
) WITHOUT ROWID;
CREATE INDEX account_by_block ON account (seqno);
CREATE TABLE waiting (place INTEGER PRIMARY KEY, bag BLOB NOT NULL);
CREATE TABLE library (bag BLOB PRIMARY KEY) WITHOUT ROWID;
PRAGMA user_version = {FORMAT};
PRAGMA application_id = {APPLICATION};
COMMIT;
"""
_LATEST_ACCOUNTS = """
SELECT id, max(seqno), balance, bag FROM account WHERE seqno > ? AND seqno <= ? GROUP BY id
ORDER BY id
"""
"""SQLite takes the other columns from the row that has the maximum."""

_FORGET_ACCOUNTS = """
DELETE FROM account WHERE seqno <= :seqno AND EXISTS (
    SELECT 1 FROM account AS later
    WHERE later.id = account.id AND later.seqno > account.seqno AND later.seqno <= :seqno
)
"""


class DevnetRunning(Exception):
    """Another TON devnet has this chain open."""


@attrs.frozen
class ChainUnreadable(Exception):
    """The file is no TON chain that this program can go on with: name another one, or delete it.

    Attributes:
        path: The file.
        why: What is wrong with it.
    """

    path: Path
    why: str


@attrs.frozen(kw_only=True)
class StoredBlock:
    """A block of the basechain and the block of the masterchain that it is final with.

    Attributes:
        seqno: The number of both.
        at: Unix time, seconds.
        start_lt: The basechain block's first logical time.
        end_lt: Its last one, and the masterchain block's first.
        seed: 32 bytes of chance.
        shard_hash: The basechain block's root hash.
        shard_digest: The digest of the state after it.
        masterchain_hash: The masterchain block's root hash.
        masterchain_digest: The digest of the state after that.
    """

    seqno: int
    at: int
    start_lt: int
    end_lt: int
    seed: bytes
    shard_hash: bytes
    shard_digest: bytes
    masterchain_hash: bytes
    masterchain_digest: bytes


@attrs.frozen(kw_only=True)
class StoredTransaction:
    """A transaction, the block it is in, and the bag of its cell."""

    lt: int
    end_lt: int
    account: bytes
    fees: int
    seqno: int
    shard_hash: bytes
    bag: bytes


@attrs.frozen(kw_only=True)
class StoredAccount:
    """An account after a block that changed it: nanotons, and the bag of TL-B ``ShardAccount``."""

    id: bytes
    seqno: int
    balance: int
    bag: bytes


class ChainStore:
    """One chain's file, of one thread.

    Raises:
        DevnetRunning: Another devnet has it open.
        ChainUnreadable: It holds something else, or nothing that can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._connection: Final = sqlite3.connect(path, timeout=0.5, isolation_level=None)
        try:
            with self._readable():
                self._open()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def setting(self, name: str, default: bytes) -> bytes:
        """Return what was set, or set it for good to what is given."""
        self._connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, default))
        query = "SELECT value FROM setting WHERE name = ?"
        value: bytes = self._connection.execute(query, (name,)).fetchone()[0]
        return value

    def set(self, name: str, value: bytes) -> None:
        """Set something anew."""
        self._connection.execute("REPLACE INTO setting VALUES (?, ?)", (name, value))

    def append(
        self,
        block: StoredBlock,
        *,
        executed: Sequence[StoredTransaction],
        accounts: Iterable[StoredAccount],
        waiting: Iterable[bytes],
    ) -> None:
        """Add a block with all that it changed, and set what waits for the next one."""
        run = self._connection.executemany
        with self._together():
            run(_insert("block", StoredBlock), [attrs.astuple(block)])
            run(_insert("executed", StoredTransaction), [attrs.astuple(it) for it in executed])
            rows = [(it.id, it.seqno, str(it.balance), it.bag) for it in accounts]
            run("INSERT INTO account VALUES (?, ?, ?, ?)", rows)
            self._connection.execute("DELETE FROM waiting")
            run("INSERT INTO waiting (bag) VALUES (?)", [(bag,) for bag in waiting])

    def wait(self, message: bytes) -> None:
        """Add a message that waits for the next block."""
        self._connection.execute("INSERT INTO waiting (bag) VALUES (?)", (message,))

    def publish(self, library: bytes) -> None:
        """Add a library."""
        self._connection.execute("INSERT OR IGNORE INTO library VALUES (?)", (library,))

    def forget(self, *, before: int) -> None:
        """Drop blocks before a number, and accounts as only those blocks had them.

        Transactions stay, as an account's history does; and so does the block just before, which
        the oldest one that is left names.
        """
        with self._together():
            self._connection.execute("DELETE FROM block WHERE seqno < ?", (before - 1,))
            self._connection.execute(_FORGET_ACCOUNTS, {"seqno": before})

    def blocks(self) -> list[StoredBlock]:
        """Return all blocks, oldest first, but not the one that `forget` has left for the next."""
        with self._readable():
            rows = self._connection.execute("SELECT * FROM block ORDER BY seqno").fetchall()
        found = [_block(row) for row in rows]
        return found[1:] if found and found[0].seqno > 1 else found

    def block(self, seqno: int) -> StoredBlock | None:
        """Return a block by its number."""
        query = "SELECT * FROM block WHERE seqno = ?"
        row = self._connection.execute(query, (seqno,)).fetchone()
        return _block(row) if row else None

    def executed(self, seqno: int | None = None) -> list[StoredTransaction]:
        """Return the transactions of a block, or all, in the order of logical time."""
        where, bound = ("", ()) if seqno is None else ("WHERE seqno = ?", (seqno,))
        query = f"SELECT * FROM executed {where} ORDER BY lt"  # noqa: S608 - one of two texts
        names = [each.name for each in attrs.fields(StoredTransaction)]
        with self._readable():
            rows = self._connection.execute(query, bound).fetchall()
        return [StoredTransaction(**dict(zip(names, row, strict=True))) for row in rows]

    def accounts(self, *, after: int = 0, upto: int) -> list[StoredAccount]:
        """Return the accounts that blocks changed, as the last of these left them, by their ids.

        Args:
            after: The number of the block before the first of these.
            upto: The number of the last.
        """
        with self._readable():
            rows = self._connection.execute(_LATEST_ACCOUNTS, (after, upto)).fetchall()
        return [
            StoredAccount(id=id, seqno=seqno, balance=int(balance), bag=bag)
            for id, seqno, balance, bag in rows
        ]

    def waiting(self) -> list[bytes]:
        """Return the messages that wait for the next block, in their order."""
        return [
            bag for (bag,) in self._connection.execute("SELECT bag FROM waiting ORDER BY place")
        ]

    def libraries(self) -> list[bytes]:
        """Return what was published."""
        return [bag for (bag,) in self._connection.execute("SELECT bag FROM library")]

    def _open(self) -> None:
        for statement in _PRAGMAS:
            self._connection.execute(statement)
        if not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._connection.executescript(_SCHEMA)
        owner = self._connection.execute("PRAGMA application_id").fetchone()[0]
        found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if owner != APPLICATION:
            raise ChainUnreadable(self.path, "it is a database of something else")
        if found != FORMAT:
            raise ChainUnreadable(self.path, f"its format is {found}, and not {FORMAT}")

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise DevnetRunning(self.path) from error
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise ChainUnreadable(self.path, str(error)) from error
            raise


def _insert(table: str, row: type[attrs.AttrsInstance]) -> str:
    places = ", ".join("?" * len(attrs.fields(row)))
    return f"INSERT INTO {table} VALUES ({places})"  # noqa: S608 - our own table's name


def _block(row: tuple[Any, ...]) -> StoredBlock:
    names = [each.name for each in attrs.fields(StoredBlock)]
    return StoredBlock(**dict(zip(names, row, strict=True)))
