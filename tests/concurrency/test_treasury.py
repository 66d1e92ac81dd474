"""A hot wallet that is too full, and two processes that would all move what is too much."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from domain.settlements.liquidity import liquid
from tests.builders import CHAIN, USDT, usdt
from tests.concurrency.gateway import HesitantChain, Hesitation, at_once
from tests.domain.scene import DUE, HOT, NET, PAYER, TILL
from tests.domain.sweeping import paid
from tests.domain.vault import COLD, HOT_TARGET, UNIT, WITH_COLD, new_vault, process

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from adapters.postgres.storage import PostgresStorage
    from tests.domain.services import Surroundings
    from tests.domain.vault import Process, Vault

SEEDS = range(4)
ROUNDS = 8
GIFT = 250 * UNIT
PAID = 3


def everything(processes: list[Process]) -> list[Coroutine[Any, Any, object]]:
    """Return every job that moves money, as both processes would run it now."""
    return [
        job
        for it in processes
        for job in (
            it.treasury.rebalance(chain=CHAIN),
            it.treasury.rebalance(chain=CHAIN),
            it.treasury.check_tank(chain=CHAIN),
            it.services.sweeps.sweep(chain=CHAIN),
            it.services.sender.send(chain=CHAIN),
            it.services.watcher.watch(chain=CHAIN),
            it.services.settlements.run(),
        )
    ]


@pytest.mark.parametrize("seed", SEEDS)
async def test_each_surplus_is_moved_once_and_all_are_paid(
    storages: tuple[PostgresStorage, PostgresStorage],
    around: Surroundings,
    postgres_dsn: str,
    seed: int,
) -> None:
    hesitate = Hesitation(random.Random(seed))  # noqa: S311 (Only the order depends on it.)
    vault = await new_vault(begin=storages[0].begin, around=around)
    world, port = vault.world, cast("Any", HesitantChain(around.chain, hesitate))
    processes = [
        process(around, begin=hesitate.begin(it.begin), reader=port, sender=port)
        for it in storages
    ]
    for _ in range(PAID):
        await paid(world)
    await vault.gift(GIFT)
    world.chain.transfer(usdt(GIFT), source=PAYER, target=HOT)

    for round_ in range(ROUNDS):
        await at_once(everything(processes), seed=seed * ROUNDS + round_)
        world.chain.mine()
        world.chain.finalize()
        await must_have_what_is_promised(vault)
    for _ in range(3):
        await world.services.settlements.run()
        await world.send_and_settle_down()

    with psycopg.connect(postgres_dsn) as connection:
        moved = connection.execute("select state, amount from cold_transfer").fetchall()
    assert {state for state, _ in moved} == {"done"}
    assert sum(amount for _, amount in moved) == world.held(COLD) > GIFT
    # All that came in is somewhere: in the cold wallet, with the merchant, or kept hot.
    assert world.held(TILL) == PAID * NET
    assert world.held(COLD) + world.held(TILL) + world.held(HOT) == PAID * DUE + 2 * GIFT
    assert world.held(HOT) >= HOT_TARGET
    await vault.must_be_right()


async def must_have_what_is_promised(vault: Vault) -> None:
    """See that the hot wallet holds, in the books, what it has promised to anybody."""
    async with vault.begin() as work:
        await work.chains.lock_cursor(CHAIN)
        assert (await liquid(work, WITH_COLD, USDT.id)).amount >= 0
