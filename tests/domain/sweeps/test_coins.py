"""Coins that lie at a deposit address pay for their own way to the hot wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.instructions import SweepDeposit
from domain.intents.model import DepositAddress, Method
from domain.shared.money import Money
from domain.sweeps.model import SweepState
from tests.domain.shared_wallet import CHAIN, COIN, COIN_DUE, PLACES, new_shared_wallet
from tests.domain.sweeping import FEE, NEEDED
from tests.domain.world import PAYER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.sweeps.model import Sweep
    from tests.domain.shared_wallet import SharedWallet

SWEEP_FROM = 10 * NEEDED
LEFT = NEEDED + NEEDED // 5
"""What a sweep leaves for its own fee, of which the chain takes less."""


@pytest.fixture
async def world() -> SharedWallet:
    return await new_shared_wallet()


async def paid_at_address(world: SharedWallet, amount: int) -> DepositAddress:
    intent = await world.intent(asset=COIN.id, method=Method.ADDRESS)
    assert isinstance(intent.pay_to, DepositAddress)
    world.chain.transfer(Money(amount, COIN.id), source=PAYER, target=intent.pay_to.address)
    await world.settle_down()
    return intent.pay_to


async def sweep(world: SharedWallet) -> Sequence[Sweep]:
    sweeps = attrs.evolve(world.services.sweeps, minimums={COIN.id: SWEEP_FROM})
    return await sweeps.sweep(chain=CHAIN)


async def test_they_are_moved_but_for_what_that_takes(world: SharedWallet) -> None:
    place = await paid_at_address(world, COIN_DUE)
    tank = await world.booked(PLACES.gas, COIN.id)
    assert await world.booked(PLACES.deposits, COIN.id) == COIN_DUE

    [opened] = await sweep(world)
    assert (opened.state, opened.money) == (
        SweepState.MOVING,
        Money(COIN_DUE - LEFT, COIN.id),
    )
    [queued] = await world.queued()
    assert queued.instruction == SweepDeposit(opened.money, place.address, place.index)
    await world.send()
    await world.settle_down()

    assert world.held(place.address, COIN.id) == LEFT - FEE
    assert await world.booked(PLACES.deposits, COIN.id) == LEFT - FEE
    assert await world.booked(PLACES.gas, COIN.id) == tank + COIN_DUE - LEFT
    assert await world.suspense(COIN.id) == 0
    await world.must_be_right()
    assert await sweep(world) == []


@pytest.mark.parametrize(("amount", "count"), [(SWEEP_FROM + LEFT - 1, 0), (SWEEP_FROM + LEFT, 1)])
async def test_they_are_moved_if_enough_would_arrive(
    world: SharedWallet, amount: int, count: int
) -> None:
    await paid_at_address(world, amount)

    assert len(await sweep(world)) == count


async def test_what_is_paid_meanwhile_is_moved_by_the_next(world: SharedWallet) -> None:
    place = await paid_at_address(world, COIN_DUE)
    await sweep(world)
    world.chain.transfer(Money(COIN_DUE, COIN.id), source=PAYER, target=place.address)
    await world.send()
    await world.settle_down()

    [second] = await sweep(world)
    assert second.money.amount == COIN_DUE + LEFT - FEE - LEFT
    await world.send()
    await world.settle_down()
    await world.must_be_right()


async def test_what_lies_there_after_rent_is_moved(world: SharedWallet) -> None:
    place = await paid_at_address(world, COIN_DUE)
    world.chain.take_rent(FEE, of=place.address)
    await world.settle_down()

    [opened] = await sweep(world)
    assert opened.money.amount == COIN_DUE - FEE - LEFT
    await world.send()
    await world.settle_down()
    assert await world.booked(PLACES.deposits, COIN.id) == LEFT - FEE
    await world.must_be_right()
