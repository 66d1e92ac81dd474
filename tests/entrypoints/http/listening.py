"""A real server over a gateway, and clients of its event streams that read what they like."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import attrs
import uvicorn

from config.bootstrap import ApiConsole
from entrypoints.http.app import create_app
from entrypoints.http.server import Server
from entrypoints.http.stream import PATH, Pace
from tests.builders import an_event
from tests.contracts.storage import given
from tests.entrypoints.http.gateway import Gateway, api_services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.operators.model import Operators
    from tests.entrypoints.http.gateway import Shop

QUIET = Pace(heartbeat_seconds=30, look_at_key_seconds=30, stall_seconds=30)
"""Nothing is sent, and nobody looked at, for as long as a test lasts."""
PATIENCE_SECONDS = 20.0
TOO_MANY = 429


@attrs.define(eq=False)
class Client:
    """One connection that asked for a stream."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = attrs.field(factory=dict)
    _text: bytes = b""

    async def head(self) -> Self:
        """Read the response's status and headers."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        self.status = int(lines[0].split()[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }
        return self

    async def block(self) -> dict[str, str] | None:
        """Read up to the next empty line; None at the proper end of the response."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"\n\n" not in self._text:
                size = int(await self.reader.readuntil(b"\r\n"), 16)
                chunk = await self.reader.readexactly(size + 2)
                if not size:
                    return None
                self._text += chunk[:-2]
        block, _, self._text = self._text.partition(b"\n\n")
        parts = (line.partition(": ") for line in block.decode().splitlines())
        return {name: value for name, _, value in parts}

    async def events(self, number: int) -> list[dict[str, Any]]:
        """Read a number of events; each must be told with its own number and type."""
        found: list[dict[str, Any]] = []
        while len(found) < number:
            block = await self.block()
            assert block is not None, f"the stream ended after {len(found)} events"
            if "data" in block:
                event = json.loads(block["data"])
                assert (block["id"], block["event"]) == (str(event["sequence"]), event["type"])
                found.append(event)
        return found

    async def numbers(self, number: int) -> list[int]:
        """Read a number of events; return their own numbers."""
        return [event["sequence"] for event in await self.events(number)]

    async def numbers_to_the_end(self) -> list[int]:
        """Read events until the server hangs up; return their numbers."""
        found: list[int] = []
        try:
            while True:
                found += await self.numbers(1)
        except asyncio.IncompleteReadError:
            return found

    async def ended(self) -> bool:
        """Read to the end; tell whether it was a proper one."""
        try:
            while await self.block() is not None:
                pass
        except asyncio.IncompleteReadError:
            return False
        return True

    async def hang_up(self) -> None:
        """Close the connection."""
        self.writer.close()
        await self.writer.wait_closed()


@attrs.define(eq=False)
class Listening:
    """A server of a gateway's streams."""

    gateway: Gateway
    server: Server
    port: int
    clients: list[Client] = attrs.field(factory=list)

    async def open(
        self,
        shop: Shop | None = None,
        query: str = "",
        *,
        verb: str = "GET",
        path: str = PATH,
        **headers: str,
    ) -> Client:
        """Ask for the stream of a shop (Ada's unless told otherwise), and read the head."""
        named = {
            "authorization": f"Bearer {(shop or self.gateway.ada).key}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        # What is not read soon is to hold the server up soon.
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**14)
        lines = [f"{verb} {path}?{query} HTTP/1.1", "host: api.example"]
        lines += [f"{name}: {value}" for name, value in named.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        client = Client(reader, writer)
        self.clients.append(client)
        return await client.head()

    async def open_when_there_is_room(self, query: str = "") -> Client:
        """Ask for Ada's stream until she has not too many any more."""
        for _ in range(200):
            client = await self.open(query=query)
            if client.status != TOO_MANY:
                return client
            await asyncio.sleep(0.05)
        raise TimeoutError

    async def tell(self, number: int, shop: Shop | None = None, **changes: Any) -> None:  # noqa: ANN401 (of an event)
        """Commit a number of events of a shop's, one after the other."""
        for _ in range(number):
            owner = (shop or self.gateway.ada).merchant.id
            await given(self.gateway.storage.begin, an_event(merchant_id=owner, **changes))


@asynccontextmanager
async def listening(
    gateway: Gateway,
    *,
    pace: Pace = QUIET,
    at_once: int = 16,
    operators: Operators | None = None,
) -> AsyncIterator[Listening]:
    """Serve a gateway on a port of the loopback interface, beside its own application."""
    services = api_services(gateway.services)
    # What they stand on is open already.
    services = attrs.evolve(services, resources=[], streams_at_once=at_once)
    if operators is not None:
        console = ApiConsole(operators=operators, jobs=gateway.services.jobs())
        services = attrs.evolve(services, console=console)
    app = create_app(services, pace=pace)
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=10)
    server = Server(config, fan_out=app.state.fan_out)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        running = Listening(gateway, server, port)
        yield running
        for client in running.clients:
            client.writer.close()
    finally:
        server.should_exit = True
        await task
