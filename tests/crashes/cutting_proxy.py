"""A proxy between the product and PostgreSQL that cuts a connection in the middle of a commit.

It reads the messages of the wire protocol (PostgreSQL documentation, "Message Formats"): a byte of
type and a length, after a first message of the client that has a length alone. A commit is asked
for by ``COMMIT`` in a Query or a Parse, and answered by a CommandComplete of that name.
"""

from __future__ import annotations

import asyncio
import enum
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs
from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_TYPED, _LENGTH = 5, 4
_ASKS = (b"Q", b"P")
_COMMIT = b"COMMIT\0"
_WRITES = re.compile(rb"\b(insert into|update|delete from)\b", re.IGNORECASE)
_IDLE = b"Z\0\0\0\5I"
_DONE = b"C" + (_LENGTH + len(_COMMIT)).to_bytes(_LENGTH) + _COMMIT


class Cut(enum.StrEnum):
    """Where a connection is cut."""

    BEFORE = "before the server is asked"
    AFTER = "after the server has committed"
    HALF = "in the middle of its answer"


@attrs.define
class CuttingProxy:
    """Listens on a Unix socket in ``directory`` and passes everything on, but for what it cuts."""

    directory: Path
    upstream: str
    """The URL of the database."""
    _cut: Cut | None = None
    _spared: int = 0
    _idle: bool = True
    _lone: bool = False
    _server: asyncio.Server | None = None

    @property
    def dsn(self) -> str:
        """The database as it is reached through here."""
        return make_conninfo(self.upstream, host=str(self.directory), port=_port(self.upstream))

    def cut(self, where: Cut, *, commit: int) -> None:
        """Cut the connection that comes to a commit, the first one (1) from now or a later one."""
        self._cut, self._spared = where, commit - 1

    @property
    def has_cut(self) -> bool:
        """Tell whether there was such a commit, and it was cut."""
        return self._cut is None

    async def __aenter__(self) -> Self:
        path = self.directory / f".s.PGSQL.{_port(self.upstream)}"
        self._server = await asyncio.start_unix_server(self._pass_on, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        server_reader, server_writer = await self._connect()
        writers = (writer, server_writer)
        first = await reader.readexactly(_LENGTH)
        server_writer.write(first + await reader.readexactly(int.from_bytes(first) - _LENGTH))
        pumps = (
            asyncio.create_task(self._ask(reader, server_writer)),
            asyncio.create_task(self._answer(server_reader, writer)),
        )
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for each in writers:
            each.close()
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for each in writers:
            with suppress(OSError):
                await each.wait_closed()

    async def _ask(self, reader: StreamReader, server: StreamWriter) -> None:
        """Pass the client's messages on until one is to be cut."""
        while True:
            message = await _read(reader)
            if message[:1] in _ASKS:
                self._lone = self._idle and _WRITES.search(message) is not None
                if (self._lone or _COMMIT in message) and self._is_due(Cut.BEFORE):
                    return
            server.write(message)
            await server.drain()

    async def _answer(self, reader: StreamReader, client: StreamWriter) -> None:
        """Pass the server's messages on until one is to be cut."""
        while True:
            message = await _read(reader)
            where = self._cut
            if message[:1] == b"Z":
                self._idle = message == _IDLE
            done = message == _DONE or (self._lone and message[:1] == _DONE[:1])
            if done and self._is_due(Cut.AFTER, Cut.HALF):
                client.write(message[: len(message) // 2] if where is Cut.HALF else b"")
                return
            client.write(message)
            await client.drain()

    def _is_due(self, *places: Cut) -> bool:
        if self._cut not in places:
            return False
        self._spared -= 1
        if self._spared >= 0:
            return False
        self._cut = None
        return True

    async def _connect(self) -> tuple[StreamReader, StreamWriter]:
        told = conninfo_to_dict(self.upstream)
        host, port = str(told["host"]), _port(self.upstream)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)


async def _read(reader: StreamReader) -> bytes:
    head = await reader.readexactly(_TYPED)
    return head + await reader.readexactly(int.from_bytes(head[1:]) - _LENGTH)


def _port(dsn: str) -> int:
    return int(conninfo_to_dict(dsn).get("port") or 5432)
