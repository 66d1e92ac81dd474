"""Sealing: everything booked gets its seal, once, in one chain, whoever dies on the way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from domain.ledger.seals import link
from domain.shared.chaining import GENESIS
from tests.builders import earned
from tests.domain.mishaps import Died, Mortal, yielding

if TYPE_CHECKING:
    from tests.domain.world import World


async def booked(world: World, count: int) -> None:
    async with world.around.store.begin() as work:
        await work.ledger.book(
            *(earned(number, by=world.merchant.id) for number in range(1, count + 1))
        )
        await work.commit()


def must_be_whole(world: World) -> None:
    """Check that every transaction has one seal and that the hashes follow from one another."""
    tables = world.around.store.tables
    hash = GENESIS
    for number, (place, seal) in enumerate(sorted(tables.seals.items()), 1):
        transaction = tables.transactions.get(seal.transaction_id)
        assert transaction is not None
        hash = link(hash, transaction)
        assert (place, seal.number, seal.hash) == (number, number, hash)
    assert len(tables.seals) == len(tables.transactions)


async def test_what_is_booked_is_sealed_in_bounded_rounds(world: World) -> None:
    already = await world.services.sealing.seal(limit=100)
    await booked(world, 5)

    assert [await world.services.sealing.seal(limit=2) for _ in range(4)] == [2, 2, 1, 0]

    head = await world.services.sealing.head()
    assert head is not None
    assert head.number == already + 5
    must_be_whole(world)


async def test_an_empty_ledger_has_no_seal(world: World) -> None:
    assert await world.services.sealing.head() is None


async def test_many_at_once_make_one_chain(world: World) -> None:
    await booked(world, 7)

    await asyncio.gather(*(yielding(world.around).sealing.seal(limit=3) for _ in range(6)))

    must_be_whole(world)


async def test_one_that_dies_at_any_step_leaves_one_chain(world: World) -> None:
    await booked(world, 3)
    for step in range(1, 40):
        with suppress(Died):
            await Mortal(world.around, dies_at=step).services.sealing.seal()
            break
        await booked(world, 1)

    await world.services.sealing.seal()
    must_be_whole(world)
