"""Memos, batches and expiry, over storage in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.batched_payouts import BatchedPayoutsContract
from tests.contracts.expiring import ExpiringContract
from tests.contracts.memo_payments import MemoPaymentsContract
from tests.contracts.taking_back import TakingBackContract
from tests.domain.shared_wallet import new_shared_wallet

if TYPE_CHECKING:
    from adapters.postgres.storage import PostgresStorage
    from tests.domain.shared_wallet import SharedWallet


class Stored:
    @pytest.fixture
    async def wallet(self, storage: PostgresStorage) -> SharedWallet:
        return await new_shared_wallet(begin=storage.begin)


class TestMemoPayments(Stored, MemoPaymentsContract): ...


class TestBatchedPayouts(Stored, BatchedPayoutsContract): ...


class TestExpiring(Stored, ExpiringContract): ...


class TestTakingBack(Stored, TakingBackContract): ...
