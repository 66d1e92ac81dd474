"""Every table, and whose rows the API's role sees in it.

The rows of each merchant here are called as he is, whatever they are: so each belongs to every
other one of his, and no table needs rows made by hand.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, UniqueViolation
from sqlalchemy import ARRAY, Date, DateTime, LargeBinary, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Boolean, Integer

from adapters.postgres import migrate
from adapters.postgres.storage import API_ROLE
from adapters.postgres.tables.everything import METADATA
from domain.shared.visibility import EVERYBODY, NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Column, Table

    from tests.support.postgres import PostgresServer

    Connection = psycopg.Connection[Any]

OF_NOBODY = {
    "audit_seal": "seals cover the entries of all",
    "book_rate": "rates are the same for all",
    "chain_block": "what a chain shows to everybody",
    "chain_cursor": "how far a chain was read",
    "chain_stretch": "how far a chain was read",
    "checkpoint": "where books and chains agreed",
    "cold_transfer": "between the gateway's own wallets",
    "deposit_holding": "what lies at addresses, for the sweeper",
    "job": "work of the gateway's own; arguments are names",
    "ledger_seal": "seals cover the books of all",
    "newest_rate": "rates are the same for all",
    "observation": "what a chain shows to everybody",
    "parked_asset": "an asset is parked for all",
    "paused_queue": "work of the gateway's own",
    "person": "who works for several merchants, or for none",
    "sealing_progress": "seals cover the books of all",
    "sender_sequence": "numbers of the gateway's own transactions",
    "star_reading": "how far Telegram's list was read",
    "submission_attempt": "bytes the gateway has signed; the API may not read them",
    "sweep": "between the gateway's own wallets",
    "wallet_alarm": "about the gateway's own wallets",
}
"""The tables that are under no policy, and why."""

ADA, BOB = "mer_ada", "mer_bob"
POSTING = METADATA.tables["posting"]
APART = [table for table in METADATA.sorted_tables if table.name not in OF_NOBODY]
_ACCOUNTS = frozenset({"account", "source", "aside"})
_SAMPLES: tuple[tuple[type, object], ...] = (
    (Boolean, False),
    (Numeric, 1),
    (Integer, 1),
    (JSONB, "{}"),
    (LargeBinary, b""),
    (Date, "2026-01-01"),
    (DateTime, "2026-01-01T00:00:00Z"),
)


def a_value(column: Column[Any], owner: str) -> object:
    """Return what a column holds in a row of a merchant's."""
    if column.name == "mode":
        return "test"
    if column.name in _ACCOUNTS and column.table.name in {"balance", "hold", "posting"}:
        return f"merchant:{owner}:available"
    if isinstance(column.type, ARRAY):
        return []
    if isinstance(column.type, Text):
        return owner
    return next(value for kind, value in _SAMPLES if isinstance(column.type, kind))


def a_row(table: Table, owner: str) -> dict[str, object]:
    return {
        column.name: owner.encode() if column.name == "digest" else a_value(column, owner)
        for column in table.columns
        if column.computed is None and column.identity is None
    }


def insertion(table: Table, row: dict[str, object]) -> sql.Composed:
    return sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )


@pytest.fixture(scope="module")
def shared_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of a database in which each of two merchants has a row in every table."""
    name = "shared"
    postgres_server.create_database(name)
    dsn = postgres_server.dsn(database=name)
    migrate.upgrade(dsn)
    with psycopg.connect(dsn) as owner:
        # Triggers and foreign keys, which rows like these would not satisfy, rest in this role.
        owner.execute("set session_replication_role = replica")
        for table in APART:
            for number, merchant in enumerate((ADA, BOB)):
                row = a_row(table, merchant)
                # By this alone rows of one table are told apart, whosesoever they are.
                row |= {"index": number} if "index" in row else {}
                owner.execute(insertion(table, row), row)
        for merchant in (ADA, BOB):
            row = {**a_row(POSTING, merchant), "line": 2, "account": "fees:platform"}
            owner.execute(insertion(POSTING, row), row)
    yield dsn
    postgres_server.drop_database(name)


@pytest.fixture
def both(shared_dsn: str) -> Iterator[Connection]:
    """Yield a connection of the API's role to that database; what is done on it is undone."""
    with (
        psycopg.connect(shared_dsn, options=f"-c role={API_ROLE}") as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


def act(connection: Connection, merchant: str) -> None:
    connection.execute("select set_config('switchyard.merchant', %s, false)", [merchant])


def may(connection: Connection, right: str, table: Table) -> bool:
    row = connection.execute("select has_table_privilege(%s, %s)", [table.name, right]).fetchone()
    return bool(row and row[0])


def must_refuse(
    connection: Connection, statement: sql.Composed, row: Mapping[str, object] | None = None
) -> None:
    with pytest.raises(InsufficientPrivilege), connection.transaction():
        connection.execute(statement, row)


def count(connection: Connection, table: Table) -> int:
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table.name))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_every_table_is_under_a_policy_or_nobodys(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        under = {
            name
            for (name,) in connection.execute(
                """
                select relname from pg_class join pg_policy on polrelid = pg_class.oid
                where relrowsecurity and polname = 'of_acting_merchant'
                """
            )
        }
        others = connection.execute(
            "select polname from pg_policy where polname <> 'of_acting_merchant'"
        ).fetchall()

    assert under == {table.name for table in APART}
    assert set(OF_NOBODY) <= set(METADATA.tables)
    assert others == []


def test_no_table_is_forced_open_or_owned_by_the_role(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        [[login, bypasses, super_]] = connection.execute(
            "select rolcanlogin, rolbypassrls, rolsuper from pg_roles where rolname = %s",
            [API_ROLE],
        ).fetchall()
        owned = connection.execute(
            "select relname from pg_class where relowner = %s::regrole", [API_ROLE]
        ).fetchall()

    assert (login, bypasses, super_, owned) == (False, False, False, [])


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_of_each_table_the_acting_merchant_alone_has_rows(table: Table, both: Connection) -> None:
    act(both, ADA)

    if may(both, "select", table):
        own = count(both, table)
        assert own > 0
        shown = both.execute(sql.SQL("select * from {}").format(sql.Identifier(table.name)))
        assert BOB not in str(shown.fetchall())
        act(both, NOBODY)
        assert count(both, table) == 0
        act(both, EVERYBODY)
        assert count(both, table) == 2 * own
    else:
        must_refuse(both, sql.SQL("select from {}").format(sql.Identifier(table.name)))


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_in_each_table_only_own_rows_are_written(table: Table, both: Connection) -> None:
    act(both, ADA)
    for owner, merchant in ((BOB, ADA), (ADA, NOBODY)):
        act(both, merchant)
        row = a_row(table, owner)
        must_refuse(both, insertion(table, row), row)

    act(both, ADA)
    if may(both, "insert", table):
        row = a_row(table, ADA)
        # That it is there already is found out after it was seen to be her own.
        with suppress(UniqueViolation), both.transaction():
            both.execute(insertion(table, row), row)


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_in_each_table_only_own_rows_are_changed(table: Table, both: Connection) -> None:
    column = next(it.name for it in table.columns if it.computed is None and it.identity is None)
    statements = {
        "update": sql.SQL("update {} set {column} = {column}"),
        "delete": sql.SQL("delete from {}"),
    }
    names = {"column": sql.Identifier(column)}
    for right, statement in statements.items():
        change = statement.format(sql.Identifier(table.name), **names)
        for merchant, changed in ((NOBODY, 0), (ADA, 1)):
            act(both, merchant)
            if may(both, right, table):
                assert both.execute(change).rowcount == changed
            else:
                must_refuse(both, change)


@pytest.mark.parametrize("table", APART, ids=lambda table: table.name)
def test_no_row_is_given_to_another(table: Table, both: Connection) -> None:
    given = a_row(table, BOB)
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in given
    )
    act(both, ADA)

    change = sql.SQL("update {} set {}").format(sql.Identifier(table.name), assignments)
    must_refuse(both, change, given)


@pytest.mark.parametrize("account", ["merchant:mer_bob:available", "escrow:mer_bob", "customer:1"])
def test_nothing_is_posted_to_an_account_of_somebody_else(account: str, both: Connection) -> None:
    row = {**a_row(POSTING, ADA), "line": 7, "account": account}
    act(both, ADA)

    must_refuse(both, insertion(POSTING, row), row)


def test_the_other_sides_of_ones_own_bookings_are_shown(both: Connection) -> None:
    act(both, ADA)

    shown = both.execute("select transaction_id, account from posting order by line").fetchall()

    assert shown == [(ADA, f"merchant:{ADA}:available"), (ADA, "fees:platform")]


@pytest.mark.parametrize("reset", ["reset all", "reset role", "discard all"])
def test_a_reset_of_the_session_leaves_the_role(reset: str, shared_dsn: str) -> None:
    options = f"-c role={API_ROLE}"
    with psycopg.connect(shared_dsn, options=options, autocommit=True) as connection:
        act(connection, ADA)
        connection.execute(reset.encode())

        assert connection.execute("select current_user").fetchone() == (API_ROLE,)
