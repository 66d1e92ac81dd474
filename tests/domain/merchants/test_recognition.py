"""How long, and for how many, a merchant is recognised without a look into the storage."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.merchants import api_keys, recognition
from domain.merchants.model import Caller
from domain.merchants.recognition import RECOGNISED_FOR, Recognition
from domain.merchants.service import KeyNotValid
from tests.builders import NOON, a_merchant, an_api_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.unit_of_work import UnitOfWork
    from tests.domain.world import World

MOMENT = timedelta(microseconds=1)
CALLER = Caller(a_merchant(), an_api_key())


async def test_a_key_that_was_revoked_counts_for_five_seconds_at_most(world: World) -> None:
    merchants, clock = world.services.merchants, world.clock
    key = await merchants.issue_key(merchant_id=world.merchant.id)
    assert (await merchants.authenticate(key=key)).merchant == world.merchant
    await _revoke(world, key)

    clock.advance(seconds=4.999999)
    assert (await merchants.authenticate(key=key)).merchant == world.merchant
    clock.advance(seconds=0.000001)
    for _ in range(2):
        with pytest.raises(KeyNotValid):
            await merchants.authenticate(key=key)


async def test_many_who_come_at_once_with_a_key_ask_once(world: World) -> None:
    """As do all streams of a merchant, each time what was heard of their key is too old."""
    merchants, asked = world.services.merchants, 0
    key = await merchants.issue_key(merchant_id=world.merchant.id)

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        async with merchants.begin() as work:
            yield work

    watched = attrs.evolve(merchants, begin=begin)
    callers = await asyncio.gather(*(watched.authenticate(key=key) for _ in range(20)))
    assert asked == 1
    assert all(caller.merchant == world.merchant for caller in callers)

    await _revoke(world, key)
    world.clock.advance(seconds=5)
    refused = await asyncio.gather(
        *(watched.authenticate(key=key) for _ in range(3)), return_exceptions=True
    )
    assert [type(error) for error in refused] == [KeyNotValid] * 3


async def test_being_recognised_does_not_last_longer_by_being_used(world: World) -> None:
    merchants = world.services.merchants
    key = await merchants.issue_key(merchant_id=world.merchant.id)
    await merchants.authenticate(key=key)
    await _revoke(world, key)

    for _ in range(4):
        world.clock.advance(seconds=1)
        await merchants.authenticate(key=key)
    world.clock.advance(seconds=1)
    with pytest.raises(KeyNotValid):
        await merchants.authenticate(key=key)


async def test_changed_terms_count_after_five_seconds_at_most(world: World) -> None:
    merchants = world.services.merchants
    key = await merchants.issue_key(merchant_id=world.merchant.id)
    await merchants.authenticate(key=key)
    renamed = attrs.evolve(world.merchant, name="Another name")
    async with world.around.store.begin() as work:
        await work.merchants.save(renamed)
        await work.commit()

    world.clock.advance(seconds=RECOGNISED_FOR.total_seconds())
    assert (await merchants.authenticate(key=key)).merchant == renamed


async def test_a_new_key_counts_at_once(world: World) -> None:
    merchants = world.services.merchants
    text = api_keys.write(bytes(32))
    with pytest.raises(KeyNotValid):
        await merchants.authenticate(key=text)
    new = an_api_key(merchant_id=world.merchant.id, digest=api_keys.digest(text))
    async with world.around.store.begin() as work:
        await work.merchants.add_key(new)
        await work.commit()

    assert await merchants.authenticate(key=text) == Caller(world.merchant, new)


def test_a_clock_that_was_put_back_makes_nothing_last() -> None:
    recognised = Recognition()
    recognised.remember(b"d", CALLER, at=NOON)

    assert recognised.find(b"d", at=NOON) == CALLER
    assert recognised.find(b"d", at=NOON - MOMENT) is None
    assert recognised.find(b"d", at=NOON) is None


def test_the_key_not_used_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "KEYS_MAX", 2)
    recognised = Recognition()
    for digest in (b"1", b"2"):
        recognised.remember(digest, CALLER, at=NOON)
    recognised.find(b"1", at=NOON)
    recognised.remember(b"3", CALLER, at=NOON)

    found = [recognised.find(digest, at=NOON) is not None for digest in (b"1", b"2", b"3")]
    assert found == [True, False, True]


async def _revoke(world: World, key: str) -> None:
    keys = world.around.store.tables.api_keys
    async with world.around.store.begin() as work:
        await work.merchants.get(world.merchant.id)
        [row] = keys.where(digest=api_keys.digest(key))
        keys.put(row.id, attrs.evolve(row, revoked_at=world.clock.now()))
        await work.commit()
