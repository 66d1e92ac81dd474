"""A node's bad days: an HTTP server that passes JSON-RPC on and can spoil what comes back."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


class Relay:
    """Stands between an adapter and a node; without a node it answers what it is told to.

    Verbs: `spoil(method, with_)` changes answers of a method, `answer_with` replaces the whole
    HTTP answer, `delay_seconds` holds it back, `hang_up` loses it, `refuses_batches` answers them
    with one error. `asked` lists methods, `batches` counts batches.
    """

    def __init__(self, node: str = "") -> None:
        self.node = node
        self.url = ""
        self.asked: list[str] = []
        self.delay_seconds = 0.0
        self.hang_up = False
        self.refuses_batches = False
        self.batches = 0
        self._whole: tuple[int, bytes] | None = None
        self._spoilers: dict[str, Callable[[list[Any], dict[str, Any]], dict[str, Any]]] = {}
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/", self._post)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._session.close()
        await self._runner.cleanup()

    def spoil(
        self, method: str, with_: Callable[[list[Any], dict[str, Any]], dict[str, Any]]
    ) -> None:
        """Pass a method's parameters and the node's response through a function."""
        self._spoilers[method] = with_

    def refuse(self, method: str, *, code: int, message: str) -> None:
        """Answer a method with an error."""
        self.spoil(
            method,
            lambda _, response: {
                "jsonrpc": "2.0",
                "id": response["id"],
                "error": {"code": code, "message": message},
            },
        )

    def heal(self) -> None:
        """Pass everything on as it is."""
        self._spoilers.clear()
        self._whole = None
        self.hang_up = self.refuses_batches = False
        self.delay_seconds = 0

    def answer_with(self, body: bytes, *, status: int = 200) -> None:
        """Answer every request with these bytes."""
        self._whole = (status, body)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        calls = body if isinstance(body, list) else [body]
        self.asked.extend(call["method"] for call in calls)
        await asyncio.sleep(self.delay_seconds)
        if self._whole is not None:
            return web.Response(status=self._whole[0], body=self._whole[1])
        self.batches += isinstance(body, list)
        if self.refuses_batches and isinstance(body, list):
            error = {"code": -32600, "message": "no batches here"}
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": error})
        answers = [await self._answer(call) for call in calls]
        if self.hang_up:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answers if isinstance(body, list) else answers[0])

    async def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        response: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"], "result": None}
        if self.node:
            assert self._session is not None
            async with self._session.post(self.node, json=call) as answer:
                response = await answer.json()
        spoiler = self._spoilers.get(call["method"])
        return response if spoiler is None else spoiler(call["params"], response)
