"""Merchants' servers: one port where posts are taken and answered, or taken and never answered.

It runs in a process of its own: ``python -m tests.benchmarks.sink PORT``. What is sent to a path
that begins with ``/dead`` gets no answer.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Server(asyncio.Protocol):
    """One connection: posts of any length, answered one after the other."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written to."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each post that is complete."""
        assert self._transport is not None
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            head, start = bytes(self._received[:end]).lower(), end + len(_HEAD_END)
            length = 0
            if (named := head.find(_LENGTH)) >= 0:
                length = int(head[named + len(_LENGTH) :].split(b"\r\n", 1)[0])
            if len(self._received) < start + length:
                return
            del self._received[: start + length]
            if not head.startswith(b"post /dead"):
                self._transport.write(_ANSWER)
                self.answered(head)

    def answered(self, head: bytes) -> None:
        """Note nothing; who listens in the same process may."""


async def serve(port: int) -> None:
    """Listen until the process ends."""
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
