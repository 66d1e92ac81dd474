from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from adapters.postgres.notices import PostgresJobNotices
from ports.unit_of_work import StorageUnavailable
from tests.support.postgres import end_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.storage import PostgresStorage
    from ports.unit_of_work import Begin

LONG_SECONDS = 30


@pytest.fixture
async def notices(postgres_dsn: str) -> AsyncIterator[PostgresJobNotices]:
    async with PostgresJobNotices(dsn=postgres_dsn) as notices:
        yield notices


async def enqueue(begin: Begin, storage: PostgresStorage, *, later: timedelta) -> None:
    async with begin() as work:
        await work.jobs.enqueue("relay", run_at=storage.clock.now() + later)
        await work.commit()


async def ends_early(waiting: asyncio.Task[None], *, seconds: float) -> bool:
    done, _ = await asyncio.wait([waiting], timeout=seconds)
    return bool(done)


async def test_a_job_enqueued_between_two_waits_is_not_missed(
    begin: Begin, storage: PostgresStorage, notices: PostgresJobNotices
) -> None:
    await notices.wait(seconds=0.01)
    await enqueue(begin, storage, later=timedelta(0))

    await asyncio.wait_for(notices.wait(seconds=LONG_SECONDS), 10)


async def test_a_job_for_later_or_one_undone_wakes_nobody(
    begin: Begin, storage: PostgresStorage, notices: PostgresJobNotices
) -> None:
    waiting = asyncio.create_task(notices.wait(seconds=LONG_SECONDS))
    await enqueue(begin, storage, later=timedelta(hours=1))
    async with begin() as work:
        await work.jobs.enqueue("relay")
        await work.merchants.all()

    assert not await ends_early(waiting, seconds=0.2)
    await enqueue(begin, storage, later=timedelta(0))
    assert await ends_early(waiting, seconds=10)


async def test_after_a_lost_connection_it_listens_again(
    begin: Begin, storage: PostgresStorage, postgres_dsn: str, notices: PostgresJobNotices
) -> None:
    waiting = asyncio.create_task(notices.wait(seconds=0.5))
    await asyncio.sleep(0)
    await end_sessions(postgres_dsn, that_ran="listen %")
    async with asyncio.timeout(10):
        await waiting

    waiting = asyncio.create_task(notices.wait(seconds=LONG_SECONDS))
    assert not await ends_early(waiting, seconds=0.2)
    await enqueue(begin, storage, later=timedelta(0))
    assert await ends_early(waiting, seconds=10)


async def test_a_server_that_is_not_there_is_storage_unavailable() -> None:
    with pytest.raises(StorageUnavailable):
        async with PostgresJobNotices(dsn="postgresql:///nothing?host=%2Fnowhere"):
            pass
