"""SQL statements, written with SQLAlchemy Core and compiled once, when a module is imported.

At run time they are text with numbered parameters, which psycopg sends as it is: it neither
parses nor rewrites it, and the server plans it once for each connection.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import ARRAY, Column, Select, any_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Table, TableValuedAlias
    from sqlalchemy.sql import ClauseElement


class _Compiler(PGCompiler_psycopg):
    """Renders parameters that have a value already, constants, as literals."""

    def visit_bindparam(self, bindparam: Any, *places: Any, **options: Any) -> Any:  # noqa: ANN401 (SQLAlchemy's own signature)
        constant = {} if bindparam.required else {"literal_binds": True}
        return super().visit_bindparam(bindparam, *places, **{**options, **constant})  # type: ignore[no-untyped-call] # SQLAlchemy has no types here.


class _Dialect(PGDialect_psycopg):
    statement_compiler = _Compiler
    supports_statement_cache = False


_DIALECT = _Dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # As above.
_PARAMETER = re.compile(r"\$(\d+)")
_WITH = "WITH "
_MAIN = "\n "
"""What SQLAlchemy puts between a statement's common table expressions and its main part."""
_COMBINATIONS_MAX = 1024


@attrs.frozen(eq=False)
class Statement:
    """One statement's text and the names of its parameters ``$1``, ``$2``, … in order."""

    text: str
    names: tuple[str, ...]
    needs_transaction: bool = True
    """False where it only reads and locks nothing, so that it may be carried out by itself."""
    meets_others: bool = False
    """True where it may wait for others who write the same rows; no counter is held meanwhile."""
    changes: bool = True
    """False for queries, whatever they lock."""
    planned_anew: bool = False
    """True where the best way depends on the values asked for: no plan is kept for others."""

    @property
    def parts(self) -> tuple[str, str]:
        """Its own common table expressions, and its main part."""
        if not self.text.startswith(_WITH):
            return "", self.text
        own, _, main = self.text.removeprefix(_WITH).rpartition(_MAIN)
        return own, main

    def arrange(self, parameters: Mapping[str, object]) -> list[object]:
        """Return the values of parameters in the statement's order."""
        return [parameters[name] for name in self.names]


def compiled(
    clause: ClauseElement,
    *,
    columns: Sequence[str] | None = None,
    takes_locks: bool = False,
    meets_others: bool = False,
) -> Statement:
    """Compile a statement; ``columns`` are those that an INSERT or UPDATE sets by parameters.

    ``takes_locks`` says of a query that it locks something until the end of its transaction by a
    function it calls; of those that lock rows it is known.

    Constants become part of the text, not parameters: only so can a plan that is kept for all
    parameters use an index which covers some states alone.
    """
    done = clause.compile(dialect=_DIALECT, column_keys=columns)
    text = str(done)
    only_reads = isinstance(clause, Select) and not takes_locks and "FOR UPDATE" not in text
    names = tuple(getattr(done, "positiontup", None) or ())
    return Statement(
        text,
        names,
        needs_transaction=not only_reads,
        meets_others=meets_others,
        changes=not isinstance(clause, Select),
    )


def insertion(table: Table, *, without: Sequence[str] = ()) -> Statement:
    """Compile the insertion of one row; columns the database fills are left out."""
    return compiled(insert(table), columns=written(table, without=without))


def update_by_id(table: Table, *, fixed: Sequence[str]) -> Statement:
    """Compile the update of the row named ``id``; ``fixed`` columns never change."""
    columns = written(table, without=("id", *fixed))
    clause = update(table).where(table.c.id == bindparam("id_"))
    compiled_update = compiled(clause, columns=columns)
    names = tuple("id" if name == "id_" else name for name in compiled_update.names)
    return Statement(compiled_update.text, names)


def select_by_id(table: Table, *, lock: bool = False) -> Statement:
    """Compile the query of the row named ``id``, locked if asked for."""
    clause = select(table).where(table.c.id == bindparam("id"))
    return compiled(clause.with_for_update() if lock else clause)


def select_named(table: Table, *, by: str = "id") -> Statement:
    """Compile the query of a merchant's rows by any number of names, which are ``ids``."""
    named = table.c[by] == any_(bindparam("ids", type_=ARRAY(table.c[by].type)))
    return compiled(select(table).where(named, table.c.merchant_id == bindparam("owner")))


def written(table: Table, *, without: Sequence[str] = ()) -> list[str]:
    """Return the columns of a table that the program writes."""
    return [
        column.name
        for column in table.columns
        if column.name not in without and column.computed is None and column.identity is None
    ]


def given_rows(name: str, *columns: Column[Any]) -> TableValuedAlias:
    """Return the rows of a JSON array of objects as a table, its columns typed as given.

    ``name`` is the parameter's. One parameter holds any number of rows, so the statement's text,
    and with it the server's plan, stays the same.
    """
    return (
        func.jsonb_to_recordset(bindparam(name, type_=JSONB))
        .table_valued(*(Column(column.name, column.type) for column in columns), name="given")
        .render_derived(name="given", with_types=True)
    )


@lru_cache(maxsize=_COMBINATIONS_MAX)
def combined(statements: tuple[Statement, ...]) -> str:
    """Join writes into one statement.

    They are carried out in the order given: PostgreSQL begins with the main part and goes on with
    the expressions beside it, from the last to the first (``ExecPostprocessPlan``). In another
    order nothing would be wrong, but so what the last one locks is locked for the shortest time.
    None of them sees what another one writes, no two may write the same row, and expressions of
    their own must have names of their own. Parameters are numbered on from one to the next.
    """
    main, *others = statements
    if not others:
        return main.text
    expressions: list[str] = []
    own, leading = main.parts
    offset = len(main.names)
    for place, statement in enumerate(others, start=1):
        brought, text = (_shifted(part, offset) for part in statement.parts)
        expressions.insert(0, f"written_{place} AS ({text})")
        if brought:
            expressions.insert(0, brought)
        offset += len(statement.names)
    return _WITH + ", ".join([*filter(None, [own]), *expressions]) + " " + leading


def _shifted(text: str, offset: int) -> str:
    return _PARAMETER.sub(lambda match: f"${int(match[1]) + offset}", text) if offset else text
