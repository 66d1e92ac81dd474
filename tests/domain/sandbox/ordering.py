"""What tests of orders share: the services over the world's chain, called a devnet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.sandbox import InMemorySandbox
from domain.sandbox.carrying_out import SandboxWorks
from domain.sandbox.service import SandboxService
from tests.builders import CHAIN
from tests.domain.scene import ASSETS, PLACES
from tests.domain.world import World

if TYPE_CHECKING:
    from domain.sandbox.model import SandboxOrder
    from domain.shared.jobs import Job

DEVNET = attrs.evolve(PLACES, devnet=True)


@attrs.frozen
class Ordering:
    """A test account that orders, and the worker that carries it out."""

    world: World
    service: SandboxService
    works: SandboxWorks
    sandbox: InMemorySandbox

    @classmethod
    def of(cls, world: World) -> Ordering:
        around, at = world.around, {CHAIN: DEVNET}
        begin, clock, sandbox = around.store.begin, around.clock, InMemorySandbox(around.chain)
        return cls(
            world,
            SandboxService(begin, clock, around.ids, ASSETS, at),
            SandboxWorks(begin, clock, at, {CHAIN: sandbox}),
            sandbox,
        )

    async def carry_out(self, order: SandboxOrder) -> SandboxOrder:
        """Let the worker do it; return what came of it."""
        await self.works.carry_out(order_id=order.id)
        return await self.now(order)

    async def now(self, order: SandboxOrder) -> SandboxOrder:
        return await self.service.get(owner=order.merchant_id, order_id=order.id)

    def jobs(self, name: str) -> list[Job]:
        return [job for job in self.world.around.store.tables.jobs if job.name == name]
