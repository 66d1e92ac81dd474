"""Gateways on one database: the same services as ever, in two processes, on PostgreSQL.

Both look at one chain in memory, and hesitate for a moment before whatever they do, so that the
order in which they meet is another one for each seed.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from domain.fees.model import FeeSchedule
from domain.merchants.model import Merchant, PayoutTerms
from ports.chain import InstructionRefused
from tests.builders import CHAIN, USDT, coins, usdt
from tests.domain.scene import DUE, GAS, HOT, PAYER, TILL
from tests.domain.services import Services, Surroundings, compose
from tests.domain.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterable

    from adapters.memory.chain import InMemoryChain
    from adapters.postgres.storage import PostgresStorage
    from ports.unit_of_work import Begin, UnitOfWork

PAUSE_MAX_SECONDS = 0.004
"""About as long as a transaction takes, so that any of them can be before any other."""
HESITATES = 0.5
"""How often it is worth a wait, and not only a look at who else is ready."""


@attrs.frozen
class Hesitation:
    """Short waits, other ones for each seed."""

    random: random.Random

    async def __call__(self, *, times: int = 1) -> None:
        """Let the others go first, or not."""
        await asyncio.sleep(0)
        if self.random.random() < HESITATES:
            await self.wait(times=times)

    async def wait(self, *, times: int) -> None:
        """Let so much time pass, or less."""
        await asyncio.sleep(self.random.uniform(0, times * PAUSE_MAX_SECONDS))

    def begin(self, begin: Begin) -> Begin:
        """Return a ``begin`` that hesitates before each unit of work."""

        @asynccontextmanager
        async def hesitant() -> AsyncIterator[UnitOfWork]:
            await self()
            async with begin() as work:
                yield work

        return hesitant


class HesitantChain:
    """A chain that takes its time; so many of the next trial runs as ``refusals`` says fail."""

    def __init__(self, chain: InMemoryChain, hesitate: Hesitation) -> None:
        self.refusals = 0
        self._chain = chain
        self._hesitate = hesitate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        attribute = getattr(self._chain, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def slowly(*arguments: object, **named: object) -> object:
            await self._hesitate()
            if name == "prepare" and self.refusals:
                self.refusals -= 1
                raise InstructionRefused("as ordered")
            return await attribute(*arguments, **named)

        return slowly


@attrs.frozen(kw_only=True)
class Gateways:
    """Several processes on one database and one chain."""

    around: Surroundings
    processes: Sequence[Services]
    chain: HesitantChain
    hesitate: Hesitation
    merchant: Merchant

    def process(self, number: int) -> Services:
        """Return one of the processes, in turn."""
        return self.processes[number % len(self.processes)]

    @property
    def world(self) -> World:
        """The usual verbs, by the first process."""
        return World(around=self.around, services=self.processes[0], merchant=self.merchant)

    def reseed(self, seed: int) -> None:
        """Begin another round, in which everybody hesitates in other places."""
        self.hesitate.random.seed(seed)

    async def must_be_right(self) -> None:
        """Check the books against themselves, and with the chain to the last unit."""
        books = self.processes[0].books
        # Sealing is a job of its own, which nobody runs here: what waits for it is no finding.
        assert [it for it in await books.check() if "seal" not in it.what] == []
        assert [spot for spot in await books.compare(chain=CHAIN) if not spot.agree] == []


async def open_gateways(storages: Sequence[PostgresStorage], around: Surroundings) -> Gateways:
    """Return gateways in which payers have money, the gas tank is booked, and a block is final."""
    chain = around.chain
    chain.fund(HOT, coins(GAS))
    chain.fund(PAYER, usdt(10_000 * DUE))
    chain.mine(3)
    chain.finalize()
    hesitate = Hesitation(random.Random(0))  # noqa: S311 (Only the order depends on it.)
    slow = HesitantChain(chain, hesitate)
    port: Any = slow
    processes = [
        compose(around, begin=hesitate.begin(storage.begin), reader=port, sender=port)
        for storage in storages
    ]
    merchant = await processes[0].merchants.register(
        name="Ada's bicycles",
        fees=FeeSchedule(bps=100),
        payouts=PayoutTerms(destinations={CHAIN: TILL}),
    )
    await processes[0].books.book_gas(chain=CHAIN)
    gateways = Gateways(
        around=around, processes=processes, chain=slow, hesitate=hesitate, merchant=merchant
    )
    await gateways.world.watch()
    return gateways


async def at_once(tasks: Iterable[Coroutine[Any, Any, object]], *, seed: int) -> None:
    """Start everything at once, in an order of the seed's; the first failure ends all."""
    shuffled = list(tasks)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 (As above.)
    async with asyncio.TaskGroup() as group:
        for task in shuffled:
            group.create_task(task)


async def with_approval(gateways: Gateways, *, till: str, above: int = 0) -> Merchant:
    """Return a merchant whose larger settlements wait for a person."""
    return await gateways.process(0).merchants.register(
        name="Grace's clocks",
        fees=FeeSchedule(bps=100),
        payouts=PayoutTerms(destinations={CHAIN: till}, approval_above={USDT.id: above}),
    )
