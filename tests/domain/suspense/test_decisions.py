"""Decisions about suspense, over storage in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.suspense_assigned import AssignmentContract
from tests.contracts.suspense_refusals import RefusalsContract
from tests.contracts.suspense_returned import GivingBackContract
from tests.domain.shared_wallet import new_shared_wallet

if TYPE_CHECKING:
    from tests.domain.shared_wallet import SharedWallet


class InMemory:
    @pytest.fixture
    async def wallet(self) -> SharedWallet:
        return await new_shared_wallet()


class TestAssignment(InMemory, AssignmentContract): ...


class TestGivingBack(InMemory, GivingBackContract): ...


class TestRefusals(InMemory, RefusalsContract): ...
