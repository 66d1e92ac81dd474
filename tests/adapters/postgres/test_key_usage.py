"""Quotas and names of keys, with several processes over one database."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from adapters.memory.clock import FakeClock
from adapters.postgres.storage import PoolSettings, PostgresStorage
from adapters.system.ids import RandomIds
from domain.limits.model import Kind, Quota, QuotaExceeded, Standing
from domain.limits.service import LimitService
from domain.merchants.rotation import KeyNameTaken
from domain.merchants.service import Issued, MerchantService
from domain.shared.ids import KeyId
from domain.usage.service import UsageService
from tests.builders import MERCHANT, a_merchant, an_api_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEYS = [KeyId(f"key_{n}") for n in range(5)]
QUOTA = Quota(requests=200, window_seconds=10)
POOL = PoolSettings(connections_min=1, connections_max=2)


@pytest.fixture
async def processes(postgres_dsn: str) -> AsyncIterator[list[PostgresStorage]]:
    """Open one database from several processes; there are a merchant and keys in it."""
    storages = [
        PostgresStorage(dsn=postgres_dsn, clock=FakeClock(), ids=RandomIds(), settings=POOL)
        for _ in range(4)
    ]
    async with AsyncExitStack() as stack:
        for storage in storages:
            await storage.open()
            stack.push_async_callback(storage.close)
        async with storages[0].begin() as work:
            await work.merchants.add(a_merchant())
            for key in KEYS:
                await work.merchants.add_key(an_api_key(key))
            await work.commit()
        yield storages


async def test_no_more_than_the_quota_gets_through(processes: list[PostgresStorage]) -> None:
    limits = [
        LimitService(begin=it.begin, clock=it.clock, quotas={Kind.READ: QUOTA}, at_once=1)
        for it in processes
    ]
    done = await asyncio.gather(
        *(each.take(KEYS[0], Kind.READ) for each in limits for _ in range(100)),
        return_exceptions=True,
    )

    through = sum(isinstance(each, Standing) for each in done)
    assert through + sum(isinstance(each, QuotaExceeded) for each in done) == 400
    assert through == QUOTA.requests


async def test_counts_of_several_processes_add_up(processes: list[PostgresStorage]) -> None:
    usage = [UsageService(begin=it.begin, clock=it.clock) for it in processes]
    for number, each in enumerate(usage):
        for key in KEYS[:: -1 if number % 2 else 1]:
            for _ in range(10):
                each.count(key, status=200)
    await asyncio.gather(*(each.flush() for each in usage))

    for key in KEYS:
        [counted] = await usage[0].of_key(owner=MERCHANT, key_id=key, days=1)
        assert counted.count == 40


async def test_of_two_keys_of_a_name_at_once_one_is_made(
    processes: list[PostgresStorage],
) -> None:
    merchants = [MerchantService(begin=it.begin, clock=it.clock, ids=it.ids) for it in processes]
    done = await asyncio.gather(
        *(each.create_key(merchant_id=MERCHANT, name="till") for each in merchants),
        return_exceptions=True,
    )

    assert sum(isinstance(each, Issued) for each in done) == 1
    assert sum(isinstance(each, KeyNameTaken) for each in done) == 3
