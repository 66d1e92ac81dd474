"""The unit of work over the in-memory store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.memory.at_rest import InMemorySecretsAtRest
from adapters.memory.audit import InMemoryAuditLog
from adapters.memory.chain_records import InMemoryChainRecords
from adapters.memory.customers import InMemoryCustomers
from adapters.memory.escrows import InMemoryEscrows
from adapters.memory.events import InMemoryEventLog
from adapters.memory.idempotency import InMemoryIdempotencyKeys
from adapters.memory.intents import InMemoryIntents
from adapters.memory.job_console import InMemoryJobConsole
from adapters.memory.jobs import InMemoryJobs
from adapters.memory.key_usage import InMemoryKeyUsage
from adapters.memory.ledger import InMemoryLedger
from adapters.memory.merchants import InMemoryMerchants
from adapters.memory.parking import InMemoryParking
from adapters.memory.payout_destinations import InMemoryPayoutDestinations
from adapters.memory.people import InMemoryPeople
from adapters.memory.sandbox_orders import InMemorySandboxOrders
from adapters.memory.settlements import InMemorySettlements
from adapters.memory.star_payments import InMemoryStarPayments
from adapters.memory.suspense import InMemorySuspense
from adapters.memory.sweeps import InMemorySweeps
from adapters.memory.treasury import InMemoryTreasury
from adapters.memory.webhooks import InMemoryWebhooks
from domain.shared.actors import acting

if TYPE_CHECKING:
    from adapters.memory.turn import Turn
    from ports.at_rest import SecretsAtRest
    from ports.audit import AuditLog
    from ports.chain_records import ChainRecords
    from ports.customers import Customers
    from ports.escrows import Escrows
    from ports.events import EventLog
    from ports.idempotency import IdempotencyKeys
    from ports.intents import Intents
    from ports.job_console import JobConsole
    from ports.jobs import Jobs
    from ports.key_usage import KeyUsage
    from ports.ledger import Ledger
    from ports.merchants import Merchants
    from ports.parking import Parking
    from ports.payout_destinations import PayoutDestinations
    from ports.people import People
    from ports.sandbox_orders import SandboxOrders
    from ports.settlements import Settlements
    from ports.star_payments import StarPayments
    from ports.suspense import Suspense
    from ports.sweeps import Sweeps
    from ports.treasury import Treasury
    from ports.webhooks import Webhooks


class InMemoryUnitOfWork:
    """Everything stored, for the length of one turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.merchants: Merchants = InMemoryMerchants(turn)
        self.key_usage: KeyUsage = InMemoryKeyUsage(turn)
        self.people: People = InMemoryPeople(turn)
        self.payout_destinations: PayoutDestinations = InMemoryPayoutDestinations(turn)
        self.intents: Intents = InMemoryIntents(turn)
        self.customers: Customers = InMemoryCustomers(turn)
        self.escrows: Escrows = InMemoryEscrows(turn)
        self.ledger: Ledger = InMemoryLedger(turn)
        self.parking: Parking = InMemoryParking(turn)
        self.sandbox: SandboxOrders = InMemorySandboxOrders(turn)
        self.settlements: Settlements = InMemorySettlements(turn)
        self.suspense: Suspense = InMemorySuspense(turn)
        self.sweeps: Sweeps = InMemorySweeps(turn)
        self.treasury: Treasury = InMemoryTreasury(turn)
        self.star_payments: StarPayments = InMemoryStarPayments(turn)
        self.webhooks: Webhooks = InMemoryWebhooks(turn)
        self.chains: ChainRecords = InMemoryChainRecords(turn)
        self.events: EventLog = InMemoryEventLog(turn)
        self.jobs: Jobs = InMemoryJobs(turn)
        self.job_console: JobConsole = InMemoryJobConsole(turn)
        self.idempotency: IdempotencyKeys = InMemoryIdempotencyKeys(turn)
        self._audit = InMemoryAuditLog(turn)
        self.audit: AuditLog = self._audit
        self.at_rest: SecretsAtRest = InMemorySecretsAtRest()

    async def commit(self) -> None:
        """Make everything written so far stand, with who did it; the unit of work is over then."""
        actor = acting()
        recorded = actor is not None and await self._audit.tell(actor)
        await self._turn.commit()
        if actor is not None and recorded:
            actor.deeds.recorded += 1
