"""The devnet in a thread of its own, for a program that has no event loop or a busy one."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from adapters.ton.devnet.devnet import TonDevnet

if TYPE_CHECKING:
    from collections.abc import Callable

START_SECONDS = 30
STOP_SECONDS = 10
CALL_SECONDS = 60

Result = TypeVar("Result")


class ThreadedTonDevnet:
    """A devnet that is served from a background thread between `start` and `stop`.

    Args:
        make: Makes the devnet, in that thread.
    """

    def __init__(self, make: Callable[[], TonDevnet] = TonDevnet) -> None:
        self._make: Final = make
        self._thread: Thread | None = None
        self._running: tuple[TonDevnet, asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the liteservers listen.

        Raises:
            EmulatorMissing: There is no TVM for this interpreter and machine.
        """
        ready: Future[None] = Future()
        self._thread = Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="ton-devnet", daemon=True
        )
        self._thread.start()
        ready.result(timeout=START_SECONDS)

    def stop(self) -> None:
        """Hang up on clients and forget the chain."""
        if self._thread is None or self._running is None:
            return
        _, loop, stopping = self._running
        loop.call_soon_threadsafe(stopping.set)
        self._thread.join(STOP_SECONDS)
        self._thread = self._running = None

    def config(self) -> dict[str, Any]:
        """Return the global configuration that names the liteservers."""
        return self.call(lambda devnet: devnet.config())

    def call(self, step: Callable[[TonDevnet], Result]) -> Result:
        """Run a step with the devnet in its thread and return what it returns.

        Raises:
            RuntimeError: The devnet is not started.
        """
        if self._running is None:
            raise RuntimeError("the devnet is not started")
        devnet, loop, _ = self._running

        async def run() -> Result:
            return step(devnet)

        return asyncio.run_coroutine_threadsafe(run(), loop).result(timeout=CALL_SECONDS)

    async def _serve(self, ready: Future[None]) -> None:
        stopping = asyncio.Event()
        try:
            async with self._make() as devnet:
                self._running = devnet, asyncio.get_running_loop(), stopping
                ready.set_result(None)
                await stopping.wait()
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)
