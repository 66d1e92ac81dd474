"""What tests of sweeps begin with, and look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.domain.scene import DUE

if TYPE_CHECKING:
    from domain.chains.submissions import Submission
    from domain.intents.model import PaymentIntent
    from domain.sweeps.model import Sweep
    from tests.domain.world import World

FEE = 21_000
"""What the chain takes for each of our transactions."""
NEEDED = 2 * FEE
"""The most it says that it takes."""
FUNDED = NEEDED + NEEDED // 5
"""What an address is given that has nothing."""


async def paid(world: World, amount: int = DUE) -> PaymentIntent:
    """Return an intent whose money lies at its address, for good."""
    intent = await world.intent()
    world.pay(intent, amount)
    await world.settle_down()
    return await world.now(intent)


async def swept(world: World) -> None:
    """Let everything that is worth it be swept, to the end."""
    await world.sweep()
    await world.send_and_settle_down()
    await world.send_and_settle_down()


def sweeps(world: World) -> list[Sweep]:
    return list(world.around.store.tables.sweeps)


def newest(world: World) -> Submission:
    return list(world.around.store.tables.submissions)[-1]
