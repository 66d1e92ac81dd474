"""Insertions of any number of rows by one statement: a few as they stand, many as columns."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import ARRAY, Column, FromClause, bindparam, cast, func, select, values
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import ClauseElement

from adapters.postgres.statements import Statement, compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table

    from adapters.postgres.session import Write

FEW = 8
"""Up to so many rows a statement lists each value: the server computes a quarter less then."""


@attrs.frozen(eq=False)
class Insertion:
    """Inserts rows, which are given as tuples of the values of some columns.

    There is one statement for each small number of rows and one for all others, so the server
    keeps a plan for each. Rows are inserted in the order given: PostgreSQL reads lists of values,
    and arrays, from their beginning.
    """

    columns: tuple[Column[Any], ...]
    into: Callable[[FromClause], ClauseElement]
    """Makes the statement, from the rows as a table named ``given``."""
    meets_others: bool = False
    _compiled: dict[int, tuple[Statement, list[str]]] = attrs.field(factory=dict, init=False)

    def of(self, rows: Sequence[tuple[object, ...]], **others: object) -> Write:
        """Return the statement that inserts rows, one at least, and its parameters.

        ``others`` are parameters that ``into`` names besides the rows.
        """
        few = len(rows) if len(rows) <= FEW else 0
        if few not in self._compiled:
            self._compiled[few] = self._compile(few)
        statement, names = self._compiled[few]
        given: Iterable[object] = (
            chain.from_iterable(rows) if few else map(array, zip(*rows, strict=True))
        )
        return statement, {**dict(zip(names, given, strict=True)), **others}

    def _compile(self, few: int) -> tuple[Statement, list[str]]:
        """Compile the statement for a few rows or, for 0, for many; name its parameters."""
        columns = [Column(column.name, column.type) for column in self.columns]
        given: FromClause
        if few:
            names = [f"{column.name}_{row}" for row in range(few) for column in columns]
            unread = iter(names)
            rows = [
                tuple(cast(bindparam(next(unread)), column.type) for column in columns)
                for _ in range(few)
            ]
            given = values(*columns, name="given").data(rows)
        else:
            names = [column.name for column in columns]
            arrays = (cast(bindparam(column.name), ARRAY(column.type)) for column in columns)
            given = func.unnest(*arrays).table_valued(*columns, name="given")
            given = given.render_derived(name="given")
        return compiled(self.into(given), meets_others=self.meets_others), names


def array(values: tuple[object, ...]) -> str:
    """Write a column of texts, numbers or nothing as an array (PostgreSQL manual, 8.15.2).

    psycopg adapts each value by itself, which takes ten times as long. No text that PostgreSQL
    stores has a NUL, so that one can stand between two values until all are escaped.
    """
    if None in values:
        return "{" + ",".join("NULL" if it is None else array((it,))[1:-1] for it in values) + "}"
    text = "\0".join(map(str, values)).replace("\\", r"\\").replace('"', r"\"")
    return '{"' + text.replace("\0", '","') + '"}'


def insertion_of_rows(table: Table, *names: str) -> Insertion:
    """Return the plain insertion into columns of a table."""
    return Insertion(
        tuple(table.c[name] for name in names),
        lambda given: insert(table).from_select(
            names, select(*(given.c[name] for name in names)), include_defaults=False
        ),
    )
