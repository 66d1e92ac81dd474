"""The pool of connections that units of work are done on."""

from __future__ import annotations

import asyncio
from collections import deque

import attrs
import psycopg
from psycopg import AsyncRawCursor
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.documents import read_json
from adapters.postgres.failures import in_port_terms
from adapters.postgres.key_ring import KeyRing
from adapters.postgres.migrate import check
from adapters.postgres.session import Connection
from adapters.postgres.unit_of_work import PostgresUnitOfWork
from ports.clock import Clock
from ports.ids import Ids

API_ROLE = "switchyard_api"
"""The role that the migrations make for the API, and give policies to."""


@attrs.frozen(kw_only=True)
class PoolSettings:
    """How many connections are kept, and how long anything may take on one."""

    connections_min: int = 2
    connections_max: int = 8
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
    role: str | None = None
    """The role that statements run as, to which the server shows the rows of one merchant at a
    time; None for the user's own, who owns the tables and sees all."""

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
        if self.role is not None:
            # Given here it is what a reset of the session or of the role goes back to.
            settings["role"] = self.role
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
    ring: KeyRing = attrs.field(factory=KeyRing)
    """Seals secrets; without keys they lie in clear."""
    _pool: AsyncConnectionPool[Connection] = attrs.field(init=False)
    _indices: deque[int] = attrs.field(factory=deque, init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        options = f"{conninfo_to_dict(self.dsn).get('options') or ''} {settings.server_options()}"
        self._pool = AsyncConnectionPool(
            self.dsn,
            connection_class=Connection,
            kwargs={
                "autocommit": True,
                "connect_timeout": settings.connect_seconds,
                "cursor_factory": AsyncRawCursor,
                "options": options.strip(),
                "row_factory": dict_row,
            },
            min_size=min(settings.connections_min, settings.connections_max),
            max_size=settings.connections_max,
            max_idle=settings.idle_max_seconds,
            max_lifetime=settings.age_max_seconds,
            configure=_configure,
            name="switchyard",
            open=False,
            timeout=settings.wait_seconds,
        )

    async def open(self) -> None:
        """Connect to the server, and make sure that its schema is this program's.

        Raises:
            StorageUnavailable: it does not answer in time.
            SchemaOutdated: its schema is of another version.
        """
        try:
            await self._pool.open(wait=True, timeout=self.settings.wait_seconds)
            await asyncio.to_thread(check, self.dsn)
        except psycopg.Error as error:
            raise in_port_terms(error) from error

    async def close(self) -> None:
        """Close every connection; units of work that are under way are given up."""
        await self._pool.close()

    def begin(self) -> PostgresUnitOfWork:
        """Return a unit of work, to be entered with ``async with``."""
        return PostgresUnitOfWork(
            pool=self._pool,
            clock=self.clock,
            ids=self.ids,
            indices=self._indices,
            confined=self.settings.role is not None,
            ring=self.ring,
        )


async def _configure(connection: Connection) -> None:
    """Set a new connection up; nothing is sent for this."""
    connection.adapters.register_dumper(int, _WholeNumber)
    set_json_loads(read_json, connection)
