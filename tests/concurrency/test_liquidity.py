"""What is promised to one merchant is never promised to another, whoever signs meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from tests.builders import CHAIN
from tests.domain.scene import HOT
from tests.domain.services import compose
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from adapters.postgres.storage import PostgresStorage
    from domain.ledger.model import Balance
    from domain.settlements.model import Settlement
    from ports.ledger import Ledger
    from ports.unit_of_work import Begin, UnitOfWork
    from tests.concurrency.gateway import Gateways


LOOKS_OF_A_TURN = 4
"""Who is owed what; what is reserved, what the wallet holds, and what is in flight."""
MOMENT_SECONDS = 0.3
"""Enough for the other run to promise what it believes to be there."""


class BetweenSums:
    """A ledger in which something happens after each look at many balances."""

    def __init__(self, ledger: Ledger, happens: Callable[[], Awaitable[object]]) -> None:
        self._ledger = ledger
        self._happens = happens

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the ledger has there)
        return getattr(self._ledger, name)

    async def balances(self, *, prefix: str) -> Sequence[Balance]:
        return await self._look(await self._ledger.balances(prefix=prefix))

    async def kept_balances(self, *, prefix: str = "") -> Sequence[Balance]:
        return await self._look(await self._ledger.kept_balances(prefix=prefix))

    async def _look(self, found: Sequence[Balance]) -> Sequence[Balance]:
        await self._happens()
        return found


def interrupted(begin: Begin, happens: Callable[[], Awaitable[object]]) -> Begin:
    @asynccontextmanager
    async def opened() -> AsyncIterator[UnitOfWork]:
        async with begin() as work:
            cast("Any", work).ledger = BetweenSums(work.ledger, happens)
            yield work

    return opened


async def test_money_that_is_being_signed_away_is_not_promised_again(
    gateways: Gateways, storages: tuple[PostgresStorage, PostgresStorage]
) -> None:
    """It moves from the reserve to what is in flight: it must be in one of them, or in both."""
    for sums_before in range(6):
        world = gateways.world
        await world.released()
        [promised] = await gateways.process(0).settlements.run()
        grace = await another_merchant(world)
        intent = await world.intent(merchant=grace)
        world.pay(intent)  # To a deposit address: it is owed, and not in the hot wallet.
        await world.settle_down()
        looks = 0

        async def sign_the_first(after: int = sums_before) -> None:
            nonlocal looks
            looks += 1
            if looks == after:
                await gateways.process(1).sender.send(chain=CHAIN)

        begin = interrupted(storages[0].begin, sign_the_first)
        made = await compose(gateways.around, begin=begin).settlements.run()

        assert made == [], f"{promised.money} signed after {sums_before} sums"
        await world.send_and_settle_down()
        await gateways.must_be_right()


async def test_two_merchants_are_not_promised_the_same_money_at_once(
    gateways: Gateways, storages: tuple[PostgresStorage, PostgresStorage]
) -> None:
    """One run knows of one merchant only; the other has another one's turn half done."""
    world = gateways.world
    grace = await another_merchant(world)
    world.pay(await world.intent(merchant=grace))  # Owed, and not in the hot wallet.
    held = await world.paid_escrow()
    await world.services.escrows.release(owner=held.merchant_id, intent_id=held.id)
    await world.send()
    world.chain.mine()
    half_done, looks = asyncio.Event(), 0
    runs: list[asyncio.Task[Sequence[Settlement]]] = []

    async def wait_half_way() -> None:
        nonlocal looks
        looks += 1
        if looks == LOOKS_OF_A_TURN:
            half_done.set()
            await asyncio.sleep(MOMENT_SECONDS)

    async def let_another_begin() -> None:
        if not runs:
            await world.settle_down()
            begin = interrupted(storages[0].begin, wait_half_way)
            runs.append(
                asyncio.create_task(compose(gateways.around, begin=begin).settlements.run())
            )
            await half_done.wait()

    begin = interrupted(storages[1].begin, let_another_begin)
    made = list(await compose(gateways.around, begin=begin).settlements.run())
    made += await runs[0]

    assert [it.money.amount for it in made] == [world.held(HOT)]
    await gateways.must_be_right()
