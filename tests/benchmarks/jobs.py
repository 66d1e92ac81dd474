"""Jobs through the worker: how many it drains, and how soon it starts one."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import psycopg

from config.bootstrap import worker
from config.settings import Worker as WorkerSettings
from domain.escrow.service import EscrowService
from entrypoints.worker.main import Worker
from tests.benchmarks.load import percentile_ms
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.redis_jobs import redis_url, through_redis
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import operating, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.world import Bench, World

JOB = "release_escrows"
"""The kind of job measured: its use case is replaced by one that only notes when it began."""
WAITING, QUICK_WAITING = 40_000, 8_000
"""More jobs than can be drained in the time, by hand and by the worker together."""
STARTED, QUICK_STARTED = 200, 50
PAUSE_SECONDS = 0.01
LIMIT_SECONDS = 60.0
SELDOM = 86_400.0
"""Between two runs of what the worker does by itself, which is not measured here."""
BATCH = 500
DONE = f"select count(*) from job where name = '{JOB}' and state = 'done'"  # noqa: S608 (a constant)
UNFINISHED = (
    "select count(*) from job where state = 'running' or run_at <= now() and state = 'ready'"
)
CLAIM = """
update job set state = 'running', attempts = attempts + 1, lease_until = now() + '2 minutes'
where id = (
    select id from job
    where queue = 'money' and standing = 1 and state = 'ready' and run_at <= now()
    order by run_at, id limit 1 for update skip locked
)
returning id
"""
COMPLETE = "update job set state = 'done', lease_until = null where id = %s"


@attrs.frozen
class Starts(EscrowService):
    """Does nothing but note when it was asked to, by ``time.perf_counter``."""

    at: list[float] = attrs.field(factory=list)

    async def release_due(self, *, limit: int = 50) -> int:
        del limit
        self.at.append(time.perf_counter())
        return 0


@attrs.frozen
class Measured:
    """Jobs per second and the CPU seconds spent on them; delays are in seconds."""

    drained: float
    cpu_seconds: float
    delays: list[float]
    reference: Reference


@attrs.frozen
class Reference:
    """The same of something else: what it is, jobs per second, delays in seconds."""

    drained_by: str
    drained: float
    delayed_by: str
    delays: list[float]


def measure(bench: Bench) -> Iterator[Figure]:
    """Drain jobs that wait already, then start single ones on an idle worker."""
    with bench.world() as world:
        measured = _measured(
            world,
            seconds=bench.seconds,
            waiting=QUICK_WAITING if bench.quick else WAITING,
            single=QUICK_STARTED if bench.quick else STARTED,
        )
    yield Figure(
        name="jobs/drained",
        value=measured.drained,
        unit="jobs/s",
        reference=measured.reference.drained,
        against=measured.reference.drained_by,
        cpu_seconds=measured.cpu_seconds,
    )
    for percent in (50, 99):
        yield Figure(
            name=f"jobs/enqueue to start p{percent}",
            value=percentile_ms(measured.delays, percent),
            unit="ms",
            reference=percentile_ms(measured.reference.delays, percent),
            against=measured.reference.delayed_by,
        )


def _measured(world: World, *, seconds: float, waiting: int, single: int) -> Measured:
    with _working(world) as starts:
        _wait(lambda: not world.count(UNFINISHED))
        delays = run(_delays(world, starts, single))
    run(_enqueue(world, waiting))
    reference = _reference(world, seconds, waiting, single)
    done = world.count(DONE)
    cpu = _spent(world)
    with _working(world) as starts:
        _wait(lambda: bool(starts))
        _wait(lambda: len(starts) >= waiting or time.perf_counter() > starts[0] + seconds)
        drained = (len(starts) - 1) / (starts[-1] - starts[0])
        spent = _spent(world) - cpu
    expect("jobs that are done", expected=len(starts), found=world.count(DONE) - done)
    return Measured(drained, spent, delays, reference)


def _reference(world: World, seconds: float, waiting: int, single: int) -> Reference:
    """Measure Dramatiq's own way with Redis where there is one, else PostgreSQL alone."""
    with redis_url() as url:
        if url is not None:
            drained, delays = through_redis(url, seconds, waiting, single)
            told = "the same through Dramatiq's Redis broker, which keeps no history"
            return Reference(told, drained, told, delays)
    return Reference(
        "claim and complete by hand, one connection (no redis-server here)",
        _drained_bare(world, seconds),
        "commit of a NOTIFY to its LISTEN, nothing else (no redis-server here)",
        _notices(world, single),
    )


@contextmanager
def _working(world: World) -> Iterator[list[float]]:
    """Run the worker on a thread; yield the list in which it notes when jobs were started."""
    services = worker(world.structured(signs=True))
    real = services.escrows
    starts = Starts(real.begin, real.clock, real.ids, real.assets)
    paces = {field.name for field in attrs.fields(WorkerSettings) if "_every_" in field.name}
    settings = WorkerSettings(**dict.fromkeys(paces, SELDOM))  # type: ignore[arg-type]  # Seconds.
    running = Worker(attrs.evolve(services, escrows=starts), settings)
    thread = threading.Thread(target=running.run, name="worker")
    thread.start()
    try:
        yield starts.at
    finally:
        running.stop()
        thread.join()


async def _enqueue(world: World, number: int) -> None:
    async with operating(world) as services:
        for first in range(0, number, BATCH):
            async with services.books.begin() as work:
                for _ in range(first, min(first + BATCH, number)):
                    await work.jobs.enqueue(JOB)
                await work.commit()


async def _delays(world: World, starts: list[float], number: int) -> list[float]:
    """Enqueue one job after the other; return how long after the commit began each one started."""
    delays = []
    async with operating(world) as services:
        for _ in range(number):
            await asyncio.sleep(PAUSE_SECONDS)
            known, began = len(starts), time.perf_counter()
            async with services.books.begin() as work:
                await work.jobs.enqueue(JOB)
                await work.commit()
            await asyncio.to_thread(_wait_for, starts, known + 1)
            delays.append(starts[known] - began)
    return delays


def _drained_bare(world: World, seconds: float) -> float:
    """Claim and complete one job after the other by hand; return jobs per second."""
    done = 0
    with psycopg.connect(world.dsn, autocommit=True) as connection:
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            row = connection.execute(CLAIM).fetchone()
            if row is None:
                break
            connection.execute(COMPLETE, row)
            done += 1
    return done / took


def _notices(world: World, number: int) -> list[float]:
    """Return how long after the commit began each of some notices arrived, in seconds."""
    delays = []
    with (
        psycopg.connect(world.dsn, autocommit=True) as teller,
        psycopg.connect(world.dsn, autocommit=True) as listener,
    ):
        listener.execute("listen bench")
        for _ in range(number):
            time.sleep(PAUSE_SECONDS)
            began = time.perf_counter()
            teller.execute("notify bench")
            expect(
                "notices",
                expected=1,
                found=len([*listener.notifies(timeout=LIMIT_SECONDS, stop_after=1)]),
            )
            delays.append(time.perf_counter() - began)
    return delays


def _spent(world: World) -> float:
    """Return the CPU seconds of this process, in which the worker is, and of PostgreSQL."""
    return time.process_time() + cpu_seconds(world.postmaster())


def _wait_for(starts: list[float], number: int) -> None:
    _wait(lambda: len(starts) >= number)


def _wait(done: Callable[[], bool]) -> None:
    """Wait until something is the case.

    Raises:
        TimeoutError: it takes longer than anything here should.
    """
    deadline = time.monotonic() + LIMIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)
