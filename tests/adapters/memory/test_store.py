from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.memory.notices import InMemoryJobNotices
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
    from adapters.memory.store import Store
    from ports.jobs import JobNotices
    from ports.unit_of_work import Begin


class InMemory:
    @pytest.fixture
    def begin(self, store: Store) -> Begin:
        return store.begin


class TestUnitOfWork(InMemory, UnitOfWorkContract): ...


class TestMerchants(InMemory, MerchantsContract): ...


class TestIntents(InMemory, IntentsContract): ...


class TestEscrows(InMemory, EscrowsContract): ...


class TestLedger(InMemory, LedgerContract): ...


class TestLedgerInTime(InMemory, LedgerInTimeContract): ...


class TestValues(InMemory, ValuesContract): ...


class TestSeals(InMemory, SealsContract): ...


class TestParking(InMemory, ParkingContract): ...


class TestSettlements(InMemory, SettlementsContract): ...


class TestSweeps(InMemory, SweepsContract): ...


class TestDueSweeps(InMemory, DueSweepsContract): ...


class TestWebhooks(InMemory, WebhooksContract): ...


class TestCursors(InMemory, CursorsContract): ...


class TestObservations(InMemory, ObservationsContract): ...


class TestSubmissions(InMemory, SubmissionsContract): ...


class TestEventLog(InMemory, EventLogContract): ...


class TestIdempotencyKeys(InMemory, IdempotencyKeysContract): ...


class TestJobs(InMemory, JobsContract): ...


class TestJobOrder(InMemory, JobOrderContract): ...


class TestLeases(InMemory, LeasesContract): ...


class TestHandingOver(InMemory, HandingOverContract): ...


class TestJobConsole(InMemory, JobConsoleContract): ...


class TestPause(InMemory, PauseContract): ...


class TestRetryByHand(InMemory, RetryByHandContract): ...


class TestCleaning(InMemory, CleaningContract): ...


class TestJobNotices(InMemory, JobNoticesContract):
    @pytest.fixture
    def notices(self, store: Store) -> JobNotices:
        return InMemoryJobNotices(store)
