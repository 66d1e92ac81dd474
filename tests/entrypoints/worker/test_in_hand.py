"""What a worker has in hand: renewed in time, and never run beside itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store
from domain.shared.jobs import JobState
from domain.shared.running import LEASE, JobRunner
from entrypoints.worker.in_hand import RENEW_EVERY, InHand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.shared.jobs import Job


@attrs.define
class MachineClock:
    """A clock that is ahead of the true one by so much, until somebody sets it."""

    true: FakeClock
    ahead: timedelta

    def now(self) -> datetime:
        return self.true.now() + self.ahead


@attrs.define
class Bench:
    """A store, a worker's hand, and a handler that waits until it may end."""

    clock: FakeClock = attrs.field(factory=FakeClock)
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)
    begun: int = 0
    most_at_once: int = 0
    now: int = 0
    store: Store = attrs.field(init=False)
    runner: JobRunner = attrs.field(init=False)
    in_hand: InHand = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        ids = SequentialIds()
        self.store = Store(clock=self.clock, ids=ids)
        self.runner = JobRunner(self.store.begin, self.clock, ids, {"wait": self._wait})
        self.in_hand = InHand(self.runner, self.clock)

    async def _wait(self, _: Mapping[str, str]) -> None:
        self.begun += 1
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)
        await self.gate.wait()
        self.now -= 1

    async def claim(self) -> Job:
        [job] = await self.runner.claim(limit=1)
        return job

    def the_job(self) -> Job:
        [job] = self.store.tables.jobs
        return job


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    async with bench.store.begin() as work:
        await work.jobs.enqueue("wait")
        await work.commit()
    return bench


async def test_a_job_that_comes_again_while_it_runs_is_run_once_more_afterwards(
    bench: Bench,
) -> None:
    job = await bench.claim()
    assert bench.in_hand.take(job)
    first = asyncio.create_task(bench.in_hand.run(job.id))
    await asyncio.sleep(0)
    bench.clock.advance(seconds=LEASE.total_seconds())
    assert not bench.in_hand.take(await bench.claim())
    bench.gate.set()
    await first

    assert (bench.begun, bench.most_at_once, len(bench.in_hand)) == (2, 1, 0)
    assert (bench.the_job().state, bench.the_job().claims) == (JobState.DONE, 2)


async def test_leases_are_renewed_when_they_have_grown_old(bench: Bench) -> None:
    job = await bench.claim()
    bench.in_hand.take(job)
    await bench.in_hand.renew()
    assert bench.the_job() == job

    at = bench.clock.advance(seconds=RENEW_EVERY.total_seconds())
    await bench.in_hand.renew()
    assert bench.the_job().lease_until == at + LEASE


async def test_what_was_not_begun_is_left_to_others(bench: Bench) -> None:
    bench.in_hand.take(await bench.claim())
    await bench.in_hand.leave()

    assert (bench.the_job().state, bench.the_job().attempts) == (JobState.READY, 0)


async def test_what_has_waited_for_long_is_put_back_and_never_begun_here(bench: Bench) -> None:
    job = await bench.claim()
    bench.in_hand.take(job)
    for expected in (JobState.RUNNING, JobState.READY):
        bench.clock.advance(seconds=RENEW_EVERY.total_seconds())
        await bench.in_hand.renew()
        assert bench.the_job().state is expected
    assert (bench.the_job().attempts, len(bench.in_hand)) == (0, 0)

    await bench.in_hand.run(job.id)
    assert bench.begun == 0


async def test_what_comes_back_after_it_was_put_back_is_begun_once(bench: Bench) -> None:
    bench.in_hand.take(await bench.claim())
    for _ in range(2):
        bench.clock.advance(seconds=RENEW_EVERY.total_seconds())
        await bench.in_hand.renew()
    job = await bench.claim()
    assert bench.in_hand.take(job)
    bench.gate.set()
    # There are two messages of it now.
    await asyncio.gather(bench.in_hand.run(job.id), bench.in_hand.run(job.id))

    assert (bench.begun, bench.the_job().state) == (1, JobState.DONE)


async def test_a_clock_that_is_set_back_keeps_no_lease_from_being_renewed(bench: Bench) -> None:
    clock = MachineClock(bench.clock, LEASE)
    in_hand = InHand(bench.runner, clock)
    in_hand.take(await bench.claim())
    at = bench.clock.advance(seconds=1)
    clock.ahead = -LEASE
    await in_hand.renew()

    assert bench.the_job().lease_until == at + LEASE
