"""Transfers to the cold wallet and back, and what is kept of them, over PostgreSQL."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from domain.treasury.model import TransferState
from tests.builders import CHAIN, usdt
from tests.contracts.cold_transfers import (
    ColdTransfersContract,
    ColdWalletContract,
    RefusedTransfersContract,
)
from tests.contracts.treasury import TreasuryContract
from tests.domain.mishaps import Died
from tests.domain.scene import HOT
from tests.domain.services import Surroundings
from tests.domain.vault import COLD, HOT_TARGET, UNIT, WITH_COLD, new_vault, process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.storage import PostgresStorage
    from ports.unit_of_work import Begin, UnitOfWork
    from tests.domain.vault import Process, Vault

COMMITS_MAX = 50
MUCH = 250 * UNIT


class Stored:
    @pytest.fixture
    async def vault(self, storage: PostgresStorage) -> Vault:
        return await new_vault(begin=storage.begin)


class TestColdTransfers(Stored, ColdTransfersContract): ...


class TestRefusedTransfers(Stored, RefusedTransfersContract): ...


class TestColdWallet(Stored, ColdWalletContract): ...


class TestTreasury(TreasuryContract):
    @pytest.fixture
    def begin(self, storage: PostgresStorage) -> Begin:
        return storage.begin


class DyingCommits:
    """A ``begin`` whose process dies at one commit: just before it, or just after."""

    def __init__(self, begin: Begin, *, at: int, after: bool) -> None:
        self.commits = 0
        self._begin = begin
        self._at = at
        self._after = after

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        async with self._begin() as work:
            dying: Any = _Dying(work, self)
            yield dying

    async def commit(self, work: UnitOfWork) -> None:
        self.commits += 1
        if self.commits == self._at and not self._after:
            raise Died
        await work.commit()
        if self.commits == self._at:
            raise Died


class _Dying:
    def __init__(self, work: UnitOfWork, deaths: DyingCommits) -> None:
        self._work, self._deaths = work, deaths

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever a unit of work has)
        return getattr(self._work, name)

    async def commit(self) -> None:
        await self._deaths.commit(self._work)


async def jobs_of(made: Process, vault: Vault) -> None:
    """Run what takes money to the cold wallet, and read a part of it coming back."""
    await made.treasury.rebalance(chain=CHAIN)
    await made.services.sender.send(chain=CHAIN)
    vault.world.chain.mine()
    vault.world.chain.finalize()
    await made.services.watcher.watch(chain=CHAIN)
    if vault.world.held(COLD) == MUCH - HOT_TARGET:
        vault.world.chain.transfer(usdt(UNIT), source=COLD, target=HOT)


@pytest.mark.parametrize("after", [False, True])
async def test_a_worker_that_dies_at_any_commit_moves_it_exactly_once(
    storage: PostgresStorage, *, after: bool
) -> None:
    """Each death leaves one transfer more behind, and books that are right all the while."""
    around = Surroundings()
    vault = await new_vault(begin=storage.begin, around=around)
    cold = 0
    for commit in range(1, COMMITS_MAX):
        await vault.gift(MUCH - vault.there()[0])
        deaths = DyingCommits(storage.begin, at=commit, after=after)
        dying = process(around, begin=deaths.begin)
        died = False
        try:
            for _ in range(2):
                await jobs_of(dying, vault)
        except Died:
            died = True
            await vault.must_be_right()
        for _ in range(3):
            await vault.rebalance()
            await vault.world.send_and_settle_down()
        cold += MUCH - HOT_TARGET
        assert vault.there()[0] in {HOT_TARGET, HOT_TARGET + UNIT}, f"died at commit {commit}"
        assert sum(vault.there()) == cold + HOT_TARGET
        cold = vault.there()[1]
        assert await vault.booked(WITH_COLD.cold) == cold
        assert (await vault.latest()).state is TransferState.DONE
        await vault.must_be_right()
        if not died:
            assert commit > 5, "the worker was hardly looked at"
            return
    raise AssertionError("the worker never came to its end")
