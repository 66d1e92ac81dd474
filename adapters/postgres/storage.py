"""The pool of connections, and the units of work that are done on them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

import attrs
import psycopg
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.chain_records import PostgresChainRecords
from adapters.postgres.documents import read_json
from adapters.postgres.escrows import PostgresEscrows
from adapters.postgres.events import PostgresEventLog
from adapters.postgres.failures import in_port_terms
from adapters.postgres.idempotency import PostgresIdempotencyKeys
from adapters.postgres.intents import PostgresIntents
from adapters.postgres.jobs import PostgresJobs
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.merchants import PostgresMerchants
from adapters.postgres.session import Row, Session
from adapters.postgres.settlements import PostgresSettlements
from adapters.postgres.webhooks import PostgresWebhooks
from ports.chain_records import ChainRecords
from ports.clock import Clock
from ports.escrows import Escrows
from ports.events import EventLog
from ports.idempotency import IdempotencyKeys
from ports.ids import Ids
from ports.intents import Intents
from ports.jobs import Jobs
from ports.ledger import Ledger
from ports.merchants import Merchants
from ports.settlements import Settlements
from ports.webhooks import Webhooks

if TYPE_CHECKING:
    from types import TracebackType


@attrs.frozen(kw_only=True)
class PoolSettings:
    """How many connections are kept, and how long anything may take on one."""

    connections_min: int = 2
    connections_max: int = 16
    wait_seconds: float = 5.0
    """How long a unit of work waits for a free connection."""
    connect_seconds: int = 5
    idle_max_seconds: float = 600.0
    """After this an unused connection beyond the minimum is closed."""
    age_max_seconds: float = 3600.0
    """After this a connection is replaced, so that servers can be changed behind a name."""
    statement_timeout_ms: int = 15_000
    lock_timeout_ms: int = 5_000
    idle_in_transaction_timeout_ms: int = 30_000

    def server_options(self) -> str:
        """Return the settings of a session as libpq's ``options``."""
        settings = {
            "timezone": "UTC",
            "synchronous_commit": "on",
            "default_transaction_isolation": "read\\ committed",
            "statement_timeout": f"{self.statement_timeout_ms}ms",
            "lock_timeout": f"{self.lock_timeout_ms}ms",
            "idle_in_transaction_session_timeout": f"{self.idle_in_transaction_timeout_ms}ms",
        }
        return " ".join(f"-c {name}={value}" for name, value in settings.items())


class _WholeNumber(Dumper):
    """Sends every int in the same way, as digits of no declared type.

    psycopg's own choice of int2, int4, int8 or numeric by size would make a prepared statement
    of its own for each combination.
    """

    def dump(self, obj: int) -> bytes:
        return str(obj).encode()


@attrs.define(eq=False, kw_only=True)
class PostgresStorage:
    """Everything the gateway stores, in one PostgreSQL database.

    It is constructed without a connection; ``open`` and ``close`` belong to the lifespan of the
    process, and ``begin`` is the ``ports.unit_of_work.Begin`` that services are given.
    """

    dsn: str = attrs.field(repr=False)
    clock: Clock
    ids: Ids
    settings: PoolSettings = attrs.field(factory=PoolSettings)
    _pool: AsyncConnectionPool[AsyncConnection[Row]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        options = f"{conninfo_to_dict(self.dsn).get('options') or ''} {settings.server_options()}"
        self._pool = AsyncConnectionPool(
            self.dsn,
            kwargs={
                "autocommit": False,
                "connect_timeout": settings.connect_seconds,
                "cursor_factory": AsyncRawCursor,
                "options": options.strip(),
                "row_factory": dict_row,
            },
            min_size=settings.connections_min,
            max_size=settings.connections_max,
            max_idle=settings.idle_max_seconds,
            max_lifetime=settings.age_max_seconds,
            configure=_configure,
            name="switchyard",
            open=False,
            timeout=settings.wait_seconds,
        )

    async def open(self) -> None:
        """Connect to the server.

        Raises:
            StorageUnavailable: it does not answer in time.
        """
        try:
            await self._pool.open(wait=True, timeout=self.settings.wait_seconds)
        except psycopg.Error as error:
            raise in_port_terms(error) from error

    async def close(self) -> None:
        """Close every connection; units of work that are under way are given up."""
        await self._pool.close()

    def begin(self) -> PostgresUnitOfWork:
        """Return a unit of work, to be entered with ``async with``."""
        return PostgresUnitOfWork(pool=self._pool, clock=self.clock, ids=self.ids)


@attrs.define(eq=False, kw_only=True)
class PostgresUnitOfWork:
    """One transaction at the isolation level READ COMMITTED; rows are locked where it says so."""

    merchants: Merchants = attrs.field(init=False)
    intents: Intents = attrs.field(init=False)
    escrows: Escrows = attrs.field(init=False)
    ledger: Ledger = attrs.field(init=False)
    settlements: Settlements = attrs.field(init=False)
    webhooks: Webhooks = attrs.field(init=False)
    chains: ChainRecords = attrs.field(init=False)
    events: EventLog = attrs.field(init=False)
    jobs: Jobs = attrs.field(init=False)
    idempotency: IdempotencyKeys = attrs.field(init=False)
    _pool: AsyncConnectionPool[AsyncConnection[Row]]
    _clock: Clock
    _ids: Ids
    _session: Session = attrs.field(init=False)

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
        self.intents = PostgresIntents(session)
        self.escrows = PostgresEscrows(session)
        self.ledger = PostgresLedger(session, clock=self._clock, ids=self._ids)
        self.settlements = PostgresSettlements(session)
        self.webhooks = PostgresWebhooks(session)
        self.chains = PostgresChainRecords(session)
        self.events = PostgresEventLog(session, ids=self._ids)
        self.jobs = PostgresJobs(session, clock=self._clock, ids=self._ids)
        self.idempotency = PostgresIdempotencyKeys(session)
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
            await self._pool.putconn(connection)

    async def commit(self) -> None:
        """Send what waits, number the events, and make everything durable."""
        await self._session.commit()


async def _configure(connection: AsyncConnection[Row]) -> None:
    """Set a new connection up; nothing is sent for this."""
    connection.adapters.register_dumper(int, _WholeNumber)
    set_json_loads(read_json, connection)
