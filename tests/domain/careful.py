"""A gateway that wants more of large amounts than the chain's own word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from domain.chains.finality import Ladder, Rung
from tests.builders import CHAIN, usdt
from tests.domain.scene import DUE

if TYPE_CHECKING:
    from domain.chains.model import Cursor
    from tests.domain.world import World

BASE = 4
"""Blocks on top of what is final by the chain's word, and of what is paid in small amounts."""
DEEP = 10


def careful(world: World, *rungs: Rung, **evidence: Any) -> World:  # noqa: ANN401 (any field's)
    """Return the world as a new process sees it that wants more of amounts of two intents' due."""
    rungs = rungs or (Rung(at_least=usdt(2 * DUE), **(evidence or {"confirmations": DEEP})),)
    watcher = attrs.evolve(world.services.watcher, ladders={CHAIN: Ladder(rungs)})
    return attrs.evolve(world, services=attrs.evolve(world.services, watcher=watcher))


async def cursor_of(world: World) -> Cursor:
    async with world.around.store.begin() as work:
        cursor = await work.chains.cursor(CHAIN)
    assert cursor is not None
    return cursor


async def final(world: World) -> int:
    """Return the number of the block up to which all is booked."""
    return (await cursor_of(world)).final.number
