"""A node on a thread of its own, shared by HTTP, the interval and in-process callers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.evm.devnet.controls import ControlMethods
from adapters.evm.devnet.node import DevnetNode
from adapters.evm.devnet.protocol import Dispatcher
from adapters.evm.devnet.reads import EthereumMethods
from adapters.evm.devnet.unlocked import UnlockedMethods

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.evm.devnet.settings import DevnetSettings

_Result = TypeVar("_Result")


class ServedNode:
    """A node whose calls run one after the other, wherever they come from.

    py-evm is single-threaded and bound by the processor, and SQLite's connection belongs to the
    thread that made it: one worker thread serves both.
    """

    def __init__(self, settings: DevnetSettings) -> None:
        """Open the node.

        Raises:
            DatabaseInUse: Another node has its database open.
            WrongChain: The database holds a chain with another id.
        """
        self.settings: Final = settings
        self.interval_mining = True
        self._thread: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devnet")
        try:
            self._node: Final = self._thread.submit(DevnetNode, settings).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self._dispatcher: Final = Dispatcher(
            EthereumMethods(self._node).table()
            | UnlockedMethods(self._node).table()
            | ControlMethods(self._node).table()
        )

    def run(self, step: Callable[[DevnetNode], _Result]) -> _Result:
        """Run something on the node's thread and wait for it."""
        return self._thread.submit(step, self._node).result()

    async def answer(self, body: bytes) -> bytes | None:
        """Answer one JSON-RPC body."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._dispatcher.answer, body)

    async def mine_at_intervals(self) -> None:
        """Mine a block every `block_seconds` while interval mining is on, until canceled."""
        loop = asyncio.get_running_loop()
        while self.settings.block_seconds:
            await asyncio.sleep(self.settings.block_seconds)
            if self.interval_mining:
                await loop.run_in_executor(self._thread, self._node.mine)

    def close(self) -> None:
        """Let the running call end, then close the database."""
        self._thread.submit(self._node.close).result()
        self._thread.shutdown()
