"""Pages of a merchant's rows, of which each costs about the same however many rows there are.

A page is read off an index in its own order and ends when it is full. An index has that order
only where all columns before the time are known, so that where one of them may be any of several
words each one is looked up by itself, and the newest of all that is found are the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs
from sqlalchemy import ARRAY, bindparam, column, func, select, tuple_

from adapters.postgres.statements import Statement, compiled
from adapters.postgres.tables.columns import INSTANT, NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Select, Table, TableValuedAlias

    from domain.shared.ids import MerchantId

SIZES: Final = (32, 128, 1024)
"""How many rows are read for a page: the first that is enough, and none is larger than the last.

They are part of the statements. Of a limit that is a parameter PostgreSQL knows nothing when it
plans, and takes it for a tenth of all there is, for which it would rather sort than look up.
"""

_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""Before and after everything, with a day's room for time zones."""


@attrs.frozen
class Pages:
    """The statements of one table's pages, one for each size."""

    _by_size: Mapping[int, Statement]

    def holding(self, limit: int) -> Statement:
        """Return the statement of pages of so many rows; it may give more than asked for."""
        return self._by_size[next((size for size in SIZES if size >= limit), SIZES[-1])]


def pages(table: Table, *more: ColumnElement[bool]) -> Pages:
    """Compile the pages of a merchant's rows, read off an index that has them in their order."""
    found = select(table).where(*_asked(table), *more)
    return Pages({size: compiled(_newest(found, size)) for size in SIZES})


def pages_of_each(table: Table, *more: ColumnElement[bool], **columns: Column[Any]) -> Pages:
    """Compile pages for which each word of some columns is looked up, with each of the others.

    What a column is called here is the parameter with the array of its words.
    """
    return Pages({size: _each(table, size, more, columns) for size in SIZES})


def asked(
    *,
    owner: MerchantId,
    before: tuple[datetime, str] | None,
    created_after: datetime | None,
    created_before: datetime | None,
) -> dict[str, Any]:
    """Return the parameters that each page has: whose it is, and between which times.

    ``before`` is the place just before which it begins: a time and an id.
    """
    # One upper bound, and not two: an index is entered at the first that it is given.
    ends = [(_LATEST, "")]
    ends += [(created_before, "")] if created_before else []
    ends += [before] if before else []
    last_at, last_id = min(ends)
    return {
        "owner": owner,
        "created_after": created_after or _EARLIEST,
        "last_at": last_at,
        "last_id": last_id,
    }


def _asked(table: Table) -> list[ColumnElement[bool]]:
    last = tuple_(bindparam("last_at", type_=INSTANT), bindparam("last_id", type_=NAME))
    return [
        table.c.merchant_id == bindparam("owner"),
        table.c.created_at > bindparam("created_after"),
        tuple_(table.c.created_at, table.c.id) < last,
    ]


def _newest(clause: Select[Any], size: int) -> Select[Any]:
    """Return the newest rows of a clause that gives a time and an id."""
    given = clause.selected_columns
    return clause.order_by(given.created_at.desc(), given.id.desc()).limit(size)


def _words(name: str) -> TableValuedAlias:
    """Return an array that is a parameter as a table of its words."""
    words = func.unnest(bindparam(name, type_=ARRAY(NAME)))
    return words.table_valued(column("word", NAME)).render_derived(name=name)


def _each(
    table: Table,
    size: int,
    more: Sequence[ColumnElement[bool]],
    columns: Mapping[str, Column[Any]],
) -> Statement:
    words = {name: _words(name) for name in columns}
    alike = [it == words[name].c.word for name, it in columns.items()]
    found = select(table.c.id, table.c.created_at).where(*_asked(table), *more, *alike)
    newest = _newest(found, size).lateral("newest")
    page = _newest(
        select(newest.c.id, newest.c.created_at).select_from(*words.values(), newest), size
    ).subquery("page")
    whole = select(table).join(page, page.c.id == table.c.id)
    return compiled(whole.order_by(table.c.created_at.desc(), table.c.id.desc()))
