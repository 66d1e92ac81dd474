"""The node's face: POST / for JSON-RPC, GET / for the curious."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from adapters.evm.devnet.settings import DevnetSettings

MAX_BODY_BYTES = 4 * 1024 * 1024
_JSON = "application/json"


def application(
    settings: DevnetSettings, *, answer: Callable[[bytes], Awaitable[bytes | None]]
) -> Starlette:
    """Return the HTTP application.

    Args:
        settings: The node's options.
        answer: Turns a JSON-RPC body into the answer's, None when there is nothing to answer.
    """

    async def post(request: Request) -> Response:
        body = await _limited_body(request)
        if body is None:
            return PlainTextResponse("request entity too large", status_code=413)
        content = await answer(body)
        if content is None:
            return Response(status_code=204)
        return Response(content, media_type=_JSON)

    async def about(_: Request) -> Response:
        return PlainTextResponse(
            f"Switchyard devnet, chain {settings.chain_id}: an EVM for development whose keys"
            " are public.\nPOST JSON-RPC to this address.\n"
        )

    return Starlette(
        routes=[
            Route("/", post, methods=["POST"]),
            Route("/", about, methods=["GET"]),
        ],
        middleware=[
            # Wallets call from pages of any origin, and there is nothing here to steal. A page
            # that reaches the node under a name of its own has rebound it, and is no wallet's.
            Middleware(TrustedHostMiddleware, allowed_hosts=list(settings.allowed_hosts)),
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                allow_private_network=True,
            ),
        ],
    )


async def _limited_body(request: Request) -> bytes | None:
    """Read the body, or stop reading and return None once it is too large."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
