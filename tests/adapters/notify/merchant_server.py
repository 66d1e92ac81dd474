"""A merchant's server on this machine, which answers as it is told, down to the last byte."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import attrs

from ports.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_END_OF_HEAD: Final = b"\r\n\r\n"


@attrs.frozen
class Arrived:
    """One request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes


@attrs.define
class MerchantServer:
    """Implements `tests.contracts.publisher.Receiver`."""

    publisher: Publisher
    url: str = ""
    port: int = 0
    arrived: list[Arrived] = attrs.field(factory=list)
    _reply: bytes | None = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    def answer(self, status: int, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode() + _END_OF_HEAD + body)

    def send(self, reply: bytes) -> None:
        """Answer with these bytes, whatever they are, and hang up."""
        self._reply = reply

    def fall_silent(self) -> None:
        self._reply = None

    def bodies(self) -> list[bytes]:
        return [request.body for request in self.arrived]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(_END_OF_HEAD)).decode().split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            self.arrived.append(Arrived(head[0].split(" ")[1], headers, body))
            if self._reply is None:
                await reader.read()  # Until the other side hangs up.
            else:
                writer.write(self._reply)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def listening(publisher: Publisher) -> AsyncIterator[MerchantServer]:
    """Listen on a free port."""
    merchant = MerchantServer(publisher)
    async with await asyncio.start_server(merchant.take, "127.0.0.1", 0) as server:
        merchant.port = server.sockets[0].getsockname()[1]
        merchant.url = f"http://127.0.0.1:{merchant.port}/hooks?shop=1"
        yield merchant
