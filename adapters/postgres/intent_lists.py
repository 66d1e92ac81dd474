"""Pages of a merchant's intents, of which each costs about the same however many there are.

A page is read off an index in its own order and ends when it is full. An index has that order
only where all columns before the time are known, so that where a status or a method is left open
each one that there is gets looked up by itself, and the newest of all that is found are the page.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ARRAY, bindparam, column, func, select, tuple_

from adapters.postgres.statements import compiled
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.intents import PAYMENT_INTENT
from domain.intents.listing import ALL
from domain.intents.model import IntentStatus, Method

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select, TableValuedAlias

    from adapters.postgres.statements import Statement
    from domain.intents.listing import Place, Wanted
    from domain.shared.ids import MerchantId

SIZES: Final = (32, 128, 1024)
"""How many rows are read for a page: the first that is enough, and none is larger than the last.

They are part of the statements. Of a limit that is a parameter PostgreSQL knows nothing when it
plans, and takes it for a tenth of all there is, for which it would rather sort than look up.
"""

_C = PAYMENT_INTENT.c
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
"""Before and after everything, with a day's room for time zones."""


def _asked() -> list[ColumnElement[bool]]:
    """Return what holds for each page: whose it is, and between which times."""
    last = tuple_(bindparam("last_at", type_=INSTANT), bindparam("last_id", type_=NAME))
    return [
        _C.merchant_id == bindparam("owner"),
        _C.created_at > bindparam("created_after"),
        tuple_(_C.created_at, _C.id) < last,
    ]


def _newest(clause: Select[Any], size: int) -> Select[Any]:
    """Return the newest rows of a clause that gives a time and an id."""
    given = clause.selected_columns
    return clause.order_by(given.created_at.desc(), given.id.desc()).limit(size)


def _words(name: str) -> TableValuedAlias:
    """Return an array that is a parameter as a table of its words."""
    words = func.unnest(bindparam(name, type_=ARRAY(NAME)))
    return words.table_valued(column("word", NAME)).render_derived(name=name)


def _each(size: int, *more: ColumnElement[bool]) -> Statement:
    """Compile the look-up of each method in each status."""
    method, status = _words("methods"), _words("statuses")
    found = select(_C.id, _C.created_at).where(
        *_asked(), *more, _C.method == method.c.word, _C.status == status.c.word
    )
    newest = _newest(found, size).lateral("newest")
    page = _newest(
        select(newest.c.id, newest.c.created_at).select_from(method, status, newest), size
    ).subquery("page")
    whole = select(PAYMENT_INTENT).join(page, page.c.id == _C.id)
    return compiled(whole.order_by(_C.created_at.desc(), _C.id.desc()))


_OPEN = {size: compiled(_newest(select(PAYMENT_INTENT).where(*_asked()), size)) for size in SIZES}
_STANDING = {size: _each(size) for size in SIZES}
_OF_ASSET = {size: _each(size, _C.due_asset == bindparam("asset")) for size in SIZES}


def listing(
    *, owner: MerchantId, before: Place | None, limit: int, wanted: Wanted | None
) -> tuple[Statement, dict[str, Any]]:
    """Return the statement of a page, which may give more rows than asked for, and parameters."""
    size = next((size for size in SIZES if size >= limit), SIZES[-1])
    of = wanted or ALL
    # One upper bound, and not two: an index is entered at the first that it is given.
    ends = [(_LATEST, "")]
    ends += [(of.created_before, "")] if of.created_before else []
    ends += [(before.created_at, before.id)] if before else []
    last_at, last_id = min(ends)
    parameters: dict[str, Any] = {
        "owner": owner,
        "created_after": of.created_after or _EARLIEST,
        "last_at": last_at,
        "last_id": last_id,
    }
    if of.status is None and of.method is None and of.asset is None:
        return _OPEN[size], parameters
    parameters["statuses"] = [of.status] if of.status else [*IntentStatus]
    parameters["methods"] = [of.method] if of.method else [*Method]
    if of.asset is None:
        return _STANDING[size], parameters
    return _OF_ASSET[size], {**parameters, "asset": of.asset}
