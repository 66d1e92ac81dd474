"""A liteserver: on a shared chain, with a port, a key and troubles of its own."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import attrs

from adapters.ton.devnet.account_answers import AccountAnswers
from adapters.ton.devnet.adnl import ServerKey, serve_client
from adapters.ton.devnet.block_answers import BlockAnswers
from adapters.ton.devnet.view import View
from adapters.ton.devnet.wire import MALFORMED, QueryRefused, Reader, tl_error, tl_id

if TYPE_CHECKING:
    from asyncio import Server, StreamReader, StreamWriter, Task

    from pytoniq_core import Cell

    from adapters.ton.devnet.chain import Chain

HOST = "127.0.0.1"
TIMEOUT = 652
"""The code for a wait that was in vain (``ErrorCode::timeout``)."""


def _announced(faults: Faults, _: object, value: Any) -> Any:  # noqa: ANN401 - any fault's
    """Tell the server that a fault is about to be set; it looks when it is its turn."""
    faults.changed()
    return value


@attrs.define(kw_only=True, on_setattr=_announced)
class Faults:
    """What is wrong with a liteserver at the moment; nothing at first.

    Attributes:
        changed: Called when a fault is set.
        frozen: It takes connections and queries and answers nothing, not even pings. What is
            asked meanwhile is never answered.
        blocks_behind: So many of the newest masterchain blocks it has not seen yet.
        delay_seconds: It answers so much later.
        waits_refused: It answers a wait for a block by error 652 at once.
        messages_to_lose: So many external messages it will accept and never pass on, with all
            copies of them that come before the next block: pytoniq's balancer sends four.
    """

    changed: Callable[[], object]
    frozen: bool = False
    blocks_behind: int = 0
    delay_seconds: float = 0
    waits_refused: bool = False
    messages_to_lose: int = 0


class Liteserver:
    """One liteserver on loopback.

    Args:
        chain: What it answers about.
        key_seed: Of the key by which clients know it, 32 bytes.
        port: The TCP port to listen on; 0 takes a free one.

    Attributes:
        faults: What is wrong with it; set them as you like.
    """

    def __init__(self, chain: Chain, *, key_seed: bytes, port: int = 0) -> None:
        self.faults: Final = Faults(changed=self.notice)
        self._view: Final = View(chain, blocks_behind=lambda: self.faults.blocks_behind)
        self._key: Final = ServerKey(key_seed)
        answers = {
            **BlockAnswers(self._view).methods(),
            **AccountAnswers(self._view, lose=self._lose).methods(),
        }
        self._methods: Final[dict[bytes, Callable[[Reader], bytes]]] = {
            tl_id(f"liteServer.{name}"): method for name, method in answers.items()
        }
        self._lost: Final[dict[bytes, int]] = {}
        self._wanted_port: Final = port
        self._mined = asyncio.Event()
        self._server: Server | None = None
        self._clients: Final[dict[Task[None], StreamWriter]] = {}

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: Another program listens on the port.
        """
        self._server = await asyncio.start_server(self._serve, HOST, self._wanted_port)

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for writer in self._clients.values():
            writer.transport.abort()
        await asyncio.gather(*self._clients, return_exceptions=True)

    @property
    def port(self) -> int:
        """The TCP port.

        Raises:
            RuntimeError: It is not started.
        """
        if self._server is None:
            raise RuntimeError("the liteserver is not started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def entry(self) -> dict[str, Any]:
        """Return the entry under ``liteservers`` in a global configuration."""
        key = base64.b64encode(self._key.public).decode()
        address = int.from_bytes(bytes(int(part) for part in HOST.split(".")), "big", signed=True)
        return {"ip": address, "port": self.port, "id": {"@type": "pub.ed25519", "key": key}}

    def notice(self) -> None:
        """Look again who waits for a block: there is a new one, or a fault has been set."""
        self._mined.set()
        self._mined = asyncio.Event()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._clients[task] = writer
            task.add_done_callback(self._clients.pop)
        await serve_client(
            reader=reader,
            writer=writer,
            key=self._key,
            respond=self._respond,
            silent=lambda: self.faults.frozen,
        )

    async def _respond(self, query: bytes) -> bytes | None:
        if self.faults.delay_seconds:
            await asyncio.sleep(self.faults.delay_seconds)
        if self.faults.frozen:
            return None
        try:
            answer = await self._answered(Reader(query))
        except QueryRefused as refused:
            answer = tl_error(refused)
        return None if self.faults.frozen else answer

    async def _answered(self, query: Reader) -> bytes:
        method = query.take(4)
        if method == tl_id("liteServer.waitMasterchainSeqno"):
            await self._wait(seqno=query.int32(), timeout_seconds=query.int32() / 1000)
            method = query.take(4)
        answer = self._methods.get(method)
        if answer is None:
            raise QueryRefused(code=MALFORMED, reason="unknown query")
        return answer(query)

    async def _wait(self, *, seqno: int, timeout_seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not self.faults.waits_refused:
                    if self._view.head.id.seqno >= seqno:
                        return
                    await self._mined.wait()
        raise QueryRefused(code=TIMEOUT, reason="timeout")

    def _lose(self, message: Cell) -> bool:
        seqno = self._view.chain.head.id.seqno
        if self._lost.get(message.hash) == seqno:
            return True
        if self.faults.messages_to_lose == 0:
            return False
        self.faults.messages_to_lose -= 1
        self._lost[message.hash] = seqno
        return True
