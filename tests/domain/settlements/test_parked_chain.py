"""On a chain that is parked nobody is settled; when it moves again, all that waited is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tests.builders import CHAIN
from tests.domain.scene import NET

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_a_parked_chain_settles_nobody_until_it_is_resumed(world: World) -> None:
    await world.released()
    async with world.services.begin() as work:
        cursor = await work.chains.lock_cursor(CHAIN)
        assert cursor is not None
        await work.chains.save_cursor(attrs.evolve(cursor, parked="a final block was replaced"))
        await work.commit()

    assert await world.services.settlements.run() == []
    assert await world.set_aside() == 0

    await world.services.watcher.resume(chain=CHAIN)
    [settlement] = await world.services.settlements.run()
    assert settlement.money.amount == NET
