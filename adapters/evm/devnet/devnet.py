"""A served node inside this process, with verbs for tests and demos."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Final, Self

from adapters.evm.devnet.served import ServedNode
from adapters.evm.devnet.server import serve_node
from adapters.evm.devnet.settings import DevnetSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.evm.devnet.node import DevnetNode

START_SECONDS = 30
STOP_SECONDS = 10


class Devnet:
    """A node served from a background thread between `start` and `stop`.

    Use it as a context manager, plain or async. Without settings it lives in memory, takes a free
    port and mines only on transactions and on demand.
    """

    def __init__(self, settings: DevnetSettings | None = None) -> None:
        self.settings: Final = settings or DevnetSettings(port=0, block_seconds=0)
        self._node: ServedNode | None = None
        self._thread: Thread | None = None
        self._url = ""
        self._stop: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    @property
    def url(self) -> str:
        """Where the node answers, such as ``http://127.0.0.1:8545``."""
        return self._url

    def start(self) -> None:
        """Open the node and return when it answers.

        Raises:
            DatabaseInUse: Another node has the database open.
            WrongChain: The database holds a chain with another id.
            OSError: The address cannot be bound.
        """
        node = ServedNode(self.settings)
        ready: Future[str] = Future()
        self._thread = Thread(
            target=lambda: asyncio.run(self._serve(node, ready)), name="devnet-http", daemon=True
        )
        self._thread.start()
        try:
            self._url = ready.result(timeout=START_SECONDS)
        except BaseException:
            self._thread.join(STOP_SECONDS)
            node.close()
            raise
        self._node = node

    def stop(self) -> None:
        """Stop answering and close the database; a stopped node may be started again."""
        if self._node is None or self._thread is None or self._stop is None:
            return
        self._stop()
        self._thread.join(STOP_SECONDS)
        self._node.close()
        self._node = self._thread = None

    def mine(self, *, blocks: int = 1) -> None:
        """Mine blocks now."""
        self._run(lambda node: node.mine(blocks=blocks))

    def reorg(self, *, depth: int) -> None:
        """Replace the newest blocks by as many empty ones; their transactions are gone.

        Raises:
            NotThatDeep: The chain has no `depth` blocks above genesis.
        """
        self._run(lambda node: node.reorg(depth=depth))

    def increase_time(self, *, seconds: int) -> None:
        """Move the clock of the next blocks forward."""
        self._run(lambda node: node.increase_time(seconds=seconds))

    def set_automine(self, *, enabled: bool) -> None:
        """Mine on every transaction, or leave them in the pool for the next block."""
        self._run(lambda node: setattr(node, "automine", enabled))

    def pause(self) -> None:
        """Stop mining at intervals; transactions are still mined as they arrive."""
        self._running().interval_mining = False

    def resume(self) -> None:
        """Mine at intervals again."""
        self._running().interval_mining = True

    def _run(self, step: Callable[[DevnetNode], object]) -> None:
        self._running().run(step)

    def _running(self) -> ServedNode:
        if self._node is None:
            raise RuntimeError("the devnet is not started")
        return self._node

    async def _serve(self, node: ServedNode, ready: Future[str]) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        try:
            await serve_node(node, stop=stop, on_ready=ready.set_result)
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)
