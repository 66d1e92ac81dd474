"""The signer's journal: SQLite, one writer, nothing in it ever changed.

What is told of each order is chained by hashes (each line's over the one before and the line), so
that a line that was changed or taken out shows, as long as somebody knows the last hash.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import attrs

from adapters.system.secret_files import FILE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

GENESIS: Final = bytes(32)
"""What the first line's hash is over, in place of the hash before it."""

_PRAGMAS: Final = (
    # Whoever reads it meanwhile is in nobody's way.
    "PRAGMA journal_mode = WAL",
    # FULL survives a power cut too: no signature is out that the journal does not have.
    "PRAGMA synchronous = FULL",
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS signed (
    request BLOB PRIMARY KEY, signed BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slot (
    key TEXT, day TEXT, slot TEXT, what TEXT, amount TEXT NOT NULL,
    PRIMARY KEY (key, day, slot, what)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    key TEXT, day TEXT, what TEXT, amount TEXT NOT NULL, PRIMARY KEY (key, day, what)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS line (
    number INTEGER PRIMARY KEY, told TEXT NOT NULL, hash BLOB NOT NULL
);
CREATE TRIGGER IF NOT EXISTS line_stays BEFORE UPDATE ON line
    BEGIN SELECT raise(ABORT, 'a line is never changed'); END;
CREATE TRIGGER IF NOT EXISTS line_is_kept BEFORE DELETE ON line
    BEGIN SELECT raise(ABORT, 'a line is never deleted'); END;
CREATE TRIGGER IF NOT EXISTS signed_stays BEFORE UPDATE ON signed
    BEGIN SELECT raise(ABORT, 'a signature is never changed'); END;
"""


@attrs.frozen
class JournalRefused(Exception):
    """The signer's journal cannot be used: another signer has it, or it was changed."""

    path: Path
    why: str


@attrs.frozen
class Line:
    """What was told of an order."""

    number: int
    told: Mapping[str, object]
    hash: bytes


class SqliteSigningJournal:
    """Remembers in a file of mode 0600; implements `ports.signing.SigningJournal`."""

    def __init__(self, path: Path) -> None:
        """Open the journal, or begin one.

        Raises:
            JournalRefused: another process has it open, it is open to others, or it is no journal.
        """
        self._path: Final = path
        path.touch(mode=FILE_MODE)
        if path.stat().st_mode & 0o077:
            raise JournalRefused(path, "others may read it")
        self._lock: Final = sqlite3.connect(f"{path}.lock", timeout=0.5, isolation_level=None)
        self._connection: Final = sqlite3.connect(path, timeout=0.5, isolation_level=None)
        try:
            # It lives as long as the connection and dies with the process: two signers would
            # each know only half of what was spent.
            self._lock.execute("BEGIN EXCLUSIVE")
            for pragma in _PRAGMAS:
                self._connection.execute(pragma)
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self.close()
            raise JournalRefused(path, str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file free for another process."""
        self._connection.close()
        self._lock.close()

    def signed(self, request: bytes) -> bytes | None:
        """Return what was signed for a request."""
        row = self._connection.execute(
            "SELECT signed FROM signed WHERE request = ?", (request,)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def spent(
        self, key: str, *, day: str, slot: str, totals: Mapping[str, int]
    ) -> Mapping[str, int]:
        """Return what a day comes to with a transaction of a slot."""
        return {
            what: self._spent(key, day, what) + self._more(key, day, slot, what, amount)
            for what, amount in totals.items()
        }

    def record_signed(
        self,
        key: str,
        *,
        request: bytes,
        signed: bytes,
        day: str,
        slot: str,
        totals: Mapping[str, int],
        told: Mapping[str, object],
        at: datetime,
    ) -> None:
        """Keep what was signed, what it spends, and what is told of it."""
        with self._writing():
            self._connection.execute("INSERT INTO signed VALUES (?, ?)", (request, signed))
            for what, amount in totals.items():
                self._add(key, day, slot, what, amount)
            self._append(told, at)

    def record(self, told: Mapping[str, object], *, at: datetime) -> None:
        """Keep what is told."""
        with self._writing():
            self._append(told, at)

    def _more(self, key: str, day: str, slot: str, what: str, amount: int) -> int:
        """Return by how much an amount is over the largest of its slot."""
        row = self._connection.execute(
            "SELECT amount FROM slot WHERE key = ? AND day = ? AND slot = ? AND what = ?",
            (key, day, slot, what),
        ).fetchone()
        return max(0, amount - (0 if row is None else int(row[0])))

    def _spent(self, key: str, day: str, what: str) -> int:
        row = self._connection.execute(
            "SELECT amount FROM spent WHERE key = ? AND day = ? AND what = ?", (key, day, what)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def _add(self, key: str, day: str, slot: str, what: str, amount: int) -> None:
        more = self._more(key, day, slot, what, amount)
        if not more:
            return
        # As text: SQLite's whole numbers have 64 bits, and a coin has 18 decimals.
        self._connection.execute(
            "INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?)",
            (key, day, slot, what, str(amount)),
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO spent VALUES (?, ?, ?, ?)",
            (key, day, what, str(self._spent(key, day, what) + more)),
        )

    def _append(self, told: Mapping[str, object], at: datetime) -> None:
        text = json.dumps({"at": at.isoformat(), **told}, separators=(",", ":"))
        row = self._connection.execute(
            "SELECT number, hash FROM line ORDER BY number DESC LIMIT 1"
        ).fetchone()
        number, before = (0, GENESIS) if row is None else (row[0], bytes(row[1]))
        self._connection.execute(
            "INSERT INTO line VALUES (?, ?, ?)", (number + 1, text, _hash(before, text))
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def lines(path: Path) -> Iterator[Line]:
    """Return all lines of a journal from the first on, also while a signer writes more.

    Raises:
        JournalRefused: it is none, a line was changed, or one is missing.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reading:
            before = GENESIS
            rows = reading.execute("SELECT number, told, hash FROM line ORDER BY number")
            for number, (at, told, hash) in enumerate(rows, start=1):
                before = _hash(before, told)
                if at != number or before != bytes(hash):
                    raise JournalRefused(path, f"line {number} was changed or taken out")
                yield Line(number, json.loads(told), before)
    except sqlite3.DatabaseError as error:
        raise JournalRefused(path, str(error)) from error


def _hash(before: bytes, text: str) -> bytes:
    return hashlib.sha256(before + text.encode()).digest()
