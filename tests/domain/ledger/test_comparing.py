"""The books against the chain, to the last unit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.comparing import CoverageMissing
from domain.ledger.model import Transaction, credit, debit
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, COIN, CUSTODY, NOON, USDT, coins, usdt
from tests.domain.ledger.divergences import planted
from tests.domain.scene import DUE, GAS, HOT, NET, PAYER, PLACES, STRANGER
from tests.domain.services import Surroundings, compose
from tests.domain.world import address_for

if TYPE_CHECKING:
    from tests.domain.world import World


async def paid(world: World) -> World:
    """Return the world after a payment of 25.00 to a deposit address."""
    world.pay(await world.intent())
    await world.settle_down()
    return world


async def test_books_and_chain_agree_place_by_place(world: World) -> None:
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


async def test_money_that_is_not_final_is_in_neither(world: World) -> None:
    world.pay(await world.intent())
    await world.read(2)

    await world.must_be_right()


async def test_what_was_taken_from_the_hot_wallet_shows(world: World) -> None:
    await world.released()
    world.chain.transfer(usdt(1), source=HOT, target=STRANGER)
    await world.settle_down()

    [differs] = [it for it in await world.services.books.compare(chain=CHAIN) if not it.agree]

    assert (differs.account, differs.books, differs.chain) == (PLACES.hot, NET, NET - 1)


async def test_a_booking_without_money_shows(world: World) -> None:
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


async def test_every_address_ever_issued_counts(world: World) -> None:
    expired = await world.intent()
    world.clock.advance(days=1)
    await world.settle_down()
    await world.services.intents.expire_due(chain=CHAIN)
    world.chain.transfer(usdt(9), source=PAYER, target=address_for(expired))
    await world.settle_down()

    spots = {
        (it.account, it.asset): it.chain for it in await world.services.books.compare(chain=CHAIN)
    }

    assert spots[PLACES.deposits, USDT.id] == 9
    await world.must_be_right()


async def test_a_chain_that_was_not_read_is_compared_with_nothing() -> None:
    with pytest.raises(CoverageMissing):
        await compose(Surroundings()).books.compare(chain=CHAIN)


async def test_a_chain_that_does_not_answer_is_compared_with_nothing(world: World) -> None:
    world.chain.fail_next()
    with pytest.raises(ChainUnavailable):
        await world.services.books.compare(chain=CHAIN)


async def test_a_tank_that_was_booked_first_is_not_missing_where_reading_begins() -> None:
    around = Surroundings()
    around.chain.mine(3)
    around.clock.advance(seconds=60)
    around.chain.fund(HOT, coins(GAS))
    around.chain.mine(3)
    around.chain.finalize()
    services = compose(around)
    assert await services.books.book_gas(chain=CHAIN) == coins(GAS)
    slowly = attrs.evolve(services.watcher, blocks_max=1)
    held = []
    behind = 1

    while behind:
        behind = (await slowly.watch(chain=CHAIN)).behind
        assert not await services.conservation.reconcile(chain=CHAIN)
        compared = await services.books.compare(chain=CHAIN)
        assert all(spot.agree for spot in compared)
        held += [spot.books for spot in compared if spot.account == PLACES.gas]

    assert set(held) == {0, GAS}


async def test_only_what_was_brought_in_may_be_booked_before_its_block(world: World) -> None:
    await planted(world, coins(5), at=world.clock.now() + timedelta(hours=1), into=PLACES.gas)

    [gas] = [it for it in await world.services.books.compare(chain=CHAIN) if not it.agree]

    assert (gas.books, gas.chain) == (GAS + 5, GAS)
