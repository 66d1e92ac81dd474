"""Deposit addresses, and two processes that would sweep them all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.builders import CHAIN, COIN, USDT
from tests.concurrency.gateway import at_once
from tests.domain.scene import FEE, HOT, NET, TILL
from tests.domain.world import address_for

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
        holdings = connection.execute("select address, asset, amount from deposit_holding")
        held = {(address, asset): int(amount) for address, asset, amount in holdings}
    assert swept == sorted((address_for(intent), "done") for intent in intents)
    assert held == {
        (address_for(intent), asset): world.held(address_for(intent), asset)
        for intent in intents
        for asset in (USDT.id, COIN.id)
    }
    assert not any(amount for (_, asset), amount in held.items() if asset == USDT.id)
    assert [chain.blocks.sequence(address_for(intent)) for intent in intents] == [1] * ADDRESSES
    assert (world.held(TILL), world.held(HOT)) == (ADDRESSES * NET, ADDRESSES * FEE)
    await gateways.must_be_right()
