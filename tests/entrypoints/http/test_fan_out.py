"""How often the feeds are looked at for those who listen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from entrypoints.http.fan_out import LOOKS_KEPT, REST, FanOut
from tests.domain.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.unit_of_work import UnitOfWork

STALL_SECONDS = 0.2


async def test_a_look_that_was_held_up_makes_the_next_one_no_later() -> None:
    """As by a collection of garbage: nobody would be told of anything for as long again."""
    world, clock = await new_world(), asyncio.get_running_loop()
    webhooks = world.services.webhooks
    looks: list[tuple[float, float]] = []
    enough = asyncio.Event()

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        began = clock.time()
        async with webhooks.begin() as work:
            yield work
        if len(looks) == 2:
            await asyncio.sleep(STALL_SECONDS)
        looks.append((began, clock.time()))
        if len(looks) == LOOKS_KEPT:
            enough.set()

    fan_out = FanOut(service=attrs.evolve(webhooks, begin=begin), look_every_seconds=0.001)
    async with fan_out.running(), asyncio.timeout(10):
        listener = fan_out.join(world.merchant.id, after=0)
        await enough.wait()
        fan_out.leave(listener)

    assert max(end - began for began, end in looks) >= STALL_SECONDS
    assert max(later - end for (_, end), (later, _) in pairwise(looks)) < REST * STALL_SECONDS
