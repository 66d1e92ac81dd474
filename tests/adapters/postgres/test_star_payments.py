from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.star_payments import StarPaymentsContract

if TYPE_CHECKING:
    from adapters.postgres.storage import PostgresStorage
    from ports.unit_of_work import Begin


class TestStarPayments(StarPaymentsContract):
    @pytest.fixture
    def begin(self, storage: PostgresStorage) -> Begin:
        return storage.begin
