"""A PostgreSQL server for tests, and an empty database of the newest schema for each of them.

``postgres_server`` (session) is a container where a Docker engine answers, and the embedded
server otherwise; ``postgres_dsn`` (function) is the URL of a database with the newest schema,
which is emptied after the test, all sessions on it ended. Whoever changes the schema makes a
database with ``postgres_server.create_database``.
"""

from __future__ import annotations

import contextlib
import gc
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs
import docker  # type: ignore[import-untyped] # It has no types.
import psycopg
import pytest
from docker.errors import DockerException  # type: ignore[import-untyped] # As above.
from psycopg import sql
from testcontainers.community.postgres import PostgresContainer

from adapters.postgres import migrate
from adapters.postgres.embedded.server import EmbeddedPostgres
from adapters.postgres.tables.everything import METADATA
from adapters.postgres.tables.intents import DEPOSIT_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import LiteralString

_IMAGE = "postgres:18"
_UNSAFE_BUT_FAST = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
}
_EMPTY = "; ".join(
    [
        """
        select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
        """,
        # Triggers, which keep the books from being emptied, do not fire in this role.
        "set session_replication_role = replica",
        *(f"delete from {table.name}" for table in METADATA.sorted_tables),  # noqa: S608 (ours)
        f"alter sequence {DEPOSIT_INDEX.name} restart",
    ]
).encode()
"""Brings a database back to how the migrations have left it, in a tenth of a copy's time."""


@attrs.frozen
class PostgresServer:
    """A server, known by the URL of its administrator's database."""

    url: str

    def dsn(self, *, database: str) -> str:
        """Return the URL of a database."""
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Create a database as a copy of another one, the way that is quickest without fsync."""
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)

    def drop_database(self, name: str) -> None:
        """Drop a database and end the sessions on it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    if _docker_answers():
        options = " ".join(f"-c {name}={value}" for name, value in _UNSAFE_BUT_FAST.items())
        with PostgresContainer(_IMAGE, driver=None, command=options) as container:
            yield PostgresServer(container.get_connection_url())
        return
    # Not pytest's own temporary directory: the server may run as another user, who must get in.
    directory = Path(tempfile.mkdtemp(prefix="switchyard-test-")).resolve()
    directory.chmod(0o711)
    try:
        with EmbeddedPostgres(directory=directory / "pg", parameters=_UNSAFE_BUT_FAST) as server:
            yield PostgresServer(server.dsn())
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer) -> str:
    name = "tested"
    postgres_server.create_database(name)
    dsn = postgres_server.dsn(database=name)
    migrate.upgrade(dsn)
    return dsn


@pytest.fixture
def postgres_dsn(postgres_database: str) -> Iterator[str]:
    yield postgres_database
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(_EMPTY)


async def end_sessions(dsn: str, *, that_ran: str = "%") -> None:
    """End other sessions on a database, as an administrator may at any moment."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and query ilike %s
            """,
            [that_ran],
        )


def _docker_answers() -> bool:
    with warnings.catch_warnings():
        # A client that finds nobody leaves its socket to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with contextlib.closing(docker.from_env()) as engine:
                return bool(engine.ping())
        except DockerException:
            return False
        finally:
            gc.collect()
