"""A world with a cold wallet: what tests of the treasury begin with, and look at."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from domain.treasury.model import Watched
from domain.treasury.policy import HotThresholds, TankThresholds
from domain.treasury.service import TreasuryService
from ports.unit_of_work import Begin
from tests.builders import CHAIN, USDT, address_of, coins, usdt
from tests.domain.mishaps import Between, Died
from tests.domain.scene import ASSETS, GAS, HOT, PAYER, PLACES, TILL
from tests.domain.services import Services, Surroundings, compose
from tests.domain.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from domain.ledger.accounts import Account
    from domain.shared.money import AssetId
    from domain.treasury.model import Alarm, ColdTransfer
    from ports.chain import ChainReader, ChainSender
    from ports.unit_of_work import UnitOfWork

COLD = address_of("cold")
WITH_COLD = attrs.evolve(PLACES, cold_wallet=COLD)
UNIT = 10**18
HOT_MIN, HOT_TARGET, HOT_MAX, LEAST = 20 * UNIT, 40 * UNIT, 100 * UNIT, 5 * UNIT
THRESHOLDS = HotThresholds(minimum=HOT_MIN, target=HOT_TARGET, maximum=HOT_MAX, least=LEAST)
TANK = TankThresholds(
    average_days=10, empty_days=1, low_days=5, ok_days=8, low_below=1_000, ok_from=2_000
)
DUE_IN_COLD = WITH_COLD.treasury_due


def treasury_of(around: Surroundings, *, begin: Begin | None = None) -> TreasuryService:
    """Compose the treasury of one process."""
    return TreasuryService(
        begin=begin or around.store.begin,
        clock=around.clock,
        ids=around.ids,
        assets=ASSETS,
        places={CHAIN: WITH_COLD},
        hot={USDT.id: THRESHOLDS},
        tanks={CHAIN: TANK},
    )


@attrs.frozen(kw_only=True)
class Process:
    """One process: the usual services, and the treasury."""

    services: Services
    treasury: TreasuryService


def process(
    around: Surroundings,
    *,
    begin: Begin | None = None,
    reader: ChainReader | None = None,
    sender: ChainSender | None = None,
) -> Process:
    services = compose(around, begin=begin, reader=reader, sender=sender, places=WITH_COLD)
    return Process(services=services, treasury=treasury_of(around, begin=begin))


def in_between(around: Surroundings, hook: Callable[[], Awaitable[None]]) -> Process:
    """Compose a process with a hook around each call of storage and chain."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with around.store.begin() as work:
            yield Between(work, hook)

    port = Between(around.chain, hook)
    return process(around, begin=begin, reader=port, sender=port)


class Mortal:
    """A process that dies at a step; ``steps`` counts how far it has come."""

    def __init__(self, around: Surroundings, *, dies_at: int) -> None:
        self.steps = 0
        self._dies_at = dies_at
        self.process = in_between(around, self._step)

    async def _step(self) -> None:
        self.steps += 1
        if self.steps >= self._dies_at:
            raise Died


@attrs.frozen(kw_only=True)
class Vault:
    """A world whose hot wallet is full, and what happens between it and the cold one."""

    world: World
    begin: Begin
    treasury: TreasuryService

    async def gift(self, amount: int, *, source: str = PAYER) -> None:
        """Have tokens come to the hot wallet, for good."""
        self.world.chain.transfer(usdt(amount), source=source, target=HOT)
        await self.world.settle_down()

    async def rebalance(self) -> list[ColdTransfer]:
        return [*await self.treasury.rebalance(chain=CHAIN)]

    async def moved(self) -> ColdTransfer:
        """Move what is too much, to the end; return the one transfer that did it."""
        [transfer] = await self.rebalance()
        await self.world.send_and_settle_down()
        return transfer

    async def bring_back(self, amount: int) -> None:
        """Have a person bring tokens from the cold wallet to the hot one."""
        await self.gift(amount, source=COLD)

    async def booked(self, account: Account, asset: AssetId = USDT.id) -> int:
        async with self.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                if (balance.account, balance.money.asset) == (account, asset):
                    return balance.money.amount
        return 0

    async def latest(self) -> ColdTransfer:
        async with self.begin() as work:
            found = await work.treasury.latest(USDT.id)
        assert found is not None
        return found

    async def alarm(self, watched: Watched = Watched.HOT) -> Alarm | None:
        asset = USDT.id if watched is Watched.HOT else PLACES.native
        async with self.begin() as work:
            return await work.treasury.alarm(watched, asset)

    def there(self) -> tuple[int, int]:
        """Return what the chain says that the hot and the cold wallet hold."""
        return self.world.held(HOT), self.world.held(COLD)

    async def must_be_right(self) -> None:
        """Check the books against themselves and the chain; nothing is due for nothing."""
        books = self.world.services.books
        assert [it for it in await books.check() if "seal" not in it.what] == []
        compared = await books.compare(chain=CHAIN)
        assert [spot for spot in compared if not spot.agree] == []
        async with self.begin() as work:
            latest = await work.treasury.latest(USDT.id)
        under_way = latest.money.amount if latest and latest.is_moving else 0
        assert await self.booked(DUE_IN_COLD) == -under_way


async def new_vault(*, begin: Begin | None = None, around: Surroundings | None = None) -> Vault:
    """Return a world in which payers have money, the gas tank is booked, and a block is final."""
    around = around or Surroundings()
    chain = around.chain
    chain.fund(HOT, coins(GAS))
    chain.fund(PAYER, usdt(10_000 * UNIT))
    chain.mine(3)
    chain.finalize()
    begin = begin or around.store.begin
    made = process(around, begin=begin)
    merchant = await made.services.merchants.register(
        name="Ada's bicycles",
        fees=FeeSchedule(bps=100),
        payouts=PayoutTerms(destinations={CHAIN: TILL}),
    )
    world = World(around=around, services=made.services, merchant=merchant)
    await made.services.books.book_gas(chain=CHAIN)
    await world.watch()
    return Vault(world=world, begin=begin, treasury=made.treasury)
