"""Deposit addresses, and two processes that would sweep them all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.builders import CHAIN
from tests.concurrency.gateway import at_once
from tests.domain.world import FEE, HOT, NET, TILL, address_for

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tests.concurrency.gateway import Gateways

SEEDS = range(4)
ADDRESSES = 5
ROUNDS = 8


def everything(gateways: Gateways) -> list[Coroutine[Any, Any, object]]:
    """Return every job that drives a sweep, as both processes would run it now."""
    return [
        job
        for process in gateways.processes
        for job in (
            process.sweeps.sweep(chain=CHAIN),
            process.sender.send(chain=CHAIN),
            process.watcher.watch(chain=CHAIN),
            process.settlements.run(),
        )
    ]


@pytest.mark.parametrize("seed", SEEDS)
async def test_each_address_is_swept_once(
    gateways: Gateways, postgres_dsn: str, seed: int
) -> None:
    gateways.reseed(seed)
    world, chain = gateways.world, gateways.around.chain
    intents = [await world.intent() for _ in range(ADDRESSES)]
    for intent in intents:
        world.pay(intent)
    await world.settle_down()

    for round_ in range(ROUNDS):
        await at_once(everything(gateways), seed=seed * ROUNDS + round_)
        chain.mine()
        chain.finalize()
    for _ in range(3):
        await world.services.settlements.run()
        await world.send_and_settle_down()

    with psycopg.connect(postgres_dsn) as connection:
        swept = connection.execute("select address, state from sweep order by address").fetchall()
        held = connection.execute("select distinct amount from deposit_holding").fetchall()
    assert swept == sorted((address_for(intent), "done") for intent in intents)
    assert held == [(0,)]
    assert [chain.blocks.sequence(address_for(intent)) for intent in intents] == [1] * ADDRESSES
    assert (world.held(TILL), world.held(HOT)) == (ADDRESSES * NET, ADDRESSES * FEE)
    await gateways.must_be_right()
