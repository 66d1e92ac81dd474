"""Conservation: a divergence is found, its first entry named, its asset parked, and no other."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.offers import COST
from domain.chains.model import Transfer
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, COIN, USDT, coins, usdt
from tests.domain.ledger.divergences import blocks, busy, final, planted, reconcile, trade
from tests.domain.scene import DUE, HOT, PLACES, STRANGER
from tests.domain.services import compose
from tests.domain.world import address_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.money import AssetId, Money
    from tests.domain.world import World


async def test_books_that_agree_park_nothing_and_are_noted(world: World) -> None:
    await busy(world)

    assert await reconcile(world) == []

    cursor = world.around.store.tables.cursors.get(CHAIN)
    assert cursor is not None
    assert world.around.store.tables.agreed.get((PLACES.deposits, USDT.id)) == cursor.final.number


async def test_a_booking_that_is_not_on_the_chain_is_named(world: World) -> None:
    await busy(world)
    cursor = world.around.store.tables.cursors.get(CHAIN)
    assert cursor is not None
    wrong = await planted(world, usdt(5), at=cursor.final.time)

    [parked] = await reconcile(world)

    assert parked.asset == USDT.id
    assert parked.reason.startswith(f"{PLACES.hot} has 5 in the books and 0 on the chain")
    assert parked.entry == (
        f"block {cursor.final.number} ({cursor.final.hash}):"
        f" booked transaction {wrong} (mistake by hand) says 5 and is not on the chain"
    )


async def test_a_booking_among_right_ones_of_its_block_is_named(world: World) -> None:
    await busy(world)
    world.pay(await world.intent())
    await final(world)
    deposit = [
        booked
        for booked in world.around.store.tables.transactions
        if booked.transaction.kind == "deposit"
    ][-1]
    wrong = await planted(
        world, usdt(DUE), at=deposit.transaction.effective_at, into=PLACES.deposits
    )
    await final(world)

    [parked] = await reconcile(world)

    assert f"booked transaction {wrong} (mistake by hand)" in str(parked.entry)


@pytest.mark.parametrize("hours", [-1000, 24], ids=["long ago", "in time to come"])
async def test_a_booking_of_another_time_is_named(world: World, hours: int) -> None:
    await busy(world)
    wrong = await planted(world, usdt(5), at=world.clock.now() + timedelta(hours=hours))

    [parked] = await reconcile(world)

    assert f"booked transaction {wrong} (mistake by hand)" in str(parked.entry)
    assert "is not on the chain" in str(parked.entry)


async def test_a_booking_that_was_dated_back_behind_the_last_agreement_is_named(
    world: World,
) -> None:
    await busy(world)
    cursor = world.around.store.tables.cursors.get(CHAIN)
    assert cursor is not None
    early = world.chain.blocks.mined[cursor.final.number - 6].block
    await final(world)
    assert await reconcile(world) == []
    wrong = await planted(world, usdt(5), at=early.time)

    [parked] = await reconcile(world)

    assert str(parked.entry).startswith(f"block {early.number} ({early.hash}): booked")
    assert wrong in str(parked.entry)


async def test_a_transfer_that_was_not_booked_is_named(world: World) -> None:
    await world.released()
    await final(world)
    assert await reconcile(world) == []
    # Nobody but us has the key: what leaves the hot wallet otherwise is not looked for.
    stolen = world.chain.transfer(usdt(7), source=HOT, target=STRANGER)
    await blocks(world)
    [theft] = world.chain.blocks.mined[-1].observations
    await trade(world)

    [parked] = await reconcile(world)

    assert parked.entry == (
        f"block {theft.block.number} ({theft.block.hash}):"
        f" chain transaction {stolen} position 0 moves -7 and is not booked"
    )
    assert parked.reason.endswith(": -7")


async def test_a_wrong_amount_is_named_on_both_sides(world: World) -> None:
    await busy(world)
    intent = await world.intent()
    paid = world.pay(intent)
    await blocks(world)
    tables = world.around.store.tables
    [key] = [it.key for it in tables.observations if it.key.transaction == paid]
    observation = tables.observations.get(key)
    assert observation is not None
    # As a watcher with an error in it would have read it.
    assert isinstance(observation.fact, Transfer)
    misread = attrs.evolve(observation.fact, money=usdt(DUE + 10))
    tables.observations.put(key, attrs.evolve(observation, fact=misread))
    world.around.store.journal.forget()
    await final(world)

    [parked] = await reconcile(world)

    assert f"says {DUE + 10} where chain transaction {paid}" in str(parked.entry)
    assert f"moves {DUE}" in str(parked.entry)


async def test_coins_that_are_missing_are_named_by_their_block(world: World) -> None:
    await busy(world)
    world.chain.transfer(coins(5), source=HOT, target=STRANGER)
    await blocks(world)
    block = world.chain.blocks.mined[-1].block
    await final(world)

    [parked] = await reconcile(world)

    assert parked.asset == COIN.id
    assert parked.entry == (
        f"block {block.number} ({block.hash}): books less chain is 5, which no entry explains"
    )


async def test_a_fee_that_was_booked_twice_is_named(world: World) -> None:
    await world.payout_under_way()
    await reconcile(world)
    await world.send()
    await final(world)
    fee = [
        booked.transaction
        for booked in world.around.store.tables.transactions
        if booked.transaction.kind == "network_fee"
    ][-1]
    async with world.around.store.begin() as work:
        await work.ledger.book(fee)
        await work.commit()
    [*_, again] = world.around.store.tables.transactions
    await final(world)

    [parked] = await reconcile(world)

    assert parked.asset == COIN.id
    assert parked.reason.endswith(f": {COST:+d}")
    assert f"booked transaction {again.id} (network_fee {fee.reference})" in str(parked.entry)


async def test_blocks_of_one_time_are_named_together(world: World) -> None:
    await busy(world)
    world.clock.advance(seconds=12)
    await world.read(2)
    intent = await world.intent()
    world.pay(intent)
    await world.read()
    taken = world.chain.transfer(usdt(7), source=address_for(intent), target=STRANGER)
    await world.read(3)
    newest = world.chain.blocks.latest
    await trade(world)
    await final(world)

    [parked] = await reconcile(world)

    assert parked.entry == (
        f"blocks {newest - 5} to {newest}:"
        f" chain transaction {taken} position 0 moves -7 and is not booked"
    )


@pytest.mark.parametrize("later", [False, True], ids=["in a block", "after the last"])
async def test_coins_that_were_booked_away_are_named_among_gifts(
    world: World, *, later: bool
) -> None:
    """A stranger's coins hide no booking of coins that have not left."""
    await final(world)
    world.chain.fund(HOT, coins(3))
    await final(world)
    assert await reconcile(world) == []
    wrong = await planted(world, coins(-5), into=PLACES.gas)
    if not later:
        world.chain.fund(HOT, coins(2))
        await final(world)

    [parked] = await reconcile(world)

    assert parked.asset == COIN.id
    assert f"booked transaction {wrong} (mistake by hand) says -5" in str(parked.entry)


async def test_a_wrong_booking_behind_gifts_is_named(world: World) -> None:
    await final(world)
    await reconcile(world)
    for _ in range(3):
        world.chain.fund(HOT, coins(3))
        await blocks(world)
    world.clock.advance(seconds=1)
    wrong = await planted(world, coins(-5), into=PLACES.gas)
    await final(world)

    [parked] = await reconcile(world)

    assert f"booked transaction {wrong} (mistake by hand) says -5" in str(parked.entry)


async def test_gas_that_an_operator_books_is_no_divergence(world: World) -> None:
    world.chain.fund(HOT, coins(3))
    await final(world)
    assert await reconcile(world) == []

    assert await world.services.books.book_gas(chain=CHAIN) == coins(3)

    assert await reconcile(world) == []
    await final(world)
    assert await reconcile(world) == []
    await world.must_be_right()


async def test_coins_from_a_stranger_stop_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    intent = await world.intent()
    for address in (HOT, address_for(intent)):
        world.chain.fund(address, coins(3))
    await final(world)

    assert await reconcile(world) == []

    told = [it.getMessage() for it in caplog.records if it.levelno == logging.WARNING]
    assert [it.startswith("not booked:") and it.endswith("+3") for it in told] == [True, True]


async def test_a_node_without_the_past_leaves_the_range(world: World) -> None:
    await busy(world)
    await reconcile(world)
    agreed = world.around.store.tables.agreed.get((PLACES.hot, USDT.id))
    assert agreed is not None
    await final(world)
    await planted(world, usdt(5), at=world.clock.now())
    await final(world)
    cursor = world.around.store.tables.cursors.get(CHAIN)
    assert cursor is not None

    newest = cursor.final.number

    class Forgetful:
        """A node that keeps the state of its newest blocks alone."""

        def __getattr__(self, name: str) -> object:
            return getattr(world.chain, name)

        async def balances(
            self, addresses: Sequence[str], asset: AssetId, *, at_block: int
        ) -> Sequence[Money]:
            if at_block < newest:
                raise ChainUnavailable("missing trie node")
            return await world.chain.balances(addresses, asset, at_block=at_block)

    node = Forgetful()
    [parked] = await compose(world.around, reader=node).conservation.reconcile(chain=CHAIN)  # type: ignore[arg-type]  # A reader.

    assert parked.entry == (f"blocks {agreed + 1} to {newest}: no node tells what was there then")
