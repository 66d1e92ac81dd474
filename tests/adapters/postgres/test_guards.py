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

POST = "insert into posting (transaction_id, account, asset, amount) values "


@pytest.fixture
async def by_hand(begin: Begin, postgres_dsn: str) -> AsyncIterator[psycopg.Connection]:
    """Somebody with a console, on a database in which a merchant has earned 5."""
    await given(begin, earned(5))
    with psycopg.connect(postgres_dsn) as connection:
        yield connection


@pytest.mark.parametrize("table", ["posting", "ledger_transaction"])
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
    if table == "posting":
        verb = verb.replace("set id = id", "set amount = 0")
    with pytest.raises(errors.IntegrityConstraintViolation, match="never changed"):
        by_hand.execute(verb.format(table).encode())


@pytest.mark.parametrize(
    "lines",
    [
        "(t, 'world', 'a', 1)",
        "(t, 'world', 'a', 1), (t, 'world', 'b', -1)",
        "(t, 'world', 'a', 1), (t, 'suspense:evm', 'a', -2)",
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
    with pytest.raises(errors.CheckViolation):
        by_hand.execute((POST + "('t1', 'world', 'a', 1), ('t2', 'world', 'a', -1)").encode())


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
    with pytest.raises(errors.ForeignKeyViolation):
        by_hand.execute((POST + "('t9', 'world', 'a', 1), ('t9', 'world', 'a', -1)").encode())


async def test_the_kept_balances_are_the_sums_of_the_postings(begin: Begin) -> None:
    await given(begin, earned(5), earned(7), earned(2**200, by="mer_02"))

    async with begin() as work:
        kept = await work.ledger.kept_balances()
        assert kept == await work.ledger.balances(prefix="merchant:")
        assert len(kept) == 2
    assert MERCHANT in kept[0].account
    assert kept[0].money.asset == USDT.id
    assert CUSTODY not in {it.account for it in kept}
