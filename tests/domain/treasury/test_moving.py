"""Transfers to the cold wallet and back, over storage in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.cold_transfers import (
    ColdTransfersContract,
    ColdWalletContract,
    RefusedTransfersContract,
)
from tests.contracts.treasury import TreasuryContract
from tests.domain.services import Surroundings
from tests.domain.vault import new_vault

if TYPE_CHECKING:
    from ports.unit_of_work import Begin
    from tests.domain.vault import Vault


class InMemory:
    @pytest.fixture
    async def vault(self) -> Vault:
        return await new_vault()


class TestColdTransfers(InMemory, ColdTransfersContract): ...


class TestRefusedTransfers(InMemory, RefusedTransfersContract): ...


class TestColdWallet(InMemory, ColdWalletContract): ...


class TestTreasury(TreasuryContract):
    @pytest.fixture
    def begin(self) -> Begin:
        return Surroundings().store.begin
