"""Webhooks out: how many one worker delivers, and what dead servers do to those that answer."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from adapters.notify.webhooks import WebhookPublisher
from config.bootstrap import worker
from config.settings import Worker as WorkerSettings
from config.settings import structure
from domain.fees.model import FeeSchedule
from domain.shared.events import Event
from domain.shared.kinds import Queue
from domain.webhooks.dispatching import EACH_MAX
from entrypoints.worker.main import Worker
from tests.benchmarks.load import percentile_ms
from tests.benchmarks.processes import cpu_seconds, free_port, serving
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.sink import Server
from tests.benchmarks.world import operating, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from config.bootstrap import OperatorServices
    from domain.shared.ids import MerchantId
    from tests.benchmarks.world import Bench, World

ENDPOINTS = 16
EVENTS, QUICK_EVENTS = 1500, 250
"""Each goes to every endpoint."""
DEAD, WAITING = 50, 40
"""How many servers never answer, and how many deliveries wait for each of them."""
SINGLE, QUICK_SINGLE = 300, 60
PAUSE_SECONDS = 0.02
PATIENT_SECONDS, TIMEOUT_SECONDS = 30.0, 2.0
"""How long servers are waited for; among dead ones shortly, so that they are tried often."""
SELDOM = 86_400.0
"""Between two runs of what the worker does by itself, which is not measured here."""
LIMIT_SECONDS = 120.0
LOOK_SECONDS = 0.25
BATCH = 250
SECRET = "whsec_bWFkZSB1cCBmb3IgYmVuY2htYXJrcyBvbmx5ISE="
MESSAGE = b'{"data":{"text":"%s"},"object":"event","sequence":1}' % (b"x" * 540)
WAIT = "select count(*) from webhook_delivery where state = 'pending'"
NOTED = "select count(*) from webhook_delivery where state = 'delivered' and tries <> '[]'"


@attrs.frozen
class Measured:
    """Deliveries and posts per second; delays are in seconds."""

    delivered: float
    cpu_seconds: float
    bare: float
    alone: list[float]
    among_dead: list[float]


def measure(bench: Bench) -> Iterator[Figure]:
    """Deliver what waits, signed and noted; then single events, alone and among dead servers."""
    port = free_port()
    with (
        bench.world() as world,
        serving("tests.benchmarks.sink", str(port), port=port, log=world.directory.root / "sink"),
    ):
        measured = run(_measured(world, bench, f"http://127.0.0.1:{port}"))
    yield Figure(
        name="webhooks/delivered",
        value=measured.delivered,
        unit="deliveries/s",
        reference=measured.bare,
        against="the same posts, signed, by the same client, nothing claimed and nothing noted",
        cpu_seconds=measured.cpu_seconds,
    )
    for percent in (50, 99):
        yield Figure(
            name=f"webhooks/event to server among {DEAD} dead p{percent}",
            value=percentile_ms(measured.among_dead, percent),
            unit="ms",
            reference=percentile_ms(measured.alone, percent),
            against="the same with nobody dead",
        )


async def _measured(world: World, bench: Bench, sink: str) -> Measured:
    events = QUICK_EVENTS if bench.quick else EVENTS
    single = QUICK_SINGLE if bench.quick else SINGLE
    count = events * ENDPOINTS
    async with operating(world) as services, _arrivals() as arrivals:
        bare = await _bare(sink, count=count)
        busy = await _merchant(services, [f"{sink}/{number}" for number in range(ENDPOINTS)])
        await _happen(services, busy, events)
        spent = _spent(world)
        with _working(world, timeout_seconds=PATIENT_SECONDS):
            delivered = await _rate(world, count)
            spent = _spent(world) - spent
        with _working(world, timeout_seconds=TIMEOUT_SECONDS):
            single_one = await _merchant(services, [arrivals.url])
            alone = await _delays(services, single_one, arrivals, single)
            dead = await _merchant(services, [f"{sink}/dead/{number}" for number in range(DEAD)])
            await _happen(services, dead, WAITING)
            among_dead = await _delays(services, single_one, arrivals, single)
    return Measured(delivered, spent, bare, alone, among_dead)


@contextmanager
def _working(world: World, *, timeout_seconds: float) -> Iterator[None]:
    """Run the worker on a thread, for webhooks alone."""
    told = world.settings(signs=True)
    webhooks = {"allow_private_addresses": True, "timeout_seconds": timeout_seconds}
    services = worker(structure({**told, "webhooks": webhooks}))
    paces = {field.name for field in attrs.fields(WorkerSettings) if "_every_" in field.name}
    seldom = dict.fromkeys(paces - {"deliver_every_seconds"}, SELDOM)
    settings = WorkerSettings(queues=(Queue.WEBHOOKS,), **seldom)  # type: ignore[arg-type]  # Seconds.
    running = Worker(services, settings)
    thread = threading.Thread(target=running.run, name="worker")
    thread.start()
    try:
        yield
    finally:
        running.stop()
        thread.join()


async def _merchant(services: OperatorServices, urls: list[str]) -> MerchantId:
    """Take on a merchant who has these servers told of everything."""
    merchant = await services.merchants.register(name="Bench", fees=FeeSchedule(250))
    for url in urls:
        await services.webhooks.register(owner=merchant.id, url=url)
    return merchant.id


async def _happen(services: OperatorServices, owner: MerchantId, count: int) -> None:
    """Let events happen that are as large as a payment intent's, and hand them over."""
    for first in range(0, count, BATCH):
        async with services.webhooks.begin() as work:
            await work.events.record(
                *(
                    Event(
                        type="payment_intent.created",
                        merchant_id=owner,
                        object_id=f"pi_{number}",
                        occurred_at=datetime.now(UTC),
                        data={"text": "x" * 400},
                    )
                    for number in range(first, min(first + BATCH, count))
                )
            )
            await work.commit()
    while await services.webhooks.hand_over():
        pass


async def _rate(world: World, count: int) -> float:
    """Return how many deliveries a second were noted, once the first was."""
    began, before, waiting = 0.0, count, count
    deadline = time.monotonic() + LIMIT_SECONDS
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
        waiting = await asyncio.to_thread(world.count, WAIT)
        if waiting < count and not began:
            began, before = time.perf_counter(), waiting
    took = time.perf_counter() - began
    expect("noted", expected=count, found=world.count(NOTED))
    return before / took


async def _bare(url: str, *, count: int) -> float:
    """Post and note nothing, as many at a time as a worker may; return posts per second."""
    left, at = iter(range(count)), datetime.now(UTC)

    async def post(publisher: WebhookPublisher) -> None:
        for number in left:
            tried = await publisher.post(
                url=url, secret=SECRET, message_id=f"evt_{number}", at=at, body=MESSAGE
            )
            expect("status", expected=200, found=tried.status)

    async with WebhookPublisher(
        timeout_seconds=PATIENT_SECONDS, allow_private_addresses=True
    ) as publisher:
        began = time.perf_counter()
        await asyncio.gather(*(post(publisher) for _ in range(EACH_MAX * ENDPOINTS)))
        return count / (time.perf_counter() - began)


@attrs.define
class Arrivals:
    """A server in this process, which knows when something has arrived."""

    url: str
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)


@asynccontextmanager
async def _arrivals() -> AsyncIterator[Arrivals]:
    port = free_port()
    arrivals = Arrivals(f"http://127.0.0.1:{port}/alone")

    class Noting(Server):
        def answered(self, head: bytes) -> None:
            del head
            arrivals.arrived.set()

    loop = asyncio.get_running_loop()
    async with await loop.create_server(Noting, "127.0.0.1", port):
        yield arrivals


async def _delays(
    services: OperatorServices, owner: MerchantId, arrivals: Arrivals, count: int
) -> list[float]:
    """Let one event happen after the other; return how soon after the commit each arrived."""
    delays = []
    for _ in range(count):
        await asyncio.sleep(PAUSE_SECONDS)
        arrivals.arrived.clear()
        began = time.perf_counter()
        await _happen(services, owner, 1)
        async with asyncio.timeout(LIMIT_SECONDS):
            await arrivals.arrived.wait()
        delays.append(time.perf_counter() - began)
    return delays


def _spent(world: World) -> float:
    """Return the CPU seconds of this process, in which the worker is, and of PostgreSQL."""
    return time.process_time() + cpu_seconds(world.postmaster())
