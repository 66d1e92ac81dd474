"""What tests of customers' deposits begin with, and look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.customers.listing import Wanted
from domain.shared.money import Money
from tests.builders import CHAIN, USDT
from tests.domain.scene import PAYER, ROUNDS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.customers.model import CustomerAddress, Deposit, DepositStatus
    from domain.merchants.model import Merchant
    from domain.shared.money import AssetId
    from domain.suspense.model import SuspenseItem
    from tests.domain.world import World

CUSTOMER = "user-1"


async def address_of_customer(
    world: World, customer: str = CUSTOMER, *, merchant: Merchant | None = None
) -> CustomerAddress:
    """Return a customer's address."""
    return await world.services.customers.address(
        merchant=merchant or world.merchant, customer=customer, chain=CHAIN
    )


def pay_customer(
    world: World, address: CustomerAddress, amount: int, *, asset: AssetId = USDT.id
) -> str:
    """Have a payer pay a customer's address; it is in no block yet."""
    return world.chain.transfer(Money(amount, asset), source=PAYER, target=address.address)


async def deposits_of(world: World, merchant: Merchant | None = None) -> Sequence[Deposit]:
    """Return the deposits of a merchant, in the order in which they were seen."""
    found = await world.services.customers.deposits(
        owner=(merchant or world.merchant).id, wanted=Wanted(), limit=ROUNDS_MAX
    )
    return found[::-1]


async def the_deposit(world: World) -> Deposit:
    """Return the only deposit there is."""
    [deposit] = await deposits_of(world)
    return deposit


async def standing(world: World) -> list[tuple[DepositStatus, int]]:
    """Return where each deposit stands, in the order in which they were seen."""
    return [(it.status, it.money.amount) for it in await deposits_of(world)]


def with_minimum(world: World, units: int) -> World:
    """Return the world where less than so many smallest units are not credited."""
    watcher = attrs.evolve(world.services.watcher, deposit_minimums={USDT.id: units})
    return attrs.evolve(world, services=attrs.evolve(world.services, watcher=watcher))


async def in_suspense(world: World) -> Sequence[SuspenseItem]:
    """Return all that waits for somebody to decide."""
    return await world.services.suspense.page(limit=ROUNDS_MAX)
