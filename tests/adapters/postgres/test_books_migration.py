"""What was booked before stays as it was, in its order, up the migration and down again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from adapters.postgres import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

OLD = """
insert into ledger_transaction (id, kind, reference, effective_at, booked_at)
select 't' || n, 'capture', 'r', now(), now() from generate_series(1, 3) n;
insert into posting (transaction_id, account, asset, amount) values
    ('t2', 'world', 'a', 3), ('t1', 'world', 'a', 5), ('t2', 'custody:x', 'a', -3),
    ('t1', 'custody:x', 'a', -4), ('t1', 'fees:platform', 'a', -1);
"""
LINES = [
    ("t1", 0, "world", 5),
    ("t1", 1, "custody:x", -4),
    ("t1", 2, "fees:platform", -1),
    ("t2", 0, "world", 3),
    ("t2", 1, "custody:x", -3),
]


@pytest.fixture
def before(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of the schema before, with books in it."""
    postgres_server.create_database("books")
    dsn = postgres_server.dsn(database="books")
    migrate.upgrade(dsn, revision="0001")
    with psycopg.connect(dsn) as connection:
        connection.execute(OLD)
    yield dsn
    postgres_server.drop_database("books")


def test_lines_are_numbered_in_the_order_of_booking(before: str) -> None:
    migrate.upgrade(before, revision="0002")

    with psycopg.connect(before) as connection:
        lines = connection.execute(
            "select transaction_id, line, account, amount from posting order by 1, 2"
        ).fetchall()
        assert lines == LINES
        with pytest.raises(errors.IntegrityConstraintViolation, match="never changed"):
            connection.execute("update posting set line = line")


def test_the_way_back_keeps_the_order(before: str) -> None:
    migrate.upgrade(before, revision="0002")
    migrate.downgrade(before, revision="0001")

    with psycopg.connect(before) as connection:
        lines = connection.execute(
            "select transaction_id, account, amount from posting order by id"
        ).fetchall()
        assert lines == [(id, account, amount) for id, _, account, amount in LINES]
        connection.execute(
            "insert into posting (transaction_id, account, asset, amount) values"
            " ('t3', 'world', 'a', 1), ('t3', 'custody:x', 'a', -1)"
        )
        newest = connection.execute("select max(id) from posting").fetchone()
        assert newest == (7,)
        with pytest.raises(errors.IntegrityConstraintViolation, match="never changed"):
            connection.execute("update posting set amount = 0")
