"""Bringing a database's schema to where this program expects it, from inside the package."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from adapters.postgres.tables.everything import METADATA
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_SCRIPTS = "adapters.postgres:migrations"
_LOCK = 0x5357_4944  # Any number will do; these are the letters SWID.


class SchemaOutdated(Exception):
    """The database's schema is not the one this program was written for: run the migrations."""

    def __init__(self, *, found: str | None, expected: str | None) -> None:
        super().__init__(f"schema is at {found}, expected {expected}: run `switchyard migrate`")
        self.found = found
        self.expected = expected


def upgrade(dsn: str, *, revision: str = "head") -> None:
    """Apply what is missing, in one transaction; who tries meanwhile waits and finds it done."""
    with _connected(dsn) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(dsn: str, *, revision: str) -> None:
    """Undo migrations down to a revision; ``base`` is an empty schema. Data goes with them."""
    with _connected(dsn) as connection:
        command.downgrade(_config(connection), revision)


def current(dsn: str) -> str | None:
    """Return the revision a database is at, or None for an empty one."""
    with _connected(dsn) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Return the newest revision this program brings."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def check(dsn: str) -> None:
    """Make sure that a database is at the newest revision.

    Raises:
        SchemaOutdated: it is not.
    """
    found, expected = current(dsn), head()
    if found != expected:
        raise SchemaOutdated(found=found, expected=expected)


def differences(dsn: str) -> list[Any]:
    """Return how a database's tables differ from those this program declares: not at all."""
    with _connected(dsn) as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, METADATA))


def _config(connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _SCRIPTS)
    return config


@contextmanager
def _connected(dsn: str) -> Iterator[Connection]:
    """Open a transaction that no two migrations can have at once, and commit it at the end.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    # The URL goes to libpq as it is: SQLAlchemy reads less of such URLs than libpq does.
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool
    )
    try:
        opened = engine.connect()
    except OperationalError as error:
        raise StorageUnavailable(str(error.orig)) from error
    with opened as connection, connection.begin():
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection
