"""Transfers to the cold wallet when things go wrong: a process dies, many run at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.treasury.model import TransferState
from ports.unit_of_work import StorageUnavailable
from tests.builders import CHAIN, usdt
from tests.domain.mishaps import Died
from tests.domain.scene import HOT
from tests.domain.vault import COLD, HOT_TARGET, UNIT, WITH_COLD, Mortal, in_between, new_vault

if TYPE_CHECKING:
    from adapters.memory.tables import Journal
    from tests.domain.vault import Process, Vault

STEPS_MAX = 500
MUCH = 250 * UNIT
THERE = (HOT_TARGET, MUCH - HOT_TARGET)


async def round_of(process: Process, vault: Vault) -> None:
    """Run the jobs that drive a transfer, once each."""
    await process.treasury.rebalance(chain=CHAIN)
    await process.services.sender.send(chain=CHAIN)
    vault.world.chain.mine()
    vault.world.chain.finalize()
    for _ in range(2):
        await process.services.watcher.watch(chain=CHAIN)


def of(vault: Vault) -> Process:
    return in_between(vault.world.around, lambda: asyncio.sleep(0))


async def test_a_worker_that_dies_at_any_step_moves_it_exactly_once() -> None:
    for step in range(1, STEPS_MAX):
        vault = await new_vault()
        await vault.gift(MUCH)
        mortal = Mortal(vault.world.around, dies_at=step)
        try:
            await round_of(mortal.process, vault)
        except Died:
            await vault.must_be_right()
        else:
            assert step > 60, "the worker was hardly looked at"
            return
        for _ in range(3):
            await round_of(of(vault), vault)

        assert vault.there() == THERE, f"died at step {step}"
        assert (await vault.latest()).state is TransferState.DONE
        assert len(vault.world.around.store.tables.cold_transfers) == 1
        assert vault.world.chain.blocks.sequence(HOT) == 1
        assert vault.world.chain.blocks.pool == []
        await vault.must_be_right()
    raise AssertionError("the worker never came to its end")


async def test_a_watcher_that_dies_at_any_step_books_what_comes_back_once() -> None:
    for step in range(1, STEPS_MAX):
        vault = await new_vault()
        await vault.gift(MUCH)
        await vault.moved()
        vault.world.chain.transfer(usdt(30 * UNIT), source=COLD, target=HOT)
        mortal = Mortal(vault.world.around, dies_at=step)
        try:
            await round_of(mortal.process, vault)
        except Died:
            await vault.must_be_right()
        else:
            assert step > 40, "the watcher was hardly looked at"
            return
        for _ in range(2):
            await round_of(of(vault), vault)

        back = HOT_TARGET + 30 * UNIT
        assert await vault.booked(WITH_COLD.hot) == back, f"died at step {step}"
        assert await vault.booked(WITH_COLD.cold) == MUCH - back
        assert await vault.booked(WITH_COLD.suspense) == MUCH
        await vault.must_be_right()
    raise AssertionError("the watcher never came to its end")


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("lost", [False, True])
async def test_a_commit_that_is_refused_or_not_answered_is_made_good(
    number: int, *, lost: bool
) -> None:
    vault = await new_vault()
    await vault.gift(MUCH)
    store, met = vault.world.around.store, 0

    def ordered(_: Journal) -> None:
        nonlocal met
        met += 1
        if met == number:
            (store.lose_next_commit if lost else store.fail_next_commit)()

    if number:
        store.on_commit = ordered
    else:
        (store.lose_next_commit if lost else store.fail_next_commit)()
    failed = 0
    for _ in range(4):
        try:
            await round_of(of(vault), vault)
        except StorageUnavailable:
            failed += 1
            await vault.must_be_right()

    assert failed == 1
    assert vault.there() == THERE
    assert vault.world.chain.blocks.sequence(HOT) == 1
    await vault.must_be_right()


async def test_many_workers_at_once_move_it_once() -> None:
    vault = await new_vault()
    await vault.gift(MUCH)
    workers = [of(vault) for _ in range(4)]

    for _ in range(3):
        await asyncio.gather(*(it.treasury.rebalance(chain=CHAIN) for it in workers))
        await asyncio.gather(*(it.services.sender.send(chain=CHAIN) for it in workers))
        vault.world.chain.mine()
        vault.world.chain.finalize()
        await asyncio.gather(*(it.services.watcher.watch(chain=CHAIN) for it in workers))

    assert vault.there() == THERE
    assert len(vault.world.around.store.tables.cold_transfers) == 1
    assert vault.world.chain.blocks.sequence(HOT) == 1
    await vault.must_be_right()


async def test_the_sender_is_woken_with_the_transfer() -> None:
    vault = await new_vault()
    await vault.gift(MUCH)
    assert list(vault.world.around.store.tables.jobs) == []

    await vault.rebalance()

    [job] = vault.world.around.store.tables.jobs
    assert (job.name, job.arguments) == ("send_transactions", {"chain": CHAIN})
    assert await vault.booked(WITH_COLD.moving) == MUCH - HOT_TARGET
