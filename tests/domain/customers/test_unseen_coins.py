"""Coins that a contract sends to a customer's address: no block shows them, balances do."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import attrs
import pytest

from domain.chains import unseen
from domain.customers.model import DepositStatus
from domain.shared.money import Money
from domain.sweeps.model import SweepState
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, COIN
from tests.domain.depositing import (
    address_of_customer,
    deposits_of,
    pay_customer,
    standing,
    the_deposit,
)
from tests.domain.scene import DUE, PAYER, PLACES
from tests.domain.sweeping import sweeps, swept
from tests.domain.world import new_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.model import Block
    from domain.customers.model import CustomerAddress
    from domain.shared.money import AssetId
    from ports.chain import ChainReader
    from tests.domain.world import World

SUCCEEDED = DepositStatus.SUCCEEDED


@pytest.fixture
async def world() -> World:
    """A chain whose coins are taken, and on which nothing but balances shows them."""
    world = await new_world()
    world.chain.fund(PAYER, Money(10**9, COIN.id))
    await world.settle_down()
    places = {CHAIN: attrs.evolve(PLACES, hides_coins=True)}
    watcher = attrs.evolve(world.services.watcher, places=places)
    return attrs.evolve(world, services=attrs.evolve(world.services, watcher=watcher))


async def found(world: World) -> int:
    return await world.services.watcher.find_coins(chain=CHAIN)


async def send(world: World, to: CustomerAddress, amount: int) -> None:
    """Have a contract send coins, for good."""
    world.chain.transfer(Money(amount, COIN.id), source=PAYER, target=to.address)
    await world.settle_down()


async def test_they_are_a_deposit_once(world: World) -> None:
    address = await address_of_customer(world)
    await send(world, address, 700)

    assert await found(world) == 1
    deposit = await the_deposit(world)
    assert (deposit.status, deposit.money) == (SUCCEEDED, Money(700, COIN.id))
    assert deposit.source == unseen.SOMEBODY
    assert await world.told(deposit.id) == ["deposit.received", "deposit.succeeded"]
    assert await found(world) == 0
    await world.settle_down()
    assert await found(world) == 0

    await send(world, address, 5)
    assert await found(world) == 1
    assert await standing(world) == [(SUCCEEDED, 700), (SUCCEEDED, 5)]
    await world.must_be_right()


async def test_gas_of_ours_is_nobodys_deposit_before_in_and_after_a_sweep(world: World) -> None:
    address = await address_of_customer(world)
    pay_customer(world, address, DUE)
    await world.settle_down()

    await world.sweep()
    for state in (SweepState.FUNDING, SweepState.MOVING):
        assert [it.state for it in sweeps(world)] == [state]
        assert await found(world) == 0
        await world.send_and_settle_down()
    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    assert world.held(address.address, COIN.id) > 0
    assert await found(world) == 0
    assert [it.money.amount for it in await deposits_of(world)] == [DUE]
    await world.must_be_right()


async def test_what_comes_after_a_sweep_is_found_to_the_last_unit(world: World) -> None:
    address = await address_of_customer(world)
    for _ in range(2):
        pay_customer(world, address, DUE)
        await world.settle_down()
        await swept(world)
        await send(world, address, 7)
        assert await found(world) == 1

    coins = [it.money.amount for it in await deposits_of(world) if it.money.asset == COIN.id]
    assert coins == [7, 7]
    await world.must_be_right()


async def test_what_comes_during_a_sweep_is_found_after_it(world: World) -> None:
    address = await address_of_customer(world)
    pay_customer(world, address, DUE)
    await world.settle_down()
    await world.sweep()
    await send(world, address, 7)
    assert await found(world) == 0

    await world.send_and_settle_down()
    await world.send_and_settle_down()
    assert await found(world) == 1
    assert [it.money.amount for it in await deposits_of(world)] == [DUE, 7]
    await world.must_be_right()


async def test_customers_are_looked_at_in_turn_so_many_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unseen, "CUSTOMERS_MAX", 2)
    addresses = [await address_of_customer(world, f"user-{n}") for n in range(5)]
    for address in addresses:
        await send(world, address, 7)

    assert [await found(world) for _ in range(3)] == [2, 2, 1]
    world.chain.fail_next()
    assert await found(world) == 0  # There has been no other final block: nobody is asked.
    with pytest.raises(ChainUnavailable):
        await world.chain.head()
    await send(world, addresses[0], 8)
    assert await found(world) == 1


async def test_who_was_not_looked_at_has_his_turn_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unseen, "CUSTOMERS_MAX", 1)
    for name in ("user-0", "user-1"):
        await send(world, await address_of_customer(world, name), 7)
    world.chain.fail_next()
    with pytest.raises(ChainUnavailable):
        await found(world)

    assert [await found(world) for _ in range(2)] == [1, 1]


async def test_where_another_watcher_goes_on_meanwhile_the_same_turn_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unseen, "CUSTOMERS_MAX", 1)
    for name in ("user-0", "user-1"):
        await send(world, await address_of_customer(world, name), 7)
    delays = iter([world.settle_down])

    class Slow:
        chain = CHAIN

        async def balances(
            self, addresses: Sequence[str], asset: AssetId, *, at_block: int
        ) -> Sequence[Money]:
            held = await world.chain.balances(addresses, asset, at_block=at_block)
            for delay in delays:
                await delay()
            return held

        async def block(self, number: int) -> Block | None:
            return await world.chain.block(number)

    slow = attrs.evolve(world.services.watcher, readers={CHAIN: cast("ChainReader", Slow())})

    assert [await slow.find_coins(chain=CHAIN) for _ in range(3)] == [0, 1, 1]
