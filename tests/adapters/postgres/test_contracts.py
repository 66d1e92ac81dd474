from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.postgres.notices import PostgresJobNotices
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
    from collections.abc import AsyncIterator

    from adapters.postgres.storage import PostgresStorage
    from ports.jobs import JobNotices
    from ports.unit_of_work import Begin


class Stored:
    @pytest.fixture
    def begin(self, storage: PostgresStorage) -> Begin:
        return storage.begin


class TestUnitOfWork(Stored, UnitOfWorkContract): ...


class TestSecretsAtRest(Stored, SecretsAtRestContract): ...


class TestAudit(Stored, AuditContract): ...


class TestMerchants(Stored, MerchantsContract): ...


class TestPeople(Stored, PeopleContract): ...


class TestPayoutDestinations(Stored, PayoutDestinationsContract): ...


class TestKeyUsage(Stored, KeyUsageContract): ...


class TestExplaining(Stored, ExplainingContract): ...


class TestIntents(Stored, IntentsContract): ...


class TestCustomers(Stored, CustomersContract): ...


class TestEscrows(Stored, EscrowsContract): ...


class TestLedger(Stored, LedgerContract): ...


class TestLedgerInTime(Stored, LedgerInTimeContract): ...


class TestValues(Stored, ValuesContract): ...


class TestSeals(Stored, SealsContract): ...


class TestParking(Stored, ParkingContract): ...


class TestSettlements(Stored, SettlementsContract): ...


class TestPayoutLists(Stored, PayoutListsContract): ...


class TestSandboxOrders(Stored, SandboxOrdersContract): ...


class TestNearer(Stored, NearerContract): ...


class TestSuspense(Stored, SuspenseContract): ...


class TestSweeps(Stored, SweepsContract): ...


class TestDueSweeps(Stored, DueSweepsContract): ...


class TestWebhooks(Stored, WebhooksContract): ...


class TestWebhooksDue(Stored, WebhooksDueContract): ...


class TestCursors(Stored, CursorsContract): ...


class TestCoverage(Stored, CoverageContract): ...


class TestAwaited(Stored, AwaitedContract): ...


class TestObservations(Stored, ObservationsContract): ...


class TestSubmissions(Stored, SubmissionsContract): ...


class TestSenderSequences(Stored, SenderSequencesContract): ...


class TestAttempts(Stored, AttemptsContract): ...


class TestEventLog(Stored, EventLogContract): ...


class TestJobs(Stored, JobsContract): ...


class TestJobOrder(Stored, JobOrderContract): ...


class TestLeases(Stored, LeasesContract): ...


class TestRunnersClocks(Stored, RunnersClocksContract): ...


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
