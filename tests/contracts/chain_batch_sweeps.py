"""What chains keep where the hot wallet sweeps many deposit addresses by one transaction."""

from __future__ import annotations

from typing import Protocol

import pytest

from domain.chains.instructions import SweepDeposit, SweepMany, SweptPlace
from domain.chains.model import Transfer
from domain.shared.ids import SweepId
from domain.shared.money import Money
from ports.chain import InstructionRefused
from tests.contracts.chain import facts_of, included, newest, send
from tests.contracts.chain_sweeps import DepositWorld

HELD = 700
FIRST = 20
"""The first address's place; other suites have used those before it."""


class BatchWorld(DepositWorld, Protocol):
    """A chain whose sender sweeps together, and where holders may empty their addresses."""

    async def empty(self, index: int) -> None:
        """Have a deposit address send its tokens to somebody else, whoever has its key."""
        ...


class ChainBatchSweepsContract:
    @pytest.fixture
    def world(self) -> BatchWorld:
        raise NotImplementedError

    async def test_addresses_without_any_coin_are_swept_by_one(self, world: BatchWorld) -> None:
        assert world.sender.sweeps_max >= 3
        batch = await paid(world, 3)
        hot_wallet = world.sender.sender
        coins = await coins_of(world, hot_wallet)

        signed = await send(world, batch)
        inclusion = await included(world, signed)

        assert inclusion.succeeded
        assert inclusion.failed == frozenset()
        assert signed.sender == hot_wallet
        assert await facts_of(world, signed) == {
            Transfer(Money(HELD + place, world.token), it.sweep.source, hot_wallet)
            for place, it in enumerate(batch.places)
        }
        assert await coins_of(world, hot_wallet) == coins - inclusion.cost
        assert [await coins_of(world, it.sweep.source) for it in batch.places] == [
            Money(0, world.native)
        ] * 3

    async def test_the_same_batch_gives_the_same_bytes(self, world: BatchWorld) -> None:
        prepared = await world.sender.prepare(await paid(world, 2))

        one = await world.sender.sign(prepared, sequence=10**6)
        assert await world.sender.sign(prepared, sequence=10**6) == one
        assert (await world.sender.sign(prepared, sequence=10**6 + 1)).raw != one.raw

    async def test_it_takes_no_more_than_it_says(self, world: BatchWorld) -> None:
        batch = await paid(world, 3)
        limit = await world.sender.fee_limit(batch)

        inclusion = await included(world, await send(world, batch))

        assert 0 < inclusion.cost.amount <= limit.amount

    async def test_an_address_is_swept_again(self, world: BatchWorld) -> None:
        batch = await paid(world, 2)
        first = await included(world, await send(world, batch))
        again = await paid(world, 2)

        second = await included(world, await send(world, again))

        assert second.succeeded
        assert second.failed == frozenset()
        assert second.cost.amount <= first.cost.amount

    async def test_an_address_that_was_emptied_fails_alone(self, world: BatchWorld) -> None:
        batch = await paid(world, 3)
        prepared = await world.sender.prepare(batch)
        await world.empty(FIRST + 1)
        sequence = await world.sender.next_sequence(world.sender.sender)
        signed = await world.sender.sign(prepared, sequence=sequence)
        await world.sender.broadcast(signed)

        inclusion = await included(world, signed)

        assert inclusion.succeeded
        assert inclusion.failed == {1}
        assert await facts_of(world, signed) == {
            Transfer(it.sweep.money, it.sweep.source, world.sender.sender)
            for it in (batch.places[0], batch.places[2])
        }

    async def test_one_that_cannot_move_is_prepared_beside_others(self, world: BatchWorld) -> None:
        batch = await paid(world, 2)
        await world.empty(FIRST)

        inclusion = await included(world, await send(world, batch))

        assert inclusion.failed == {0}

    async def test_a_batch_of_which_nothing_would_come_is_refused(self, world: BatchWorld) -> None:
        batch = await paid(world, 2)
        for place in range(2):
            await world.empty(FIRST + place)

        with pytest.raises(InstructionRefused):
            await world.sender.prepare(batch)
        with pytest.raises(InstructionRefused):
            await world.sender.fee_limit(batch)

    async def test_all_that_is_there_is_moved(self, world: BatchWorld) -> None:
        batch = await paid(world, 1)
        await world.pay(target=world.deposit(FIRST), amount=5)
        await world.mine()

        signed = await send(world, batch)

        assert (await included(world, signed)).succeeded
        source = batch.places[0].sweep.source
        assert await facts_of(world, signed) == {
            Transfer(Money(HELD + 5, world.token), source, world.sender.sender)
        }

    async def test_nobody_signs_for_another_address(self, world: BatchWorld) -> None:
        [place] = (await paid(world, 1)).places
        wrong = SweepDeposit(place.sweep.money, place.sweep.source, FIRST + 1)

        with pytest.raises(InstructionRefused):
            await world.sender.sign(
                await world.sender.prepare(SweepMany((SweptPlace(place.sweep_id, wrong),))),
                sequence=10**6,
            )


async def paid(world: BatchWorld, count: int) -> SweepMany:
    """Pay as many deposit addresses, each a unit more than the one before; return their sweep."""
    places = []
    for place in range(count):
        address = world.deposit(FIRST + place)
        await world.pay(target=address, amount=HELD + place)
        sweep = SweepDeposit(Money(HELD + place, world.token), address, FIRST + place)
        places.append(SweptPlace(SweepId(f"swp_{place}"), sweep))
    await world.mine()
    return SweepMany(tuple(places))


async def coins_of(world: BatchWorld, address: str) -> Money:
    number = (await newest(world)).number
    return await world.reader.balance(address, world.native, at_block=number)
