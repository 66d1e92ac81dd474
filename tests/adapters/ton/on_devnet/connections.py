"""What stands before a liteserver: it passes bytes on, and can keep a connection in the past."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

    from adapters.ton.devnet.devnet import TonDevnet
    from adapters.ton.devnet.liteserver import Liteserver

CHUNK = 64 * 1024
HANGING_UP_SECONDS = 2


class Balanced:
    """A liteserver behind a balancer of connections, one of whose backends may have stopped.

    Who is connected stays with that backend: it answers, and has seen nothing since. A new
    connection is given one that has seen all. `connected` counts connections, `open` those that
    are left.
    """

    def __init__(self, devnet: TonDevnet, place: int = 0) -> None:
        self.connected = 0
        self._devnet = devnet
        self._liteserver: Liteserver = devnet.liteservers[place]
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        if self._clients:
            # They end by themselves once their clients have hung up.
            await asyncio.wait(self._clients, timeout=HANGING_UP_SECONDS)
        for each in self._clients:
            each.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    @property
    def open(self) -> int:
        return len(self._clients)

    def config(self) -> dict[str, Any]:
        """Return a global configuration with this liteserver alone."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return self._devnet.config() | {"liteservers": [self._liteserver.entry() | {"port": port}]}

    def mine_unseen(self, blocks: int) -> None:
        """Mine blocks that who is connected now will not be told of."""
        self._liteserver.faults.blocks_behind += blocks
        self._devnet.mine(blocks=blocks)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        self.connected += 1
        self._liteserver.faults.blocks_behind = 0
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._liteserver.port)
        try:
            await asyncio.gather(_pass_on(reader, to_writer), _pass_on(to_reader, writer))
        finally:
            writer.transport.abort()
            to_writer.transport.abort()
            self._clients.discard(task)


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
