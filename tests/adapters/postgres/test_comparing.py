"""The books are compared with a chain while watchers book: each waits for the other's end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from domain.fees.model import FeeSchedule
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.ledger.comparing import Comparing
from domain.merchants.model import PayoutTerms
from domain.shared.money import Money
from tests.builders import CHAIN, USDT, coins, usd, usdt
from tests.domain.scene import ASSETS, DUE, GAS, HOT, PAYER, PLACES
from tests.domain.services import Surroundings, compose
from tests.domain.world import address_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from adapters.postgres.storage import PostgresStorage
    from domain.ledger.comparing import Comparison
    from ports.unit_of_work import UnitOfWork
    from tests.domain.services import Services

WAIT_SECONDS = 0.3
"""How long a watcher that is not held up is given to come to its end."""


class Gateway:
    """The gateway over PostgreSQL, on a chain in memory, with one payment about to be final."""

    def __init__(self, storage: PostgresStorage) -> None:
        self.around = Surroundings()
        self.storage = storage
        self.services: Services = compose(self.around, begin=storage.begin)

    async def open(self) -> None:
        chain = self.around.chain
        chain.fund(HOT, coins(GAS))
        chain.fund(PAYER, usdt(10 * DUE))
        chain.mine(3)
        chain.finalize()
        await self.services.books.book_gas(chain=CHAIN)
        merchant = await self.services.merchants.register(
            name="Ada's bicycles", fees=FeeSchedule(bps=100), payouts=PayoutTerms()
        )
        await self.watch()
        intent = await self.services.intents.create(
            merchant=merchant, method=Method.ADDRESS, offer=PriceIn(usd(2500), USDT.id)
        )
        chain.transfer(Money(DUE, USDT.id), source=PAYER, target=address_for(intent))
        chain.mine()
        await self.watch()
        chain.finalize()

    async def watch(self) -> None:
        for _ in range(10):
            if not (await self.services.watcher.watch(chain=CHAIN)).behind:
                return
        raise AssertionError("the chain was not read to its end")

    @asynccontextmanager
    async def interrupted(self, meanwhile: Callable[[], object]) -> AsyncIterator[UnitOfWork]:
        """Begin a unit of work in which something happens before balances are read."""
        async with self.storage.begin() as work:
            balances = work.ledger.balances

            async def late(*, prefix: str) -> object:
                await asyncio.sleep(0)
                outcome = meanwhile()
                if asyncio.iscoroutine(outcome):
                    await outcome
                return await balances(prefix=prefix)

            class Ledger:
                def __getattr__(self, name: str) -> object:
                    return late if name == "balances" else getattr(work.ledger, name)

            class Work:
                ledger = Ledger()

                def __getattr__(self, name: str) -> object:
                    return getattr(work, name)

            yield Work()  # type: ignore[misc]  # All of it but one method.


@pytest.fixture
async def gateway(storage: PostgresStorage) -> Gateway:
    opened = Gateway(storage)
    await opened.open()
    return opened


async def test_a_watcher_cannot_book_between_the_cursor_and_the_balances(
    gateway: Gateway,
) -> None:
    watching: list[asyncio.Task[None]] = []

    async def watcher_goes_on() -> None:
        if not watching:
            watching.append(asyncio.create_task(gateway.watch()))
            await asyncio.wait(watching, timeout=WAIT_SECONDS)

    comparing = Comparing(
        lambda: gateway.interrupted(watcher_goes_on),
        ASSETS,
        {CHAIN: gateway.around.chain},
        {CHAIN: PLACES},
    )

    compared = await comparing.compare(chain=CHAIN)

    assert differing(compared) == []
    await watching[0]
    after = await gateway.services.books.compare(chain=CHAIN)
    assert differing(after) == []
    assert DUE in {spot.books for spot in after}
    assert DUE not in {spot.books for spot in compared}


async def test_a_divergence_is_found_named_and_parked(gateway: Gateway) -> None:
    gateway.around.clock.advance(seconds=12)
    stolen = gateway.around.chain.transfer(coins(5), source=HOT, target=PAYER)
    gateway.around.chain.mine()
    gateway.around.clock.advance(seconds=12)
    gateway.around.chain.finalize()
    await gateway.watch()

    [parked] = await gateway.services.conservation.reconcile(chain=CHAIN)

    assert stolen
    assert parked.reason.endswith(": -5")
    assert str(parked.entry).endswith("books less chain is 5, which no entry explains")
    assert [it.asset for it in await gateway.services.conservation.parked()] == [parked.asset]


def differing(compared: object) -> list[Comparison]:
    assert isinstance(compared, list)
    return [spot for spot in compared if not spot.agree]
