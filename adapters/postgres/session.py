"""One database transaction: reads go out at once, writes wait and go out together.

The connection commits by itself, and BEGIN is sent only before a statement that needs the rest of
its transaction: one that locks, or a write with something to follow. At READ COMMITTED a plain
read sees no more for being inside one, and a lone last write is a transaction by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from adapters.postgres.failures import in_port_terms
from adapters.postgres.statements import Statement, combined
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WAITING_MAX = 8
"""How many writes are sent in one statement at most: what a server plans in no time."""

SHOW = b"select set_config('switchyard.merchant', $1, false)"
"""Tells the server whose rows it may show on a connection (see the migration 0020)."""

Row: TypeAlias = dict[str, Any]
Write: TypeAlias = "tuple[Statement, Mapping[str, object]]"


def _nothing() -> None:
    return None


class Connection(AsyncConnection[Row]):
    """A connection that knows what the server was told on it."""

    shown: str | None = None
    """Whose rows it may show; None where that is not certain.

    What it was told in a transaction is taken back with the transaction.
    """


@attrs.define(eq=False)
class Session:
    """A connection inside a transaction, and the writes that have not been sent yet."""

    connection: Connection
    shown: str | None = None
    """Whose rows may be seen here, which the server is told; None where it need not be."""
    _cursor: psycopg.AsyncCursor[Row] = attrs.field(init=False)
    _waiting: list[Statement] = attrs.field(factory=list, init=False)
    _parameters: list[object] = attrs.field(factory=list, init=False)
    _touched: set[Hashable] = attrs.field(factory=set, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)
    _committing: bool = attrs.field(default=False, init=False)
    has_written: bool = attrs.field(default=False, init=False)
    """Whether anything was, or is to be."""
    written: list[Hashable] = attrs.field(factory=list, init=False)
    """The rows that writes have named."""
    last: Callable[[], Write | None] = attrs.field(default=_nothing, init=False)
    """Gives the write that is to be the last before the commit; the event log sets it."""

    def __attrs_post_init__(self) -> None:
        self._cursor = self.connection.cursor()

    @property
    def undone(self) -> bool:
        """Tell whether nothing of this can have been written, now that it is over.

        Where the server did not answer a commit, nobody knows.
        """
        refused = self._failure is not None and not isinstance(self._failure, StorageUnavailable)
        return refused or not self._committing

    async def rows(self, statement: Statement, **parameters: object) -> list[Row]:
        """Carry a statement out, after all writes that wait, and return its rows."""
        await self._read(statement, parameters)
        return await self._cursor.fetchall()

    async def row(self, statement: Statement, **parameters: object) -> Row | None:
        """Carry a statement out, after all writes that wait, and return its first row."""
        await self._read(statement, parameters)
        return await self._cursor.fetchone()

    async def write(
        self, statement: Statement, parameters: Mapping[str, object], *touched: Hashable
    ) -> None:
        """Let a write wait for the next read or the commit.

        ``touched`` names the rows it writes. A row is written once in a statement, so what waits
        is sent first where it has written one of them already.
        """
        if len(self._waiting) >= WAITING_MAX or not self._touched.isdisjoint(touched):
            await self.flush()
        self._touched.update(touched)
        self.written += touched
        self.append(statement, parameters)

    def append(self, statement: Statement, parameters: Mapping[str, object]) -> None:
        """Let the write of a row that nobody else can write wait, however many do already."""
        self.has_written = True
        self._waiting.append(statement)
        self._parameters += statement.arrange(parameters)

    async def flush(self) -> None:
        """Send the writes that wait, as one statement of a transaction that goes on."""
        if self._waiting:
            await self._begin()
            await self._send_waiting()

    async def _read(self, statement: Statement, parameters: Mapping[str, object]) -> None:
        await self.flush()
        if statement.needs_transaction:
            await self._begin()
        self.has_written |= statement.changes
        arranged = statement.arrange(parameters)
        await self._execute(statement.text, arranged, planned_anew=statement.planned_anew)

    async def _begin(self) -> None:
        if not self._in_transaction:
            await self._execute("BEGIN", ())

    @property
    def _in_transaction(self) -> bool:
        return self.connection.info.transaction_status is not TransactionStatus.IDLE

    async def _send_waiting(self) -> None:
        text, parameters = combined(tuple(self._waiting)), self._parameters
        self._waiting, self._parameters = [], []
        self._touched.clear()
        await self._execute(text, parameters)

    async def commit(self) -> None:
        """Send the writes that wait, and make everything durable.

        Where there is a last write, it and the commit go out in one round trip: what it locks, a
        merchant's counter of events, is free again without waiting for this process to hear of
        it. Elsewhere two round trips cost less, as measured.

        What may wait for others goes before the last write, in a statement of its own: PostgreSQL
        promises no order within one, and whoever held the counter while it waits for a balance
        could be waited for by the balance's holder.

        Once a statement has failed there is nothing left to commit, whoever has caught the error:
        it is raised again. PostgreSQL itself would undo all and call that success.
        """
        if self._failure is not None:
            raise self._failure
        self._committing = True
        last = self.last()
        apart = last is not None and any(it.meets_others for it in self._waiting)
        if last is not None and not apart:
            await self.write(*last)
        try:
            if not self._in_transaction and not apart:
                if self._waiting:
                    await self._send_waiting()
            elif last is None:
                await self.flush()
                await self.connection.commit()
            else:
                async with self.connection.pipeline():
                    if apart:
                        await self.flush()
                        await self.write(*last)
                    await self._send_waiting()
                    await self.connection.commit()
        except psycopg.Error as error:
            self.connection.shown = None
            self._failure = in_port_terms(error)
            raise self._failure from error

    async def _execute(
        self, text: str, parameters: Sequence[object], *, planned_anew: bool = False
    ) -> None:
        # psycopg prepares what comes often, and the server keeps a plan for what is prepared.
        prepare = False if planned_anew else None
        try:
            if self.shown in {None, self.connection.shown}:
                # The text is one of this package's own statements, known only at run time.
                await self._cursor.execute(text.encode(), parameters, prepare=prepare)
            else:
                await self._show_and_execute(text, parameters, prepare=prepare)
        except psycopg.Error as error:
            self._failure = in_port_terms(error)
            raise self._failure from error

    async def _show_and_execute(
        self, text: str, parameters: Sequence[object], *, prepare: bool | None
    ) -> None:
        """Tell the server whose rows it may show, and carry a statement out, in one round trip."""
        self.connection.shown = None
        async with self.connection.pipeline():
            # By another cursor, because this one's rows are the statement's.
            await self.connection.execute(SHOW, (self.shown,))
            await self._cursor.execute(text.encode(), parameters, prepare=prepare)
        self.connection.shown = self.shown
