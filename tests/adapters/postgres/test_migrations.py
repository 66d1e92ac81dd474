from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from adapters.postgres import migrate
from adapters.postgres.migrate import SchemaOutdated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer


@pytest.fixture
def empty_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    postgres_server.create_database("empty")
    yield postgres_server.dsn(database="empty")
    postgres_server.drop_database("empty")


def names_in(dsn: str) -> set[str]:
    """Return the tables, sequences, indexes, functions and triggers of a database."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            """
            select relname from pg_class where relnamespace = 'public'::regnamespace
            union select proname from pg_proc where pronamespace = 'public'::regnamespace
            union select tgname from pg_trigger where not tgisinternal
            """
        )
        return {name for (name,) in rows}


def test_the_migrations_make_the_tables_that_the_program_declares(empty_dsn: str) -> None:
    migrate.upgrade(empty_dsn)

    assert migrate.differences(empty_dsn) == []


def test_a_missing_column_would_be_noticed(empty_dsn: str) -> None:
    migrate.upgrade(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("alter table merchant drop column fees")

    assert migrate.differences(empty_dsn) != []


def test_up_and_down_leaves_nothing_and_up_again_leaves_the_same(empty_dsn: str) -> None:
    migrate.upgrade(empty_dsn)
    made = names_in(empty_dsn)

    migrate.downgrade(empty_dsn, revision="base")
    assert names_in(empty_dsn) == {"alembic_version", "alembic_version_pkc"}

    migrate.upgrade(empty_dsn)
    assert names_in(empty_dsn) == made


def test_processes_that_migrate_at_once_wait_for_each_other(empty_dsn: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate.upgrade, [empty_dsn] * 4))

    assert migrate.current(empty_dsn) == migrate.head()


def test_an_outdated_schema_is_refused(empty_dsn: str) -> None:
    with pytest.raises(SchemaOutdated) as refusal:
        migrate.check(empty_dsn)
    assert (refusal.value.found, refusal.value.expected) == (None, migrate.head())

    migrate.upgrade(empty_dsn)
    migrate.check(empty_dsn)
