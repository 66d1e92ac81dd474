"""A signer's socket, served by a thread of the test's own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from adapters.signer_process.client import SignerAddress
from adapters.signer_process.server import SignerServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from adapters.signer_process.messages import Question
    from adapters.signer_process.server import Desk


@contextmanager
def serving(
    desk: Desk, sign: Callable[[Question, str], bytes], *, timeout_seconds: float = 5.0
) -> Iterator[SignerAddress]:
    """Serve while the block runs; give where to ask."""
    started = threading.Event()
    places: list[Path | int] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with SignerServer(desk, sign).listening() as place:
            places.append(place)
            started.set()
            await stop.wait()
            # Who has only just been accepted has no task yet that could be waited for.
            await asyncio.sleep(0.01)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(5)
        yield SignerAddress(place=places[0], secret=desk.secret, timeout_seconds=timeout_seconds)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()
