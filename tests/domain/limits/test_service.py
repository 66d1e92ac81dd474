"""Quotas: never more than they say, for however many processes, and little is asked for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store
from domain.limits.model import Kind, Quota, QuotaExceeded, Standing, TooManyAtOnce
from domain.limits.service import LimitService
from domain.shared.ids import KeyId
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ports.unit_of_work import UnitOfWork

KEY, OTHER = KeyId("key_01"), KeyId("key_02")
QUOTA = Quota(requests=100, window_seconds=10)


class Around:
    """One storage, which counts how often it is asked, and the processes over it."""

    def __init__(self, quota: Quota = QUOTA) -> None:
        self.clock = FakeClock()
        self.store = Store(clock=self.clock, ids=SequentialIds())
        self.quota = quota
        self.asked = 0

    def begin(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self.asked += 1
        return self.store.begin()

    def process(self, clock: FakeClock | None = None) -> LimitService:
        return LimitService(
            begin=self.begin,
            clock=clock or self.clock,
            quotas={Kind.READ: self.quota, Kind.WRITE: self.quota},
            at_once=3,
        )


async def taken(limits: LimitService, *, at_most: int, key: KeyId = KEY) -> int:
    """Take until no more is given; return how many were."""
    for count in range(at_most):
        try:
            await limits.take(key, Kind.WRITE)
        except QuotaExceeded:
            return count
    return at_most


async def test_a_window_lets_its_quota_through() -> None:
    around = Around()
    limits = around.process()

    assert await taken(limits, at_most=200) == 100
    around.clock.advance(seconds=10)
    assert await taken(limits, at_most=200) == 100


async def test_the_storage_is_asked_once_for_a_block() -> None:
    around = Around()
    limits = around.process()
    await taken(limits, at_most=100)

    assert around.asked == 100 / QUOTA.block
    asked = around.asked
    for _ in range(50):
        with pytest.raises(QuotaExceeded):
            await limits.take(KEY, Kind.WRITE)
    assert around.asked == asked


async def test_where_a_key_stands_is_told() -> None:
    around = Around(Quota(requests=3, window_seconds=10))
    limits = around.process()
    around.clock.advance(seconds=4)

    told = [await limits.take(KEY, Kind.READ) for _ in range(3)]
    with pytest.raises(QuotaExceeded) as refusal:
        await limits.take(KEY, Kind.READ)

    assert told == [Standing(left, 6) for left in (2, 1, 0)]
    assert (refusal.value.kind, refusal.value.standing) == (Kind.READ, Standing(0, 6))


async def test_keys_and_kinds_are_limited_by_themselves() -> None:
    limits = Around(Quota(requests=1, window_seconds=10)).process()

    for key in (KEY, OTHER):
        for kind in Kind:
            await limits.take(key, kind)
            with pytest.raises(QuotaExceeded):
                await limits.take(key, kind)


async def test_processes_share_a_quota_and_lose_less_than_a_block_each() -> None:
    around = Around()
    processes = [around.process() for _ in range(4)]
    for limits in processes:
        await limits.take(KEY, Kind.WRITE)

    through = await taken(processes[0], at_most=200)

    blocked = 3 * (QUOTA.block - 1)
    assert through == 100 - 4 - blocked
    others = [await taken(limits, at_most=200) for limits in processes[1:]]
    assert sum(others) == blocked


async def test_many_at_a_time_get_no_more_than_the_quota() -> None:
    around = Around()
    processes = [around.process() for _ in range(3)]

    done = await asyncio.gather(
        *(limits.take(KEY, Kind.WRITE) for limits in processes for _ in range(60)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, Standing) for each in done) == 100
    assert sum(isinstance(each, QuotaExceeded) for each in done) == 80


async def test_a_clock_that_is_ahead_takes_nothing_from_the_others() -> None:
    around = Around()
    clock = FakeClock()
    clock.advance(seconds=10)
    limits, ahead = around.process(), around.process(clock)
    await taken(limits, at_most=100)
    await taken(ahead, at_most=30)

    # The window that is over gives nothing; of the newer one, what is left.
    assert await taken(limits, at_most=200) == 0
    around.clock.advance(seconds=10)
    assert await taken(limits, at_most=200) == 70


async def test_without_the_storage_what_was_taken_is_still_there() -> None:
    around = Around()
    limits = around.process()
    await limits.take(KEY, Kind.WRITE)
    around.store.fail_next_commit()

    assert await taken(limits, at_most=QUOTA.block - 1) == QUOTA.block - 1
    with pytest.raises(StorageUnavailable):
        await limits.take(KEY, Kind.WRITE)
    await limits.take(KEY, Kind.WRITE)


async def test_the_key_not_used_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.limits.service.PURSES_MAX", 1)
    around = Around()
    limits = around.process()

    for key in (KEY, OTHER, KEY):
        await limits.take(key, Kind.WRITE)

    assert around.asked == 3


def test_so_many_requests_of_a_key_may_be_under_way() -> None:
    limits = Around().process()
    for _ in range(3):
        limits.enter(KEY)
    limits.enter(OTHER)

    with pytest.raises(TooManyAtOnce) as refusal:
        limits.enter(KEY)
    assert refusal.value.limit == 3
    limits.leave(KEY)
    limits.enter(KEY)
