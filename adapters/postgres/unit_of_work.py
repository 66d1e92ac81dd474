"""One unit of work in PostgreSQL: a transaction, and everything stored seen through it."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Self

import attrs
import psycopg
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.at_rest import PostgresSecretsAtRest
from adapters.postgres.audit import PostgresAuditLog
from adapters.postgres.chain_records import PostgresChainRecords
from adapters.postgres.customers import PostgresCustomers
from adapters.postgres.escrows import PostgresEscrows
from adapters.postgres.events import PostgresEventLog
from adapters.postgres.failures import in_port_terms
from adapters.postgres.idempotency import PostgresIdempotencyKeys
from adapters.postgres.intents import PostgresIntents
from adapters.postgres.job_console import PostgresJobConsole
from adapters.postgres.jobs import PostgresJobs
from adapters.postgres.key_ring import KeyRing
from adapters.postgres.key_usage import PostgresKeyUsage
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.merchants import PostgresMerchants
from adapters.postgres.parking import PostgresParking
from adapters.postgres.payout_destinations import PostgresPayoutDestinations
from adapters.postgres.people import PostgresPeople
from adapters.postgres.sandbox_orders import PostgresSandboxOrders
from adapters.postgres.session import Connection, Session
from adapters.postgres.settlements import PostgresSettlements
from adapters.postgres.star_payments import PostgresStarPayments
from adapters.postgres.suspense import PostgresSuspense
from adapters.postgres.sweeps import PostgresSweeps
from adapters.postgres.treasury import PostgresTreasury
from adapters.postgres.webhooks import PostgresWebhooks
from domain.shared.actors import acting
from domain.shared.visibility import shown
from ports.at_rest import SecretsAtRest
from ports.audit import AuditLog
from ports.chain_records import ChainRecords
from ports.clock import Clock
from ports.customers import Customers
from ports.escrows import Escrows
from ports.events import EventLog
from ports.idempotency import IdempotencyKeys
from ports.ids import Ids
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

if TYPE_CHECKING:
    from types import TracebackType


@attrs.define(eq=False, kw_only=True)
class PostgresUnitOfWork:
    """One transaction at the isolation level READ COMMITTED; rows are locked where it says so."""

    merchants: Merchants = attrs.field(init=False)
    key_usage: KeyUsage = attrs.field(init=False)
    people: People = attrs.field(init=False)
    payout_destinations: PayoutDestinations = attrs.field(init=False)
    intents: Intents = attrs.field(init=False)
    customers: Customers = attrs.field(init=False)
    escrows: Escrows = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    parking: Parking = attrs.field(init=False)
    sandbox: SandboxOrders = attrs.field(init=False)
    settlements: Settlements = attrs.field(init=False)
    suspense: Suspense = attrs.field(init=False)
    sweeps: Sweeps = attrs.field(init=False)
    treasury: Treasury = attrs.field(init=False)
    star_payments: StarPayments = attrs.field(init=False)
    webhooks: Webhooks = attrs.field(init=False)
    chains: ChainRecords = attrs.field(init=False)
    events: EventLog = attrs.field(init=False)
    jobs: Jobs = attrs.field(init=False)
    job_console: JobConsole = attrs.field(init=False)
    idempotency: IdempotencyKeys = attrs.field(init=False)
    audit: AuditLog = attrs.field(init=False)
    at_rest: SecretsAtRest = attrs.field(init=False)
    _pool: AsyncConnectionPool[Connection]
    _clock: Clock
    _ids: Ids
    _indices: deque[int]
    _confined: bool
    """Whether the server is to be told whose rows may be seen."""
    _ring: KeyRing
    _session: Session = attrs.field(init=False)
    _intents: PostgresIntents = attrs.field(init=False)
    _audit: PostgresAuditLog = attrs.field(init=False)

    async def __aenter__(self) -> Self:
        """Take a connection; the transaction begins with the first statement.

        Raises:
            StorageUnavailable: no connection became free in time.
        """
        try:
            connection = await self._pool.getconn()
        except psycopg.Error as error:
            raise in_port_terms(error) from error
        self._session = session = Session(connection, shown() if self._confined else None)
        self.merchants = PostgresMerchants(session)
        self.key_usage = PostgresKeyUsage(session)
        self.people = PostgresPeople(session)
        self.payout_destinations = PostgresPayoutDestinations(session)
        self.intents = self._intents = PostgresIntents(session, self._indices)
        self.customers = PostgresCustomers(session)
        self.escrows = PostgresEscrows(session)
        self.ledger = PostgresLedger(session, clock=self._clock, ids=self._ids)
        self.parking = PostgresParking(session)
        self.sandbox = PostgresSandboxOrders(session)
        self.settlements = PostgresSettlements(session)
        self.suspense = PostgresSuspense(session)
        self.sweeps = PostgresSweeps(session)
        self.treasury = PostgresTreasury(session)
        self.star_payments = PostgresStarPayments(session)
        self.webhooks = PostgresWebhooks(session, self._ring)
        self.chains = PostgresChainRecords(session)
        self.events = PostgresEventLog(session, ids=self._ids)
        self.jobs = PostgresJobs(session, clock=self._clock, ids=self._ids)
        self.job_console = PostgresJobConsole(session)
        self.idempotency = PostgresIdempotencyKeys(session, self._ring, clock=self._clock)
        self.audit = self._audit = PostgresAuditLog(session, clock=self._clock)
        self.at_rest = PostgresSecretsAtRest(session, self._ring)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Undo whatever was not committed and give the connection back."""
        connection = self._session.connection
        try:
            if connection.info.transaction_status is not TransactionStatus.IDLE:
                connection.shown = None
                with contextlib.suppress(psycopg.Error):
                    # A connection that cannot even do this is broken; the pool throws it away.
                    await connection.rollback()
        finally:
            if self._session.undone:
                self._intents.give_back()
            await self._pool.putconn(connection)

    async def commit(self) -> None:
        """Send what waits, record who did it, number the events, and make everything durable."""
        actor = acting()
        recorded = actor is not None and self._audit.tell(actor)
        await self._session.commit()
        if actor is not None and recorded:
            actor.deeds.recorded += 1
