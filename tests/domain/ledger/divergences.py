"""How books and chain come to differ, and what it takes for that to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.model import Transaction, credit, debit
from tests.builders import CHAIN
from tests.domain.scene import PLACES

if TYPE_CHECKING:
    from datetime import datetime

    from domain.ledger.accounts import Account
    from domain.ledger.parking import ParkedAsset
    from domain.shared.ids import TransactionId
    from domain.shared.money import Money
    from tests.domain.world import World


async def blocks(world: World, count: int = 1) -> None:
    """Make blocks, each of a time of its own, and read them."""
    for _ in range(count):
        world.clock.advance(seconds=12)
        await world.read()


async def final(world: World) -> None:
    await blocks(world, 6)


async def reconcile(world: World) -> list[ParkedAsset]:
    return [*await world.services.conservation.reconcile(chain=CHAIN)]


async def planted(
    world: World, money: Money, *, at: datetime | None = None, into: Account = PLACES.hot
) -> TransactionId:
    """Book money that is not on the chain; return the booking's id."""
    booking = Transaction(
        kind="mistake",
        reference="by hand",
        postings=(debit(into, money), credit(PLACES.suspense, money)),
        effective_at=at or world.clock.now(),
    )
    async with world.around.store.begin() as work:
        await work.ledger.book(booking)
        await work.commit()
    [*_, booked] = world.around.store.tables.transactions
    return booked.id


async def busy(world: World) -> None:
    """Have payments, an agreement on them, and payments after it."""
    world.pay(await world.intent())
    await final(world)
    await reconcile(world)
    await trade(world)


async def trade(world: World) -> None:
    for _ in range(3):
        world.pay(await world.intent())
        await blocks(world, 2)
    await final(world)
