"""One unit of work in PostgreSQL: a transaction, and everything stored seen through it."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Self

import attrs
import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.chain_records import PostgresChainRecords
from adapters.postgres.escrows import PostgresEscrows
from adapters.postgres.events import PostgresEventLog
from adapters.postgres.failures import in_port_terms
from adapters.postgres.idempotency import PostgresIdempotencyKeys
from adapters.postgres.intents import PostgresIntents
from adapters.postgres.job_console import PostgresJobConsole
from adapters.postgres.jobs import PostgresJobs
from adapters.postgres.key_usage import PostgresKeyUsage
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.merchants import PostgresMerchants
from adapters.postgres.parking import PostgresParking
from adapters.postgres.session import Row, Session
from adapters.postgres.settlements import PostgresSettlements
from adapters.postgres.star_payments import PostgresStarPayments
from adapters.postgres.suspense import PostgresSuspense
from adapters.postgres.sweeps import PostgresSweeps
from adapters.postgres.treasury import PostgresTreasury
from adapters.postgres.webhooks import PostgresWebhooks
from ports.chain_records import ChainRecords
from ports.clock import Clock
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
    intents: Intents = attrs.field(init=False)
    escrows: Escrows = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    parking: Parking = attrs.field(init=False)
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
    _pool: AsyncConnectionPool[AsyncConnection[Row]]
    _clock: Clock
    _ids: Ids
    _indices: deque[int]
    _session: Session = attrs.field(init=False)
    _intents: PostgresIntents = attrs.field(init=False)

    async def __aenter__(self) -> Self:
        """Take a connection; the transaction begins with the first statement.

        Raises:
            StorageUnavailable: no connection became free in time.
        """
        try:
            session = Session(await self._pool.getconn())
        except psycopg.Error as error:
            raise in_port_terms(error) from error
        self._session = session
        self.merchants = PostgresMerchants(session)
        self.key_usage = PostgresKeyUsage(session)
        self.intents = self._intents = PostgresIntents(session, self._indices)
        self.escrows = PostgresEscrows(session)
        self.ledger = PostgresLedger(session, clock=self._clock, ids=self._ids)
        self.parking = PostgresParking(session)
        self.settlements = PostgresSettlements(session)
        self.suspense = PostgresSuspense(session)
        self.sweeps = PostgresSweeps(session)
        self.treasury = PostgresTreasury(session)
        self.star_payments = PostgresStarPayments(session)
        self.webhooks = PostgresWebhooks(session)
        self.chains = PostgresChainRecords(session)
        self.events = PostgresEventLog(session, ids=self._ids)
        self.jobs = PostgresJobs(session, clock=self._clock, ids=self._ids)
        self.job_console = PostgresJobConsole(session)
        self.idempotency = PostgresIdempotencyKeys(session, clock=self._clock)
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
                with contextlib.suppress(psycopg.Error):
                    # A connection that cannot even do this is broken; the pool throws it away.
                    await connection.rollback()
        finally:
            if self._session.undone:
                self._intents.give_back()
            await self._pool.putconn(connection)

    async def commit(self) -> None:
        """Send what waits, number the events, and make everything durable."""
        await self._session.commit()
