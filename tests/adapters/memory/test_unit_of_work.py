"""What is the in-memory store's own: its faults, and its strictness with callers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.memory.turn import NestedUnitOfWork, NotLocked, UnitOfWorkOver
from domain.ledger.accounts import reserved
from domain.ledger.model import InsufficientFunds
from domain.shared.ids import IntentId
from ports.unit_of_work import AlreadyExists, NotFound, StorageUnavailable
from tests.builders import MERCHANT, a_merchant, an_intent, earned, paid_to
from tests.contracts.storage import given, given_merchants

if TYPE_CHECKING:
    from adapters.memory.store import Store
    from ports.unit_of_work import UnitOfWork


async def test_a_commit_can_fail_without_an_effect(store: Store) -> None:
    store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await given(store.begin, a_merchant())

    async with store.begin() as work:
        with pytest.raises(NotFound):
            await work.merchants.get(MERCHANT)


async def test_a_commit_can_take_place_and_its_answer_be_lost(store: Store) -> None:
    store.lose_next_commit()
    with pytest.raises(StorageUnavailable):
        await given(store.begin, a_merchant())

    async with store.begin() as work:
        assert await work.merchants.get(MERCHANT) == a_merchant()


async def test_what_was_not_locked_cannot_be_saved(store: Store) -> None:
    await given_merchants(store.begin)
    await given(store.begin, an_intent())

    async with store.begin() as work:
        await work.intents.get(IntentId("pi_01"), owner=None)
        with pytest.raises(NotLocked):
            await work.intents.save(an_intent())


async def test_a_lock_ends_with_its_unit_of_work(store: Store) -> None:
    await given_merchants(store.begin)
    await given(store.begin, an_intent())
    async with store.begin() as work:
        await work.intents.lock(IntentId("pi_01"), owner=None)

    async with store.begin() as work:
        with pytest.raises(NotLocked):
            await work.intents.save(an_intent())


async def test_what_was_added_can_be_saved_at_once(store: Store) -> None:
    await given_merchants(store.begin)
    async with store.begin() as work:
        await work.intents.add(an_intent())
        await work.intents.save(an_intent(received=1))
        await work.commit()


async def test_a_unit_of_work_within_another_is_found_out(store: Store) -> None:
    async with store.begin() as outer:
        await outer.merchants.all()
        async with store.begin() as inner:
            with pytest.raises(NestedUnitOfWork):
                await inner.merchants.all()


async def test_nothing_is_done_after_the_commit(store: Store) -> None:
    async with store.begin() as work:
        await work.commit()
        with pytest.raises(UnitOfWorkOver):
            await work.merchants.all()
        with pytest.raises(UnitOfWorkOver):
            await work.commit()


async def test_a_refused_write_loses_the_unit_of_work_even_where_it_is_caught(
    store: Store,
) -> None:
    async def overdraw(work: UnitOfWork) -> None:
        await work.ledger.book(paid_to(reserved(MERCHANT), 6))

    async def add_again(work: UnitOfWork) -> None:
        await work.merchants.add(a_merchant())

    await given(store.begin, a_merchant(), earned(5))
    for write, error in ((overdraw, InsufficientFunds), (add_again, AlreadyExists)):
        async with store.begin() as work:
            with pytest.raises(error):
                await write(work)
            with pytest.raises(error):
                await work.commit()

    async with store.begin() as work:
        assert [it.money.amount for it in await work.ledger.balances(prefix="")] == [5, 5]


async def test_units_of_work_wait_at_their_first_look_and_not_before(store: Store) -> None:
    async with store.begin() as first, store.begin() as second:
        await first.merchants.add(a_merchant())
        waiting = asyncio.create_task(second.merchants.get(MERCHANT))
        await asyncio.sleep(0)
        assert not waiting.done()
        await first.commit()
        assert await waiting == a_merchant()


async def test_a_waiter_that_is_cancelled_leaves_the_store_as_it_was(store: Store) -> None:
    async def look() -> None:
        async with store.begin() as work:
            await work.merchants.all()

    async with store.begin() as work:
        await work.merchants.add(a_merchant())
        waiter = asyncio.create_task(look())
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        await work.commit()

    await asyncio.wait_for(look(), 5)
    assert len(store.tables.merchants) == 1
