"""Memos, batches and expiry, over storage in memory; and a process that dies at any step."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from domain.settlements.payouts import PayoutState
from tests.contracts.batched_payouts import BatchedPayoutsContract
from tests.contracts.expiring import ExpiringContract, dropped
from tests.contracts.memo_payments import MemoPaymentsContract
from tests.contracts.taking_back import TakingBackContract
from tests.domain.mishaps import Between, Died
from tests.domain.scene import GAS, NET
from tests.domain.shared_wallet import CHAIN, COIN, PLACES, VALID_FOR, new_shared_wallet, till

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.unit_of_work import UnitOfWork
    from tests.domain.services import Services
    from tests.domain.shared_wallet import SharedWallet

TILLS = [till("Ada"), till("Grace")]
STEPS_MAX = 500


class InMemory:
    @pytest.fixture
    async def wallet(self) -> SharedWallet:
        return await new_shared_wallet()


class TestMemoPayments(InMemory, MemoPaymentsContract): ...


class TestBatchedPayouts(InMemory, BatchedPayoutsContract): ...


class TestExpiring(InMemory, ExpiringContract): ...


class TestTakingBack(InMemory, TakingBackContract): ...


async def test_coins_that_reading_will_bring_are_not_booked_before() -> None:
    wallet = await new_shared_wallet(early=500)
    await wallet.settle_down()

    assert await wallet.booked(PLACES.gas, COIN.id) == GAS + 500
    assert await wallet.suspense(COIN.id) == 500
    await wallet.must_be_right()


def mortal(wallet: SharedWallet, *, dies_at: int) -> tuple[Services, list[int]]:
    """Return a process that dies at a step, and how far it has come, in a list of one."""
    steps = [0]

    async def step() -> None:
        steps[0] += 1
        if steps[0] >= dies_at:
            raise Died

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with wallet.begin() as work:
            yield Between(work, step)

    port: Any = Between(wallet.chain, step)
    return wallet.process(begin=begin, reader=port, sender=port), steps


async def paid_once(wallet: SharedWallet) -> None:
    """Go on after a death, and see that each has got its money once."""
    await wallet.must_be_right()
    await wallet.settle_down()
    for _ in range(2):
        await wallet.send()
        await wallet.settle_down()
    assert [wallet.held(each) for each in TILLS] == [NET] * 2
    assert {it.state for it in wallet.around.store.tables.payouts} == {PayoutState.CONFIRMED}
    assert wallet.chain.blocks.pool == []
    await wallet.must_be_right()


async def test_a_sender_that_dies_at_any_step_pays_each_of_a_batch_once() -> None:
    for dies_at in range(1, STEPS_MAX):
        wallet = await new_shared_wallet()
        await wallet.payouts_under_way(TILLS)
        services, steps = mortal(wallet, dies_at=dies_at)
        try:
            await services.sender.send(chain=CHAIN)
        except Died:
            await paid_once(wallet)
            continue
        assert steps[0] > 40, "the sender was hardly looked at"
        return
    raise AssertionError("the sender never came to its end")


async def test_a_watcher_that_dies_at_any_step_of_an_expiry_has_each_paid_once() -> None:
    for dies_at in range(1, STEPS_MAX):
        wallet = await new_shared_wallet()
        await wallet.payouts_under_way(TILLS)
        await dropped(wallet)
        wallet.around.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        wallet.chain.mine()
        wallet.chain.finalize()
        services, steps = mortal(wallet, dies_at=dies_at)
        try:
            for _ in range(3):
                await services.watcher.watch(chain=CHAIN)
        except Died:
            await paid_once(wallet)
            continue
        assert steps[0] > 60, "the watcher was hardly looked at"
        return
    raise AssertionError("the watcher never came to its end")
