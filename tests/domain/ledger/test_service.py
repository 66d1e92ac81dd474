"""Use cases of the books: balances, corrections, holds that lapse, and the gas tank."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.ledger.accounts import PAYOUTS_IN_FLIGHT, available, reserved
from domain.ledger.holds import HoldNotPending
from domain.ledger.model import AlreadyReversed, InsufficientFunds, NotReversible
from domain.shared.ids import HoldId, MerchantId, TransactionId
from ports.unit_of_work import NotFound
from tests.builders import CHAIN, COIN, a_hold, coins, earned, paid_to, usdt
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import GAS, HOT, NET, PLACES, STRANGER
from tests.domain.services import Surroundings, compose
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from domain.ledger.model import Transaction
    from tests.domain.world import World


async def paid(world: World) -> World:
    """Return the world after a payment of 25.00 to a deposit address."""
    world.pay(await world.intent())
    await world.settle_down()
    return world


class TestGasTank:
    async def test_what_is_in_it_is_booked_once(self, world: World) -> None:
        assert await world.services.books.book_gas(chain=CHAIN) == coins(0)

        assert await world.booked(PLACES.gas, COIN.id) == GAS
        await world.must_be_right()

    async def test_an_empty_one_is_not_booked(self) -> None:
        around = Surroundings()
        around.chain.mine(4)
        services = compose(around)

        assert await services.books.book_gas(chain=CHAIN) == coins(0)
        assert len(around.store.tables.transactions) == 0

    async def test_what_an_operator_fills_in_is_booked_when_it_is_final(
        self, world: World
    ) -> None:
        world.chain.fund(HOT, coins(77))
        await world.read()
        assert await world.services.books.book_gas(chain=CHAIN) == coins(0)
        await world.settle_down()

        assert await world.services.books.book_gas(chain=CHAIN) == coins(77)
        assert await world.services.books.book_gas(chain=CHAIN) == coins(0)

        assert await world.booked(PLACES.gas, COIN.id) == GAS + 77
        await world.must_be_right()

    async def test_what_is_missing_is_a_finding_and_not_booked_away(self, world: World) -> None:
        world.chain.transfer(coins(5), source=HOT, target=STRANGER)
        await world.settle_down()

        assert await world.services.books.book_gas(chain=CHAIN) == coins(0)

        [differs] = [it for it in await world.services.books.compare(chain=CHAIN) if not it.agree]
        assert (differs.books, differs.chain) == (GAS, GAS - 5)

    async def test_two_at_once_book_it_once(self, world: World) -> None:
        world.chain.fund(HOT, coins(77))
        await world.settle_down()

        booked = await asyncio.gather(
            *(yielding(world.around).books.book_gas(chain=CHAIN) for _ in range(3))
        )

        assert sum(money.amount for money in booked) == 77
        await world.must_be_right()


async def test_a_merchant_sees_its_own_balances_only(world: World) -> None:
    other = await another_merchant(world)
    await world.payout_under_way()

    mine = await world.services.books.merchant_balances(owner=world.merchant.id)

    shown = {balance.account: balance.money.amount for balance in mine}
    prefix = f"merchant:{world.merchant.id}"
    assert sum(shown.values()) == NET
    assert all(account.startswith(prefix) for account in shown)
    assert await world.services.books.merchant_balances(owner=other.id) == []


async def test_a_merchant_whose_name_begins_like_anothers_sees_its_own_only(
    world: World,
) -> None:
    await paid(world)
    shorter = MerchantId(world.merchant.id[:-1])

    assert await world.services.books.merchant_balances(owner=shorter) == []


async def test_a_balance_of_the_past_is_what_had_been_booked_by_then(world: World) -> None:
    mine = available(world.merchant.id)
    await paid(world)
    then = world.clock.now()
    world.clock.advance(seconds=1)
    await paid(world)

    [now] = await world.services.books.balances(prefix=mine)
    [past] = await world.services.books.balances(prefix=mine, at=then)

    assert (past.money, now.money) == (usdt(NET), usdt(2 * NET))
    assert await world.services.books.balances(prefix=mine, at=then - timedelta(seconds=1)) == []


class TestReversal:
    async def test_it_undoes_a_booking_once_and_keeps_the_reason(self, world: World) -> None:
        [wrong] = await by_hand(world, earned(7, by=world.merchant.id))

        reversal = await world.services.books.reverse(transaction_id=wrong, reason="typed twice")

        assert reversal.transaction.note == "typed twice"
        assert await world.earned() == 0
        with pytest.raises(AlreadyReversed):
            await world.services.books.reverse(transaction_id=wrong, reason="again")
        with pytest.raises(NotReversible):
            await world.services.books.reverse(transaction_id=reversal.id, reason="after all")
        assert await world.earned() == 0

    async def test_what_is_spent_is_not_taken_back(self, world: World) -> None:
        [wrong] = await by_hand(world, earned(7, by=world.merchant.id))
        await by_hand(world, paid_to(reserved(world.merchant.id), 7, by=world.merchant.id))

        with pytest.raises(InsufficientFunds):
            await world.services.books.reverse(transaction_id=wrong, reason="too late")

        assert await world.set_aside() == 7

    async def test_two_at_once_undo_it_once(self, world: World) -> None:
        [wrong] = await by_hand(world, earned(7, by=world.merchant.id))

        done = await asyncio.gather(
            *(
                yielding(world.around).books.reverse(transaction_id=wrong, reason=str(number))
                for number in range(3)
            ),
            return_exceptions=True,
        )

        assert sum(isinstance(each, AlreadyReversed) for each in done) == 2
        assert await world.earned() == 0

    async def test_what_is_not_there_is_told(self, world: World) -> None:
        with pytest.raises(NotFound):
            await world.services.books.reverse(
                transaction_id=TransactionId("tx_none"), reason="why not"
            )


class TestHoldsThatLapse:
    async def test_they_give_the_money_back_once(self, world: World) -> None:
        await held(world, "hold_1", lapses=True)
        await held(world, "hold_2", lapses=True)
        await held(world, "hold_3", lapses=False)
        assert await world.services.books.expire_holds() == 0
        world.clock.advance(hours=1)

        assert await world.services.books.expire_holds(limit=1) == 1
        assert await world.services.books.expire_holds() == 1
        assert await world.services.books.expire_holds() == 0

        assert (await world.earned(), await world.set_aside()) == (10, 5)

    async def test_two_at_once_end_each_once(self, world: World) -> None:
        for number in range(4):
            await held(world, f"hold_{number}", lapses=True)
        world.clock.advance(hours=1)

        ended = await asyncio.gather(
            *(yielding(world.around).books.expire_holds() for _ in range(3))
        )

        assert sum(ended) == 4
        assert (await world.earned(), await world.set_aside()) == (20, 0)

    async def test_one_that_is_posted_meanwhile_is_left_as_it_is(self, world: World) -> None:
        await held(world, "hold_1", lapses=True)
        world.clock.advance(hours=1)

        async def post() -> bool:
            async with yielding(world.around).begin() as work:
                hold = await work.ledger.lock_hold(HoldId("hold_1"))
                try:
                    posted, moved = hold.post(target=PAYOUTS_IN_FLIGHT, at=world.clock.now())
                except HoldNotPending:
                    return False
                await work.ledger.save_hold(posted)
                await work.ledger.book(moved)
                await work.commit()
            return True

        posted, expired = await asyncio.gather(post(), yielding(world.around).books.expire_holds())

        assert posted + expired == 1
        assert await world.set_aside() == 0
        assert await world.earned() + await world.booked(PAYOUTS_IN_FLIGHT) == 5

    async def test_a_process_that_dies_at_any_step_ends_each_once(self, world: World) -> None:
        await held(world, "hold_1", lapses=True)
        await held(world, "hold_2", lapses=True)
        world.clock.advance(hours=1)

        for step in range(1, 60):
            process = Mortal(world.around, dies_at=step)
            with suppress(Died):
                await process.services.books.expire_holds()
                break
        else:
            raise AssertionError("it never gets to its end")

        assert step > 10
        assert (await world.earned(), await world.set_aside()) == (10, 0)
        kinds = [it.transaction.kind for it in world.around.store.tables.transactions]
        assert kinds.count("void") == 2


async def by_hand(world: World, *transactions: Transaction) -> list[TransactionId]:
    before = len(world.around.store.tables.transactions)
    async with world.around.store.begin() as work:
        await work.ledger.book(*transactions)
        await work.commit()
    return [booked.id for booked in world.around.store.tables.transactions][before:]


async def held(world: World, name: str, *, lapses: bool) -> None:
    """Hold 5 units, which the merchant has earned before."""
    mine = world.merchant.id
    hold = a_hold(
        name,
        source=available(mine),
        aside=reserved(mine),
        money=usdt(5),
        expires_at=world.clock.now() + timedelta(minutes=5) if lapses else None,
    )
    async with world.around.store.begin() as work:
        await work.ledger.book(earned(5, by=mine))
        await work.ledger.add_hold(hold)
        await work.ledger.book(hold.reservation(at=world.clock.now()))
        await work.commit()
