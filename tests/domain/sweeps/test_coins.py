"""Coins that lie at a deposit address pay for their own way to the hot wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.instructions import SweepDeposit
from domain.intents.model import DepositAddress, Method
from domain.ledger.parking import ParkedAsset
from domain.shared.money import Money
from domain.sweeps import coins
from domain.sweeps.model import OPEN_MAX, SweepState
from tests.builders import NOON
from tests.domain.scene import PAYER
from tests.domain.shared_wallet import CHAIN, COIN, COIN_DUE, PLACES, new_shared_wallet
from tests.domain.sweeping import FEE, NEEDED

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


async def holding(world: SharedWallet, place: DepositAddress) -> int:
    async with world.begin() as work:
        return (await work.sweeps.holding(CHAIN, place.address, COIN.id)).amount


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


def lose(world: SharedWallet, place: DepositAddress, amount: int) -> None:
    """Have an address hold less than the books say, without a word of why."""
    world.chain.state.charge(place.address, Money(amount, COIN.id))


@pytest.mark.parametrize("left", [1, SWEEP_FROM - 1, SWEEP_FROM + LEFT - 1])
async def test_what_cannot_pay_for_its_way_takes_nobodys_place(
    world: SharedWallet, left: int
) -> None:
    for _ in range(OPEN_MAX + 1):
        poor = await paid_at_address(world, COIN_DUE)
        lose(world, poor, COIN_DUE - left)
    able = await paid_at_address(world, SWEEP_FROM + LEFT)
    await world.settle_down()

    assert [it.address for it in await sweep(world)] == [able.address]
    assert await sweep(world) == []


async def test_those_behind_are_looked_at_page_by_page(
    world: SharedWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        poor = await paid_at_address(world, COIN_DUE)
        lose(world, poor, COIN_DUE - SWEEP_FROM)
    able = [(await paid_at_address(world, SWEEP_FROM + LEFT)).address for _ in range(2)]
    await world.settle_down()
    monkeypatch.setattr(coins, "PAGE_MAX", 2)

    monkeypatch.setattr(coins, "PAGES_MAX", 1)
    assert await sweep(world) == []
    monkeypatch.setattr(coins, "PAGES_MAX", 3)
    assert {it.address for it in await sweep(world)} == {*able}


async def test_the_richest_are_tried_and_no_more_than_so_many(
    world: SharedWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = (SWEEP_FROM, 2 * SWEEP_FROM, 3 * SWEEP_FROM)
    places = [await paid_at_address(world, COIN_DUE) for _ in left]
    for place, amount in zip(places, left, strict=True):
        lose(world, place, COIN_DUE - amount)
    await world.settle_down()

    monkeypatch.setattr(coins, "TRIES_MAX", 1)
    assert [it.address for it in await sweep(world)] == [places[2].address]
    monkeypatch.setattr(coins, "TRIES_MAX", 2)
    assert [it.address for it in await sweep(world)] == [places[1].address]


async def test_coins_wait_for_room_as_tokens_do(
    world: SharedWallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(OPEN_MAX + 1):
        await paid_at_address(world, COIN_DUE)
    monkeypatch.setattr(coins, "PAGE_MAX", 3)

    assert len(await sweep(world)) == OPEN_MAX
    world.chain.fail_next()
    assert await sweep(world) == []


async def test_parked_coins_are_neither_asked_about_nor_swept(world: SharedWallet) -> None:
    await paid_at_address(world, COIN_DUE)
    async with world.begin() as work:
        await work.parking.park(ParkedAsset(COIN.id, "books differ", None, NOON))
        await work.commit()
    world.chain.fail_next()

    assert await sweep(world) == []


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

    assert await holding(world, place) == COIN_DUE - FEE
    [opened] = await sweep(world)
    assert opened.money.amount == COIN_DUE - FEE - LEFT
    await world.send()
    await world.settle_down()
    assert await world.booked(PLACES.deposits, COIN.id) == LEFT - FEE
    assert await holding(world, place) == world.held(place.address, COIN.id) == LEFT - FEE
    await world.must_be_right()
