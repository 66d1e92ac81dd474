from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.memory.notices import InMemoryJobNotices
from tests.contracts.at_rest import SecretsAtRestContract
from tests.contracts.attempts import AttemptsContract
from tests.contracts.audit import AuditContract
from tests.contracts.chain_records import (
    CursorsContract,
    ObservationsContract,
    SubmissionsContract,
)
from tests.contracts.coverage import AwaitedContract, CoverageContract
from tests.contracts.customers import CustomersContract
from tests.contracts.escrows import EscrowsContract
from tests.contracts.events import EventLogContract
from tests.contracts.explaining import ExplainingContract
from tests.contracts.idempotency import IdempotencyKeysContract
from tests.contracts.intents import IntentsContract
from tests.contracts.job_claims import (
    HandingOverContract,
    JobOrderContract,
    LeasesContract,
    RunnersClocksContract,
)
from tests.contracts.job_console import (
    CleaningContract,
    JobConsoleContract,
    PauseContract,
    RetryByHandContract,
)
from tests.contracts.jobs import JobNoticesContract, JobsContract
from tests.contracts.key_usage import KeyUsageContract
from tests.contracts.ledger import LedgerContract
from tests.contracts.ledger_in_time import LedgerInTimeContract
from tests.contracts.merchants import MerchantsContract
from tests.contracts.parking import ParkingContract
from tests.contracts.payout_destinations import PayoutDestinationsContract
from tests.contracts.payout_lists import PayoutListsContract
from tests.contracts.people import PeopleContract
from tests.contracts.sandbox_orders import NearerContract, SandboxOrdersContract
from tests.contracts.seals import SealsContract
from tests.contracts.sender_sequences import SenderSequencesContract
from tests.contracts.settlements import SettlementsContract
from tests.contracts.suspense import SuspenseContract
from tests.contracts.sweeps import DueSweepsContract, SweepsContract
from tests.contracts.unit_of_work import UnitOfWorkContract
from tests.contracts.values import ValuesContract
from tests.contracts.webhooks import WebhooksContract
from tests.contracts.webhooks_due import WebhooksDueContract

if TYPE_CHECKING:
    from adapters.memory.store import Store
    from ports.jobs import JobNotices
    from ports.unit_of_work import Begin


class InMemory:
    @pytest.fixture
    def begin(self, store: Store) -> Begin:
        return store.begin


class TestUnitOfWork(InMemory, UnitOfWorkContract): ...


class TestSecretsAtRest(InMemory, SecretsAtRestContract): ...


class TestAudit(InMemory, AuditContract): ...


class TestMerchants(InMemory, MerchantsContract): ...


class TestPeople(InMemory, PeopleContract): ...


class TestPayoutDestinations(InMemory, PayoutDestinationsContract): ...


class TestKeyUsage(InMemory, KeyUsageContract): ...


class TestExplaining(InMemory, ExplainingContract): ...


class TestIntents(InMemory, IntentsContract): ...


class TestCustomers(InMemory, CustomersContract): ...


class TestEscrows(InMemory, EscrowsContract): ...


class TestLedger(InMemory, LedgerContract): ...


class TestLedgerInTime(InMemory, LedgerInTimeContract): ...


class TestValues(InMemory, ValuesContract): ...


class TestSeals(InMemory, SealsContract): ...


class TestParking(InMemory, ParkingContract): ...


class TestSettlements(InMemory, SettlementsContract): ...


class TestPayoutLists(InMemory, PayoutListsContract): ...


class TestSandboxOrders(InMemory, SandboxOrdersContract): ...


class TestNearer(InMemory, NearerContract): ...


class TestSuspense(InMemory, SuspenseContract): ...


class TestSweeps(InMemory, SweepsContract): ...


class TestDueSweeps(InMemory, DueSweepsContract): ...


class TestWebhooks(InMemory, WebhooksContract): ...


class TestWebhooksDue(InMemory, WebhooksDueContract): ...


class TestCursors(InMemory, CursorsContract): ...


class TestCoverage(InMemory, CoverageContract): ...


class TestAwaited(InMemory, AwaitedContract): ...


class TestObservations(InMemory, ObservationsContract): ...


class TestSubmissions(InMemory, SubmissionsContract): ...


class TestSenderSequences(InMemory, SenderSequencesContract): ...


class TestAttempts(InMemory, AttemptsContract): ...


class TestEventLog(InMemory, EventLogContract): ...


class TestIdempotencyKeys(InMemory, IdempotencyKeysContract): ...


class TestJobs(InMemory, JobsContract): ...


class TestJobOrder(InMemory, JobOrderContract): ...


class TestLeases(InMemory, LeasesContract): ...


class TestRunnersClocks(InMemory, RunnersClocksContract): ...


class TestHandingOver(InMemory, HandingOverContract): ...


class TestJobConsole(InMemory, JobConsoleContract): ...


class TestPause(InMemory, PauseContract): ...


class TestRetryByHand(InMemory, RetryByHandContract): ...


class TestCleaning(InMemory, CleaningContract): ...


class TestJobNotices(InMemory, JobNoticesContract):
    @pytest.fixture
    def notices(self, store: Store) -> JobNotices:
        return InMemoryJobNotices(store)
