"""What the database refuses even to hand-written SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from tests.builders import CUSTODY, MERCHANT, USDT, earned
from tests.contracts.storage import given

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.unit_of_work import Begin

POST = "insert into posting (transaction_id, line, account, asset, amount) values "


@pytest.fixture
async def by_hand(begin: Begin, postgres_dsn: str) -> AsyncIterator[psycopg.Connection]:
    """Somebody with a console, on a database in which a merchant has earned 5."""
    await given(begin, earned(5))
    with psycopg.connect(postgres_dsn) as connection:
        yield connection


@pytest.mark.parametrize("table", ["posting", "ledger_transaction", "ledger_seal", "book_rate"])
@pytest.mark.parametrize(
    "verb",
    [
        "update {} set id = id",
        "delete from {}",
        "delete from {} where false",
        "truncate {} cascade",
    ],
)
async def test_the_books_are_never_changed(
    by_hand: psycopg.Connection, table: str, verb: str
) -> None:
    column = {"posting": "line", "ledger_seal": "number", "book_rate": "asset"}.get(table, "id")
    verb = verb.replace("set id = id", f"set {column} = {column}")
    with pytest.raises(errors.IntegrityConstraintViolation, match="never changed"):
        by_hand.execute(verb.format(table).encode())


@pytest.mark.parametrize(
    "lines",
    [
        "(t, 7, 'world', 'a', 1)",
        "(t, 7, 'world', 'a', 1), (t, 8, 'world', 'b', -1)",
        "(t, 7, 'world', 'a', 1), (t, 8, 'suspense:evm', 'a', -2)",
    ],
)
async def test_an_unbalanced_transaction_cannot_be_written(
    by_hand: psycopg.Connection, lines: str
) -> None:
    row = by_hand.execute("select id from ledger_transaction").fetchone()
    assert row is not None
    with pytest.raises(errors.CheckViolation) as refusal:
        by_hand.execute((POST + lines.replace("(t", f"('{row[0]}'")).encode())
    assert refusal.value.diag.constraint_name == "posting_balanced"


async def test_two_wrongs_do_not_make_a_balance(by_hand: psycopg.Connection) -> None:
    """Each transaction balances for itself, not only all of them together."""
    by_hand.execute(
        """
        insert into ledger_transaction (id, kind, reference, effective_at, booked_at)
        values ('t1', 'capture', 'r', now(), now()), ('t2', 'capture', 'r', now(), now())
        """
    )
    lines = "('t1', 0, 'world', 'a', 1), ('t2', 0, 'world', 'a', -1)"
    with pytest.raises(errors.CheckViolation):
        by_hand.execute((POST + lines).encode())


@pytest.mark.parametrize(
    "statement",
    [
        "update balance set amount = -1",
        "insert into balance values ('merchant:mer_09:available', 'a', -1)",
    ],
)
async def test_a_balance_below_zero_cannot_be_written(
    by_hand: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(errors.CheckViolation) as refusal:
        by_hand.execute(statement.encode())
    assert refusal.value.diag.constraint_name == "balance_not_negative"


async def test_a_posting_belongs_to_a_transaction(by_hand: psycopg.Connection) -> None:
    lines = "('t9', 0, 'world', 'a', 1), ('t9', 1, 'world', 'a', -1)"
    with pytest.raises(errors.ForeignKeyViolation):
        by_hand.execute((POST + lines).encode())


async def test_no_line_is_added_to_a_transaction_that_comes_beside_one_that_is_missing(
    by_hand: psycopg.Connection,
) -> None:
    row = by_hand.execute("select id from ledger_transaction").fetchone()
    assert row is not None
    lines = ", ".join(
        f"('{id}', {line}, 'world', 'a', {amount})"
        for id in (row[0], "t9")
        for line, amount in ((7, 1), (8, -1))
    )
    with pytest.raises(errors.ForeignKeyViolation):
        by_hand.execute((POST + lines).encode())


async def test_a_transaction_is_reversed_once_whoever_writes(
    by_hand: psycopg.Connection,
) -> None:
    statement = """
        insert into ledger_transaction (id, kind, reference, effective_at, booked_at, reverses)
        select %s, 'reversal', 'r', now(), now(), id from ledger_transaction where kind = 'capture'
    """
    by_hand.execute(statement, ["t1"])
    with pytest.raises(errors.UniqueViolation):
        by_hand.execute(statement, ["t2"])


async def test_a_value_that_no_rate_gives_is_found(
    begin: Begin, by_hand: psycopg.Connection
) -> None:
    by_hand.execute(
        """
        insert into book_rate (asset, currency, per_unit, observed_at)
        values ('a', 'iso4217:USD', 0.5, now()), ('b', 'iso4217:USD', 0.5, now());
        insert into ledger_transaction (id, kind, reference, effective_at, booked_at)
        select 't' || n, 'capture', 'r', now(), now() from generate_series(1, 6) n;
        with rate (asset, id) as (select asset, id from book_rate)
        insert into posting (transaction_id, line, account, asset, amount, value, rate_id)
        select 't' || n, line, 'world', 'a', sign * 3, sign * worth,
            case rated when 'none' then null when 'gone' then 0 else rate.id end
        from (values (1, 2, 'a'), (2, 1, 'a'), (3, null, 'a'), (4, 2, 'none'), (5, 2, 'b'),
                (6, 2, 'gone')) as case_ (n, worth, rated)
            cross join (values (0, 1), (1, -1)) as side (line, sign)
            left join rate on rate.asset = rated
        """
    )
    by_hand.commit()

    async with begin() as work:
        assert sorted(await work.ledger.wrong_values()) == ["t2", "t3", "t4", "t5", "t6"]


async def test_the_kept_balances_are_the_sums_of_the_postings(begin: Begin) -> None:
    await given(begin, earned(5), earned(7), earned(2**200, by="mer_02"))

    async with begin() as work:
        kept = await work.ledger.kept_balances()
        assert kept == await work.ledger.balances(prefix="merchant:")
        assert len(kept) == 2
    assert MERCHANT in kept[0].account
    assert kept[0].money.asset == USDT.id
    assert CUSTODY not in {it.account for it in kept}
