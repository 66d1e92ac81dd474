from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.postgres.notices import PostgresJobNotices
from tests.contracts.chain_records import (
    CursorsContract,
    ObservationsContract,
    SubmissionsContract,
)
from tests.contracts.escrows import EscrowsContract
from tests.contracts.events import EventLogContract
from tests.contracts.idempotency import IdempotencyKeysContract
from tests.contracts.intents import IntentsContract
from tests.contracts.job_claims import HandingOverContract, JobOrderContract, LeasesContract
from tests.contracts.job_console import (
    CleaningContract,
    JobConsoleContract,
    PauseContract,
    RetryByHandContract,
)
from tests.contracts.jobs import JobNoticesContract, JobsContract
from tests.contracts.ledger import LedgerContract
from tests.contracts.ledger_in_time import LedgerInTimeContract
from tests.contracts.merchants import MerchantsContract
from tests.contracts.parking import ParkingContract
from tests.contracts.seals import SealsContract
from tests.contracts.settlements import SettlementsContract
from tests.contracts.sweeps import DueSweepsContract, SweepsContract
from tests.contracts.unit_of_work import UnitOfWorkContract
from tests.contracts.values import ValuesContract
from tests.contracts.webhooks import WebhooksContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.postgres.storage import PostgresStorage
    from ports.jobs import JobNotices
    from ports.unit_of_work import Begin


class Stored:
    @pytest.fixture
    def begin(self, storage: PostgresStorage) -> Begin:
        return storage.begin


class TestUnitOfWork(Stored, UnitOfWorkContract): ...


class TestMerchants(Stored, MerchantsContract): ...


class TestIntents(Stored, IntentsContract): ...


class TestEscrows(Stored, EscrowsContract): ...


class TestLedger(Stored, LedgerContract): ...


class TestLedgerInTime(Stored, LedgerInTimeContract): ...


class TestValues(Stored, ValuesContract): ...


class TestSeals(Stored, SealsContract): ...


class TestParking(Stored, ParkingContract): ...


class TestSettlements(Stored, SettlementsContract): ...


class TestSweeps(Stored, SweepsContract): ...


class TestDueSweeps(Stored, DueSweepsContract): ...


class TestWebhooks(Stored, WebhooksContract): ...


class TestCursors(Stored, CursorsContract): ...


class TestObservations(Stored, ObservationsContract): ...


class TestSubmissions(Stored, SubmissionsContract): ...


class TestEventLog(Stored, EventLogContract): ...


class TestJobs(Stored, JobsContract): ...


class TestJobOrder(Stored, JobOrderContract): ...


class TestLeases(Stored, LeasesContract): ...


class TestHandingOver(Stored, HandingOverContract): ...


class TestJobConsole(Stored, JobConsoleContract): ...


class TestPause(Stored, PauseContract): ...


class TestRetryByHand(Stored, RetryByHandContract): ...


class TestCleaning(Stored, CleaningContract): ...


class TestIdempotencyKeys(Stored, IdempotencyKeysContract): ...


class TestJobNotices(Stored, JobNoticesContract):
    @pytest.fixture
    async def notices(self, postgres_dsn: str) -> AsyncIterator[JobNotices]:
        async with PostgresJobNotices(dsn=postgres_dsn) as notices:
            yield notices
