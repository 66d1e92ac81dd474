"""What every unit of work keeps: all or nothing, and one after the other where it matters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.shared.ids import IntentId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import MERCHANT, a_merchant, a_quote, an_event, an_intent, earned
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from ports.unit_of_work import Begin


class UnitOfWorkContract(StorageContract):
    async def test_a_commit_makes_writes_visible_to_later_units_of_work(
        self, begin: Begin
    ) -> None:
        async with begin() as work:
            await work.merchants.add(a_merchant())
            await work.commit()

        async with begin() as work:
            assert await work.merchants.get(MERCHANT) == a_merchant()

    async def test_writes_are_visible_to_reads_of_the_same_unit_of_work(
        self, begin: Begin
    ) -> None:
        async with begin() as work:
            await work.merchants.add(a_merchant())
            await work.intents.add_quote(a_quote())
            await work.intents.add(an_intent())

            assert await work.merchants.get(MERCHANT) == a_merchant()
            assert await work.intents.get(IntentId("pi_01"), owner=MERCHANT) == an_intent()

    async def test_leaving_without_a_commit_undoes_all(self, begin: Begin) -> None:
        await given_merchants(begin)
        async with begin() as work:
            await work.intents.add(an_intent())
            await work.ledger.book(earned(5))
            await work.events.record(an_event())

        async with begin() as work:
            with pytest.raises(NotFound):
                await work.intents.get(IntentId("pi_01"), owner=None)
            assert await work.ledger.balances(prefix="") == []
            assert await work.events.after(owner=MERCHANT, sequence=0, limit=10) == []

    async def test_an_error_undoes_all_and_passes_through(self, begin: Begin) -> None:
        await given_merchants(begin)

        async def fail() -> None:
            async with begin() as work:
                await work.intents.add(an_intent())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()

        async with begin() as work:
            with pytest.raises(NotFound):
                await work.intents.get(IntentId("pi_01"), owner=None)

    async def test_an_undone_change_brings_back_what_was_there(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())
        async with begin() as work:
            intent = await work.intents.lock(IntentId("pi_01"), owner=None)
            await work.intents.save(attrs.evolve(intent, received=7))

        async with begin() as work:
            assert await work.intents.get(IntentId("pi_01"), owner=None) == an_intent()

    async def test_what_fails_at_the_commit_leaves_nothing(self, begin: Begin) -> None:
        await given_merchants(begin)

        with pytest.raises(AlreadyExists):
            await given(begin, earned(5), a_merchant())

        async with begin() as work:
            assert await work.ledger.balances(prefix="") == []

    async def test_a_cancelled_unit_of_work_frees_what_it_locked(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())
        locked = asyncio.Event()

        async def hold_on() -> None:
            async with begin() as work:
                await work.intents.lock(IntentId("pi_01"), owner=None)
                locked.set()
                await asyncio.Event().wait()

        holder = asyncio.create_task(hold_on())
        await asyncio.wait_for(locked.wait(), 10)
        holder.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holder

        async with asyncio.timeout(10), begin() as work:
            assert await work.intents.lock(IntentId("pi_01"), owner=None) == an_intent()

    async def test_changes_of_one_object_under_a_lock_never_lose_each_other(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        await given(begin, an_intent())

        async def add_one() -> None:
            async with begin() as work:
                intent: PaymentIntent = await work.intents.lock(IntentId("pi_01"), owner=None)
                await asyncio.sleep(0)
                await work.intents.save(attrs.evolve(intent, received=intent.received + 1))
                await work.commit()

        await asyncio.gather(*(add_one() for _ in range(8)))

        async with begin() as work:
            assert (await work.intents.get(IntentId("pi_01"), owner=None)).received == 8
