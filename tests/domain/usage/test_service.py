"""Requests are counted in memory and stored now and then; what could not be stored is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.shared.ids import KeyId
from domain.usage.model import Requests
from domain.usage.service import UsageService
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.builders import an_api_key
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from tests.domain.world import World

KEY = KeyId("key_01")


@pytest.fixture
async def usage(world: World) -> UsageService:
    async with world.around.store.begin() as work:
        await work.merchants.add_key(an_api_key(KEY, merchant_id=world.merchant.id))
        await work.commit()
    return UsageService(begin=world.around.store.begin, clock=world.clock)


async def test_requests_are_counted_by_day_and_class_of_status(
    world: World, usage: UsageService
) -> None:
    today = world.clock.now().date()
    for status in (200, 201, 404, 503):
        usage.count(KEY, status=status)
    assert await usage.flush() == 4
    world.clock.advance(hours=24)
    usage.count(KEY, status=200)
    assert await usage.flush() == 1
    assert await usage.flush() == 0

    found = await usage.of_key(owner=world.merchant.id, key_id=KEY, days=2)
    tomorrow = world.clock.now().date()
    assert found == [
        Requests(KEY, today, 2, 2),
        Requests(KEY, today, 4, 1),
        Requests(KEY, today, 5, 1),
        Requests(KEY, tomorrow, 2, 1),
    ]
    assert await usage.of_key(owner=world.merchant.id, key_id=KEY, days=1) == found[3:]


async def test_counting_writes_nothing(world: World, usage: UsageService) -> None:
    usage.count(KEY, status=200)

    assert len(world.around.store.tables.key_usage) == 0


async def test_the_last_use_is_noted(world: World, usage: UsageService) -> None:
    usage.count(KEY, status=200)
    await usage.flush()

    [key] = world.around.store.tables.api_keys
    assert key.last_used_at == world.clock.now()


async def test_what_could_not_be_stored_is_stored_the_next_time(
    world: World, usage: UsageService
) -> None:
    usage.count(KEY, status=200)
    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await usage.flush()
    usage.count(KEY, status=200)

    assert await usage.flush() == 2


async def test_another_merchants_key_is_not_found(world: World, usage: UsageService) -> None:
    other = await another_merchant(world)

    with pytest.raises(NotFound):
        await usage.of_key(owner=other.id, key_id=KEY, days=1)


async def test_counts_are_dropped_after_four_hundred_days(
    world: World, usage: UsageService
) -> None:
    first = world.clock.now().date()
    usage.count(KEY, status=200)
    await usage.flush()
    world.clock.advance(days=400)
    assert await usage.prune() == 0
    usage.count(KEY, status=200)
    await usage.flush()

    world.clock.advance(days=1)

    assert await usage.prune() == 1
    [left] = await usage.of_key(owner=world.merchant.id, key_id=KEY, days=999)
    assert left.day == first + timedelta(days=400)
