"""Event streams: how soon after its commit an event is with a thousand clients of one process.

The clients run in a process of their own: ``python -m tests.benchmarks.streams '{"port": …}'``
says ``ready`` when all have their streams, and at the end prints what came when.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

import attrs
import uvloop

from config.demo.running import write_settings
from domain.fees.model import FeeSchedule
from domain.shared.events import Event
from domain.shared.ids import MerchantId
from tests.benchmarks.load import percentile_ms
from tests.benchmarks.processes import cpu_seconds, free_port, serving
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import operating, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import Bench, World

CLIENTS, QUICK_CLIENTS = 1000, 200
MERCHANTS = 50
PAUSE_SECONDS = 0.25
"""Between two events: a thousand copies of each are sent."""
LIMIT_SECONDS = 60.0
_EVENT = re.compile(rb"^id: (\d+)\nevent: ", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Order:
    """Which streams to open: so many with each key, until each has had a number of events."""

    port: int
    keys: list[str]
    with_each: int
    events: int


@attrs.frozen
class Merchants:
    """Who has events, and the keys of their streams."""

    ids: list[MerchantId]
    keys: list[str]


def measure(bench: Bench) -> Iterator[Figure]:
    """Tell all clients of one merchant, then as many of many merchants."""
    clients = QUICK_CLIENTS if bench.quick else CLIENTS
    events = max(8, int(bench.seconds / PAUSE_SECONDS) * 6)
    with bench.world() as world, _api(world) as (port, pid):
        merchants = run(_merchants(world))
        for number, name in ((1, "one merchant"), (MERCHANTS, f"{MERCHANTS} merchants")):
            chosen = Merchants(merchants.ids[:number], merchants.keys[:number])
            order = Order(port=port, keys=chosen.keys, with_each=clients // number, events=events)
            delays, probes, spent = _measured(world, order, chosen, pid)
            for percent in (50, 99):
                yield Figure(
                    name=f"streams/commit to client p{percent} ({clients} of {name})",
                    value=percentile_ms(delays, percent),
                    unit="ms",
                    reference=percentile_ms(probes, percent),
                    against="the same event by a query of its own, right after the commit",
                    cpu_seconds=spent,
                )
            yield Figure(
                name=f"streams/CPU of an event with a client ({clients} of {name})",
                value=spent / len(delays) * 1_000_000,
                unit="us",
                cpu_seconds=spent,
            )


@contextmanager
def _api(world: World) -> Iterator[tuple[int, int]]:
    """Run the API as ``switchyard serve`` does; yield its port and process id."""
    port = free_port()
    settings = world.settings(port=port)
    limits = cast("dict[str, object]", settings["limits"])
    settings = {**settings, "limits": {**limits, "streams": CLIENTS}}
    file = write_settings(settings, world.directory.root / "streams.toml")
    command = ("entrypoints.cli.main", "serve", f"--settings={file}", "--stop-with-parent")
    with serving(*command, port=port, log=world.directory.logs / "streams.log") as pid:
        yield port, pid


async def _merchants(world: World) -> Merchants:
    made = Merchants([], [])
    async with operating(world) as services:
        for n in range(MERCHANTS):
            merchant = await services.merchants.register(name=f"Shop {n}", fees=FeeSchedule(0))
            made.ids.append(merchant.id)
            made.keys.append(await services.merchants.issue_key(merchant_id=merchant.id))
    return made


def _measured(
    world: World, order: Order, merchants: Merchants, pid: int
) -> tuple[list[float], list[float], float]:
    """Return how many seconds after its commit each event was with each client, and with a query.

    The last is what the API has spent meanwhile, in seconds; opening the streams is not counted.
    """
    child = subprocess.Popen(  # noqa: S603 (this module and our own interpreter; no shell)
        [sys.executable, "-m", __spec__.name, json.dumps(attrs.asdict(order))],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        expect("word of the clients", expected="ready\n", found=child.stdout.readline())
        before = cpu_seconds(pid)
        committed, probes = run(_commit(world, order, merchants))
        arrived = json.loads(child.communicate(timeout=LIMIT_SECONDS)[0])
        spent = cpu_seconds(pid) - before
    finally:
        child.kill()
        child.wait()
    expected = order.events * order.with_each * len(order.keys)
    expect("events that came, each once", expected=expected, found=len(arrived))
    return [at - committed[number, nth] for number, nth, at in arrived], probes, spent


async def _commit(
    world: World, order: Order, merchants: Merchants
) -> tuple[dict[tuple[int, int], float], list[float]]:
    """Commit an event of every merchant's again and again; return when, and how long a look takes.

    The merchants' events are spread evenly over the pause.
    """
    committed: dict[tuple[int, int], float] = {}
    probes: list[float] = []
    async with operating(world) as services:
        for nth in range(order.events):
            for number, owner in enumerate(merchants.ids):
                event = Event(
                    type="payment_intent.created",
                    merchant_id=owner,
                    object_id="pi_1",
                    occurred_at=services.clock.now(),
                    data={"id": "pi_1", "description": "x" * 500},
                )
                async with services.books.begin() as work:
                    await work.events.record(event)
                    await work.commit()
                committed[number, nth] = began = time.perf_counter()
                await services.webhooks.feed(owner=owner, after=nth, limit=1)
                probes.append(time.perf_counter() - began)
                await asyncio.sleep(PAUSE_SECONDS / len(merchants.ids))
    return committed, probes


class _Client(asyncio.Protocol):
    """One stream; it notes which event came when."""

    def __init__(self, order: Order, number: int, arrived: list[tuple[int, int, float]]) -> None:
        self._order, self._number, self._arrived = order, number, arrived
        self._events = 0
        self._text = b""
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        key = self._order.keys[self._number]
        # uvloop's transports are of no class of asyncio's.
        cast("asyncio.WriteTransport", transport).write(
            b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Authorization: Bearer " + key.encode() + b"\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        if not self.open.done():
            self._text += data
            if b"\n\n" in self._text:
                self.open.set_result(None)
            return
        for _ in _EVENT.findall(data):
            self._arrived.append((self._number, self._events, time.perf_counter()))
            self._events += 1
        if self._events >= self._order.events and not self.done.done():
            self.done.set_result(None)


async def listen(order: Order) -> list[tuple[int, int, float]]:
    """Open the streams, say so, and return which event of which key came when."""
    arrived: list[tuple[int, int, float]] = []
    clients: list[_Client] = []
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT_SECONDS):
        for number in range(len(order.keys)):
            for _ in range(order.with_each):
                make = partial(_Client, order, number, arrived)
                _, client = await loop.create_connection(make, "127.0.0.1", order.port)
                clients.append(client)
                await client.open
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.gather(*(client.done for client in clients))
    return arrived


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(listen(Order(**json.loads(sys.argv[1]))))
    sys.stdout.write(json.dumps(told))
