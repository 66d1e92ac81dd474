"""Use cases of the books: they are checked, and compared with the chain to the last unit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.ledger.accounts import available
from domain.ledger.model import Transaction, credit, debit
from domain.ledger.service import CoverageMissing
from domain.shared.ids import MerchantId
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, COIN, CUSTODY, NOON, USDT, coins, usdt
from tests.domain.mishaps import yielding
from tests.domain.world import (
    DUE,
    GAS,
    HOT,
    NET,
    PAYER,
    PLACES,
    STRANGER,
    Surroundings,
    address_for,
    another_merchant,
    compose,
)

if TYPE_CHECKING:
    from tests.domain.world import (
        World,
    )


async def paid(world: World) -> World:
    """Return the world after a payment of 25.00 to a deposit address."""
    world.pay(await world.intent())
    await world.settle_down()
    return world


class TestCheck:
    async def test_nothing_is_found_in_books_that_are_right(self, world: World) -> None:
        assert await world.services.books.check() == []
        await paid(world)
        assert await world.services.books.check() == []

    async def test_a_kept_balance_that_differs_from_its_postings_is_found(
        self, world: World
    ) -> None:
        await paid(world)
        mine = available(world.merchant.id)
        world.around.store.tables.kept.put((mine, USDT.id), -NET - 1)

        [finding] = await world.services.books.check()

        assert finding.what == "kept balance differs from postings"
        assert mine in finding.where

    async def test_a_kept_balance_without_postings_is_found(self, world: World) -> None:
        ghost = available(MerchantId("mer_ghost"))
        world.around.store.tables.kept.put((ghost, USDT.id), -5)

        [finding] = await world.services.books.check()

        assert finding.what == "kept balance differs from postings"

    async def test_a_constrained_account_without_a_balance_row_is_found(
        self, world: World
    ) -> None:
        await paid(world)
        mine = available(world.merchant.id)
        world.around.store.tables.kept.remove((mine, USDT.id))

        [finding] = await world.services.books.check()

        assert finding.what == "constrained account without a balance row"

    async def test_a_promise_below_zero_is_found(self, world: World) -> None:
        mine = available(world.merchant.id)
        tables = world.around.store.tables
        tables.sums.put((mine, USDT.id), 7)
        tables.kept.put((mine, USDT.id), 7)

        found = await world.services.books.check()

        assert "constrained account below zero" in {finding.what for finding in found}

    async def test_a_transaction_that_does_not_sum_to_zero_is_found(self, world: World) -> None:
        await paid(world)
        booked = list(world.around.store.tables.transactions)[-1]
        halves = booked.transaction.postings[:1]
        # Nothing in the domain can make such a transaction; a hand in the database could.
        object.__setattr__(booked.transaction, "postings", halves)

        found = await world.services.books.check()

        assert ("transaction does not sum to zero", booked.id) in {
            (finding.what, finding.where) for finding in found
        }


class TestComparison:
    async def test_books_and_chain_agree_place_by_place(self, world: World) -> None:
        await paid(world)
        await world.paid_escrow()

        compared = await world.services.books.compare(chain=CHAIN)

        held = {(it.account, it.asset): it.books for it in compared if it.books}
        assert held == {
            (PLACES.deposits, USDT.id): DUE,
            (PLACES.escrow, USDT.id): DUE,
            (PLACES.gas, COIN.id): GAS,
        }
        assert all(spot.agree for spot in compared)

    async def test_money_that_is_not_final_is_in_neither(self, world: World) -> None:
        world.pay(await world.intent())
        await world.read(2)

        await world.must_be_right()

    async def test_what_was_taken_from_the_hot_wallet_shows(self, world: World) -> None:
        await world.released()
        world.chain.transfer(usdt(1), source=HOT, target=STRANGER)
        await world.settle_down()

        [differs] = [it for it in await world.services.books.compare(chain=CHAIN) if not it.agree]

        assert (differs.account, differs.books, differs.chain) == (PLACES.hot, NET, NET - 1)

    async def test_a_booking_without_money_shows(self, world: World) -> None:
        async with world.around.store.begin() as work:
            await work.ledger.book(
                Transaction(
                    kind="mistake",
                    reference="by hand",
                    postings=(
                        debit(CUSTODY, usdt(3)),
                        credit(PLACES.suspense, usdt(3)),
                    ),
                    effective_at=NOON,
                )
            )
            await work.commit()

        [differs] = [it for it in await world.services.books.compare(chain=CHAIN) if not it.agree]

        assert (differs.books, differs.chain) == (3, 0)

    async def test_every_address_ever_issued_counts(self, world: World) -> None:
        expired = await world.intent()
        world.clock.advance(days=1)
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)
        world.chain.transfer(usdt(9), source=PAYER, target=address_for(expired))
        await world.settle_down()

        spots = {
            (it.account, it.asset): it.chain
            for it in await world.services.books.compare(chain=CHAIN)
        }

        assert spots[PLACES.deposits, USDT.id] == 9
        await world.must_be_right()

    async def test_a_chain_that_was_not_read_is_compared_with_nothing(self) -> None:
        with pytest.raises(CoverageMissing):
            await compose(Surroundings()).books.compare(chain=CHAIN)

    async def test_a_chain_that_does_not_answer_is_compared_with_nothing(
        self, world: World
    ) -> None:
        world.chain.fail_next()
        with pytest.raises(ChainUnavailable):
            await world.services.books.compare(chain=CHAIN)


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
