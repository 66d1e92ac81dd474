"""Whose clock says what: leases and what is due at once go by the database's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.postgres.storage import PostgresStorage
from domain.shared.running import LEASE, JobRunner
from tests.contracts.jobs import enqueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.shared.jobs import Job

HOUR = timedelta(hours=1)


@pytest.fixture
async def ahead(postgres_dsn: str) -> AsyncIterator[PostgresStorage]:
    """The storage of a process whose clock is an hour ahead."""
    clock = FakeClock(datetime.now(UTC) + HOUR)
    opened = PostgresStorage(dsn=postgres_dsn, clock=clock, ids=SequentialIds())
    await opened.open()
    yield opened
    await opened.close()


def runner(storage: PostgresStorage, *, by: timedelta) -> JobRunner:
    """Return a runner whose clock is so far ahead of the database's."""
    clock = FakeClock(datetime.now(UTC) + by)
    return JobRunner(storage.begin, clock, SequentialIds(), {})


async def test_what_is_due_at_once_is_so_for_all(ahead: PostgresStorage) -> None:
    await enqueue(ahead.begin, "relay")

    [job] = await runner(ahead, by=timedelta(seconds=1)).claim(limit=1)
    assert job.run_at <= datetime.now(UTC)


@pytest.mark.parametrize("first", [HOUR, -HOUR], ids=["fast", "slow"])
async def test_a_lease_lasts_whatever_runners_clocks_say(
    ahead: PostgresStorage, first: timedelta
) -> None:
    await enqueue(ahead.begin, "relay", run_at=datetime.now(UTC) - 2 * HOUR)
    [job] = await runner(ahead, by=first).claim(limit=1)

    assert await runner(ahead, by=-first).claim(limit=1) == []
    assert _ends_in_time(job)
    await runner(ahead, by=first).renew([job])
    assert await runner(ahead, by=HOUR).reap() == 0


def _ends_in_time(job: Job) -> bool:
    assert job.lease_until is not None
    left = job.lease_until - datetime.now(UTC)
    return timedelta() < left <= LEASE
