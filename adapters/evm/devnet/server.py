"""Serve a node over HTTP until told to stop."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

from adapters.evm.devnet.http import application
from adapters.evm.devnet.served import ServedNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

    from adapters.evm.devnet.settings import DevnetSettings

SHUTDOWN_SECONDS = 3


async def serve(
    settings: DevnetSettings, *, stop: asyncio.Event, on_ready: Callable[[str], None]
) -> None:
    """Open a node and serve it; return once `stop` is set and everything is closed.

    Args:
        settings: The node's options.
        stop: Ends the node. Signals are the caller's: let its handlers set this.
        on_ready: Called with the node's URL when it answers.

    Raises:
        DatabaseInUse: Another node has the database open.
        WrongChain: The database holds a chain with another id.
        OSError: The address cannot be bound.
    """
    node = await asyncio.to_thread(ServedNode, settings)
    try:
        await serve_node(node, stop=stop, on_ready=on_ready)
    finally:
        await asyncio.to_thread(node.close)


async def serve_node(
    node: ServedNode, *, stop: asyncio.Event, on_ready: Callable[[str], None]
) -> None:
    """Serve a node that the caller opened and closes; see `serve`."""
    host = node.settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, node.settings.port), family=family) as listener:
        # asyncio turns Nagle's algorithm off only for sockets made with an explicit protocol; with
        # it, every answer waits 40 ms for the client's delayed acknowledgment. Accepted sockets
        # inherit this.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = listener.getsockname()[1]
        server = _Server(application(node.settings, answer=node.answer))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            mining = tasks.create_task(node.mine_at_intervals())
            await server.listening.wait()
            on_ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
            await stop.wait()
            mining.cancel()
            server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn that says when it listens and leaves signals to its caller."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                access_log=False,
                lifespan="off",
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                ws="none",
            )
        )
        self.listening: Final = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
