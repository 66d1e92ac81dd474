from __future__ import annotations

import psycopg
from psycopg import RawCursor
from sqlalchemy import Boolean, Integer, bindparam, column, insert, select, table

from adapters.postgres.statements import Statement, combined, compiled

FIRST = Statement("INSERT INTO a VALUES ($1, $2, $1)", ("x", "y"))
SECOND = Statement("UPDATE b SET z = $1", ("z",))
LAST = Statement("WITH n AS (SELECT $1)\n INSERT INTO c SELECT * FROM n", ("n",))


def test_one_statement_stays_as_it_is() -> None:
    assert combined((FIRST,)) == FIRST.text


def test_several_become_one_with_numbers_that_go_on() -> None:
    assert combined((FIRST, SECOND)) == (
        "WITH written_1 AS (UPDATE b SET z = $3) INSERT INTO a VALUES ($1, $2, $1)"
    )


def test_expressions_of_their_own_are_kept() -> None:
    assert combined((FIRST, SECOND, LAST)) == (
        "WITH n AS (SELECT $4), written_2 AS (INSERT INTO c SELECT * FROM n), "
        "written_1 AS (UPDATE b SET z = $3) INSERT INTO a VALUES ($1, $2, $1)"
    )
    assert combined((LAST, SECOND)) == (
        "WITH n AS (SELECT $1), written_1 AS (UPDATE b SET z = $2) INSERT INTO c SELECT * FROM n"
    )


def test_compiled_expressions_are_told_from_the_main_part() -> None:
    made = select(column("n", Integer)).where(bindparam("wanted", type_=Boolean)).cte("made")
    statement = compiled(insert(table("c", column("n"))).from_select(["n"], select(made.c.n)))

    own, main = statement.parts
    assert (own[:7], own[-1]) == ("made AS", ")")
    assert main.startswith("INSERT INTO c (n) SELECT made.n")
    assert statement.text == f"WITH {own}\n {main}"


def test_several_are_carried_out_in_the_order_given(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn, cursor_factory=RawCursor) as connection:
        connection.execute("CREATE TEMPORARY TABLE line (place serial, name text)")
        add = Statement("INSERT INTO line (name) VALUES ($1)", ("name",))
        connection.execute(combined((add,) * 4).encode(), ["a", "b", "c", "d"])
        found = connection.execute("SELECT name FROM line ORDER BY place").fetchall()
    assert [name for (name,) in found] == ["a", "b", "c", "d"]


def test_parameters_are_arranged_by_name() -> None:
    assert FIRST.arrange({"y": 2, "x": 1, "more": 3}) == [1, 2]
