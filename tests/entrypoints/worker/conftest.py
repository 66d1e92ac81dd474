from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from dramatiq.asyncio import get_event_loop_thread

from adapters.memory.clock import FakeClock
from config.bootstrap import worker
from config.settings import Worker as WorkerSettings
from config.settings import structure
from domain.webhooks.model import Try
from domain.webhooks.service import WebhookService
from entrypoints.worker.main import Worker
from ports.unit_of_work import StorageUnavailable
from tests.builders import MERCHANT, a_delivery, a_merchant, an_endpoint, an_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from datetime import datetime

    from config.bootstrap import WorkerServices
    from config.deployments.testing import ClosableStorage
    from domain.shared.ids import DeliveryId
    from domain.shared.jobs import Job
    from domain.webhooks.model import Delivery
    from ports.unit_of_work import UnitOfWork

PATIENCE_SECONDS = 10
SETTINGS = {
    "deployment": "testing",
    "database": {"url": "in memory"},
    "http": {"cursor_key": "c" * 32},
    "keys": {"xpub": "xpub of a test"},
    "assets": [{"id": "iso4217:USD", "symbol": "USD", "decimals": 2}],
    "chains": [],
    "rates": [],
}


class Gate:
    """A publisher whose posts wait at a gate; it stands open until it is shut."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.under_way = threading.Semaphore(0)
        self._open = threading.Event()
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def post(
        self,
        *,
        url: str,
        secret: str,
        message_id: str,
        at: datetime,
        body: bytes,
        former_secret: str | None = None,
        hex_signature: bool = False,
    ) -> Try:
        del url, secret, body, former_secret, hex_signature
        self.under_way.release()
        await asyncio.to_thread(self._open.wait, PATIENCE_SECONDS)
        self.posted.append(message_id)
        return Try(at=at, status=200, detail="")


@attrs.frozen
class Gated(WebhookService):
    """Deliveries by name, none of which is stored: jobs that wait at the gate."""

    async def deliver(self, *, delivery_id: DeliveryId) -> Delivery:
        await self.publisher.post(
            url="", secret="", message_id=delivery_id, at=self.clock.now(), body=b""
        )
        return a_delivery(delivery_id)


class Outage:
    """A storage that is away while told to be."""

    def __init__(self, services: WorkerServices) -> None:
        self._begin = services.begin
        self.away = threading.Event()
        self.refused = threading.Semaphore(0)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        if self.away.is_set():
            self.refused.release()
            raise StorageUnavailable("away")
        async with self._begin() as work:
            yield work


@attrs.define
class RunningWorker:
    """A worker in a thread of its own, and what the test sees of it."""

    worker: Worker
    clock: FakeClock
    gate: Gate
    outage: Outage
    thread: threading.Thread
    failure: list[BaseException]

    def ask(self, question: Callable[[UnitOfWork], Coroutine[Any, Any, Any]]) -> Any:  # noqa: ANN401 (of any type)
        """Do something in a unit of work, on the event loop that the worker's jobs run on."""
        loop = get_event_loop_thread()
        assert loop is not None

        async def run() -> Any:  # noqa: ANN401 (of any type)
            async with self.outage._begin() as work:
                answer = await question(work)
                await work.commit()
            return answer

        return loop.run_coroutine(run())

    def tell(self, *events: str) -> None:
        """Have something happen to the merchant, who has one endpoint."""
        self.ask(lambda work: work.events.record(*(an_event(name) for name in events)))

    def promise(self, *deliveries: str) -> None:
        """Have jobs due that wait at the gate."""

        async def enqueue(work: UnitOfWork) -> None:
            for delivery in deliveries:
                await work.jobs.enqueue("deliver_webhook", arguments={"delivery": delivery})

        self.ask(enqueue)

    def jobs(self) -> list[Job]:
        """Return the job table."""

        async def look(work: UnitOfWork) -> list[Job]:
            tables = await work.jobs._turn.tables()  # type: ignore[attr-defined]  # The memory's own.
            return [*tables.jobs]

        found: list[Job] = self.ask(look)
        return found

    def kept(self) -> list[Job]:
        """Return the job table as the worker has left it."""
        storage: ClosableStorage = self.outage._begin.__self__  # type: ignore[attr-defined]  # Its method.
        return [*storage.store.tables.jobs]

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Wait until something holds."""
        waited = threading.Event()
        for _ in range(PATIENCE_SECONDS * 100):
            assert not self.failure, self.failure
            if holds():
                return
            waited.wait(0.01)
        raise AssertionError(self.jobs())

    def stop(self) -> None:
        """Stop it and wait until it has."""
        self.worker.stop()
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()
        assert not self.failure, self.failure


@pytest.fixture
def running() -> Iterator[RunningWorker]:
    """A worker over memory, with a merchant who has one endpoint."""
    services = worker(structure(SETTINGS))
    clock = services.clock
    assert isinstance(clock, FakeClock)
    gate, outage = Gate(), Outage(services)
    services = attrs.evolve(
        services,
        begin=outage.begin,
        resources=[_opened(services)],
        webhooks=Gated(services.begin, clock, services.ids, gate),
    )
    made = Worker(services, WorkerSettings(threads=2))
    failure: list[BaseException] = []
    started = RunningWorker(made, clock, gate, outage, _thread(made, failure), failure)
    started.thread.start()
    started.wait_for(lambda: get_event_loop_thread() is not None)
    started.wait_for(lambda: _is_open(started))

    async def begin(work: UnitOfWork) -> None:
        await work.merchants.add(a_merchant(MERCHANT))
        await work.webhooks.add_endpoint(an_endpoint())

    started.ask(begin)
    try:
        yield started
    finally:
        outage.away.clear()
        gate.open()
        made.stop()
        started.thread.join(PATIENCE_SECONDS)


def _thread(made: Worker, failure: list[BaseException]) -> threading.Thread:
    def run() -> None:
        try:
            made.run()
        except BaseException as error:  # noqa: BLE001 (told to the test)
            failure.append(error)

    return threading.Thread(target=run, name="worker")


def _is_open(started: RunningWorker) -> bool:
    try:
        return bool(started.jobs())
    except StorageUnavailable:
        return False


@asynccontextmanager
async def _opened(services: WorkerServices) -> AsyncIterator[None]:
    storage: ClosableStorage = services.begin.__self__  # type: ignore[attr-defined]  # Its method.
    await storage.open()
    yield
    await storage.close()
