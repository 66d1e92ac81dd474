from __future__ import annotations

from adapters.postgres.statements import Statement, combined

FIRST = Statement("INSERT INTO a VALUES ($1, $2, $1)", ("x", "y"))
SECOND = Statement("UPDATE b SET z = $1", ("z",))
LAST = Statement("WITH n AS (SELECT $1) INSERT INTO c SELECT * FROM n", ("n",))


def test_one_statement_stays_as_it_is() -> None:
    assert combined((FIRST,)) == FIRST.text


def test_several_become_one_with_numbers_that_go_on() -> None:
    assert combined((FIRST, SECOND)) == (
        "WITH written_0 AS (INSERT INTO a VALUES ($1, $2, $1)) UPDATE b SET z = $3"
    )


def test_the_last_keeps_expressions_of_its_own() -> None:
    assert combined((FIRST, LAST)) == (
        "WITH written_0 AS (INSERT INTO a VALUES ($1, $2, $1)), "
        "n AS (SELECT $3) INSERT INTO c SELECT * FROM n"
    )


def test_parameters_are_arranged_by_name() -> None:
    assert FIRST.arrange({"y": 2, "x": 1, "more": 3}) == [1, 2]
