"""The server: uvicorn, told to end the streams before it waits for what is under way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket

    from starlette.types import ASGIApp

    from entrypoints.http.fan_out import FanOut

GRACEFUL_SECONDS = 20
"""How long requests under way are waited for at the end."""
FAILED_TO_START = 3
"""The exit status that uvicorn's own command has for it."""


class Server(uvicorn.Server):
    """A server of an application with streams, which would otherwise never be done."""

    def __init__(self, config: uvicorn.Config, *, fan_out: FanOut) -> None:
        super().__init__(config)
        self._fan_out = fan_out

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all streams, wait for requests under way, and stop."""
        self._fan_out.close()
        await super().shutdown(sockets)


def serve(app: ASGIApp, *, fan_out: FanOut, host: str, port: int) -> None:
    """Serve an application until a signal comes."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        server_header=False,
        # Who calls is found out with the settings' word for which proxies to trust.
        proxy_headers=False,
    )
    server = Server(config, fan_out=fan_out)
    server.run()
    if not server.started:
        sys.exit(FAILED_TO_START)
