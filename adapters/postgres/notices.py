"""Waking runners by LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import attrs
import psycopg
from psycopg import AsyncConnection, sql

from adapters.postgres.failures import in_port_terms
from adapters.postgres.jobs import CHANNEL

if TYPE_CHECKING:
    from types import TracebackType

_CONNECT_SECONDS = 5


@attrs.define(eq=False, kw_only=True)
class PostgresJobNotices:
    """See ``ports.jobs.JobNotices``. It listens on a connection of its own, inside ``async with``.

    Notices are a convenience: while the server is away, waiting lasts as long as it was asked to,
    and runners find their jobs by looking.
    """

    dsn: str = attrs.field(repr=False)
    _connection: AsyncConnection[Any] | None = attrs.field(default=None, init=False)

    async def __aenter__(self) -> Self:
        """Begin to listen; what is enqueued from here on ends the next wait.

        Raises:
            StorageUnavailable: the server does not answer.
        """
        try:
            await self._connect()
        except psycopg.Error as error:
            raise in_port_terms(error) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening."""
        await self._disconnect()

    async def wait(self, *, seconds: float) -> None:
        """Return soon after a job was enqueued, or after the time given at the latest."""
        clock = asyncio.get_running_loop()
        deadline = clock.time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._listen(deadline - clock.time())
        except TimeoutError:
            return
        except psycopg.Error:
            await self._disconnect()
            await asyncio.sleep(max(deadline - clock.time(), 0))

    async def _listen(self, seconds: float) -> None:
        connection = self._connection or await self._connect()
        async for _ in connection.notifies(timeout=seconds, stop_after=1):
            pass

    async def _connect(self) -> AsyncConnection[Any]:
        connection = await AsyncConnection.connect(
            self.dsn, autocommit=True, connect_timeout=_CONNECT_SECONDS
        )
        try:
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        return connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
