"""How deliveries are found, taken and noted: the statements, and deliveries as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Integer,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    lateral,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres import documents
from adapters.postgres.insertions import insertion_of_rows
from adapters.postgres.statements import (
    compiled,
    given_rows,
    insertion,
    select_by_id,
    update_by_id,
    written,
)
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.webhooks import WEBHOOK_DELIVERY, WEBHOOK_ENDPOINT
from domain.webhooks.model import Delivery, DeliveryState, Try

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import CTE, BindParameter

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement

_TRIES = tuple[Try, ...]
_D, _E = WEBHOOK_DELIVERY.c, WEBHOOK_ENDPOINT.c
_AT = bindparam("at", type_=INSTANT)
_PENDING = _D.state == "pending"
COLUMNS = written(WEBHOOK_DELIVERY)

LAST_TOLD = compiled(
    select(func.coalesce(func.max(_D.sequence), 0).label("last")).where(
        _D.endpoint_id == bindparam("endpoint_id")
    )
)
ADD = insertion(WEBHOOK_DELIVERY)
ADD_MANY = insertion_of_rows(WEBHOOK_DELIVERY, *COLUMNS)
SAVE = update_by_id(
    WEBHOOK_DELIVERY,
    fixed=[
        "endpoint_id",
        "event_id",
        "merchant_id",
        "created_at",
        "sequence",
        "previous_sequence",
    ],
)
GET = select_by_id(WEBHOOK_DELIVERY)
LOCK = select_by_id(WEBHOOK_DELIVERY, lock=True)
OF_EVENT = compiled(
    select(WEBHOOK_DELIVERY)
    .where(_D.event_id == bindparam("event_id"))
    .order_by(_D.created_at, _D.id)
)


def _wish(name: str) -> BindParameter[str]:
    return bindparam(name, type_=NAME)


PAGE = compiled(
    select(WEBHOOK_DELIVERY)
    .where(
        _D.merchant_id == bindparam("owner"),
        *(
            or_(_wish(name).is_(None), _D[name] == _wish(name))
            for name in ("endpoint_id", "event_id", "state")
        ),
        or_(_wish("before").is_(None), _D.id < _wish("before")),
    )
    .order_by(_D.id.desc())
    .limit(bindparam("limit"))
)


def _waiting() -> CTE:
    """Step from endpoint to endpoint with something pending along the index."""
    one = literal_column("1", Integer)
    pending = select(_D.endpoint_id).where(_PENDING).order_by(_D.endpoint_id).limit(one)
    begun = select(pending.scalar_subquery().label("endpoint_id")).cte("waiting", recursive=True)
    further = pending.where(_D.endpoint_id > begun.c.endpoint_id).correlate(begun)
    return begun.union_all(
        select(further.scalar_subquery()).where(begun.c.endpoint_id.is_not(None))
    )


def _take() -> Statement:
    """Compile the statement that takes what is due.

    The first due rows of each endpoint are looked at: neither what waits for later nor what waits
    for an endpoint that rests is in the way, however much that is. A little more than is taken
    may be locked for the moment.
    """
    waiting, none = _waiting(), literal_column("0", Integer)
    busy = func.coalesce(cast(bindparam("under_way", type_=JSONB).op("->>")(_E.id), Integer), none)
    most = case(
        (_E.enabled.is_(False), bindparam("each_max", type_=Integer)),
        (_E.rest_until > _AT, none),
        (_E.silences > none, literal_column("1") - busy),
        else_=bindparam("each_max", type_=Integer) - busy,
    )
    ready = (
        select(_E.id, busy.label("busy"), func.greatest(most, none).label("most"))
        .join_from(waiting, WEBHOOK_ENDPOINT, _E.id == waiting.c.endpoint_id)
        .cte("ready")
    )
    first = lateral(
        select(_D.id, _D.next_try_at, _D.sequence)
        .where(_PENDING, _D.endpoint_id == ready.c.id, _D.next_try_at <= _AT)
        .order_by(_D.next_try_at, _D.sequence)
        .limit(ready.c.most)
        .with_for_update(skip_locked=True),
        "first",
    )
    place = func.row_number().over(
        partition_by=ready.c.id, order_by=(first.c.next_try_at, first.c.sequence)
    )
    due = (
        select(first.c.id)
        .select_from(ready.join(first, true()))
        .order_by(ready.c.busy + place, first.c.next_try_at, first.c.id)
        .limit(bindparam("limit", type_=Integer))
        .cte("due")
    )
    return compiled(
        update(WEBHOOK_DELIVERY)
        .values(next_try_at=bindparam("until", type_=INSTANT))
        .where(_D.id == due.c.id)
        .returning(WEBHOOK_DELIVERY)
    )


def _note() -> Statement:
    """Compile the statement that adds a try to the log of each of any number of deliveries."""
    given = given_rows(
        "noted",
        Column("id", NAME),
        Column("tries_before", Integer),
        Column("tried", JSONB),
        Column("state", NAME),
        Column("next_try_at", INSTANT),
    )
    return compiled(
        update(WEBHOOK_DELIVERY)
        .values(
            tries=_D.tries.op("||")(given.c.tried),
            state=given.c.state,
            next_try_at=given.c.next_try_at,
        )
        .where(
            _D.id == given.c.id,
            # Said in one expression, which no index has: by the one of what is pending the server
            # would go through all that waits, however much that is, to find these few.
            case((_PENDING, func.jsonb_array_length(_D.tries))) == given.c.tries_before,
        )
        .returning(_D.id)
    )


def _prune() -> Statement:
    later = WEBHOOK_DELIVERY.alias("later")
    old = (
        select(_D.id)
        .where(
            _D.state != "pending",
            _D.created_at < bindparam("created_before", type_=INSTANT),
            exists().where(later.c.endpoint_id == _D.endpoint_id, later.c.sequence > _D.sequence),
        )
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True, of=WEBHOOK_DELIVERY)
        .cte("old")
    )
    return compiled(delete(WEBHOOK_DELIVERY).where(_D.id == old.c.id).returning(_D.id))


TAKE = _take()
NOTE = _note()
PRUNE = _prune()


def delivery_row(delivery: Delivery) -> Row:
    """Return a delivery as its row."""
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "merchant_id": delivery.merchant_id,
        "created_at": delivery.created_at,
        "sequence": delivery.sequence,
        "previous_sequence": delivery.previous_sequence,
        "state": delivery.state,
        "tries": documents.write(delivery.tries, _TRIES),
        "next_try_at": delivery.next_try_at,
    }


def delivery_of(row: Row) -> Delivery:
    """Return the delivery that a row holds."""
    tries = documents.read(row["tries"], _TRIES) if row["tries"] else ()
    return Delivery(**{**row, "state": DeliveryState(row["state"]), "tries": tries})


def noted_rows(deliveries: Sequence[Delivery]) -> str:
    """Write the last try of each delivery, and what it has come to, for ``NOTE``."""
    return documents.write_json(
        [
            {
                "id": it.id,
                "tries_before": len(it.tries) - 1,
                "tried": documents.plain(it.tries[-1:], _TRIES),
                "state": it.state,
                "next_try_at": None if it.next_try_at is None else it.next_try_at.isoformat(),
            }
            for it in deliveries
        ]
    )
