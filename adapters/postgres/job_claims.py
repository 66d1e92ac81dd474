"""How jobs are taken: the statements.

One range of the index is looked at for each queue and standing, from its beginning to the first
rows that are due: neither jobs for later nor those of other queues are in the way, however many
they are. Rows that another has locked are passed over. A little more than is taken may be locked
for the moment, at most the limit for each queue and standing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    Integer,
    any_,
    bindparam,
    column,
    exists,
    func,
    lateral,
    literal_column,
    select,
    true,
    update,
    values,
)

from adapters.postgres.job_rows import JOB_COLUMNS, LEASE_END, STATE_OF_ONE
from adapters.postgres.statements import compiled
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.jobs import JOB, PAUSED_QUEUE
from domain.shared.kinds import STANDINGS, Queue

if TYPE_CHECKING:
    from sqlalchemy import CTE, ColumnElement

_C = JOB.c
_LIMIT = bindparam("limit", type_=Integer)


def _due(limit: ColumnElement[Any]) -> CTE:
    """Lock the jobs that are due, the first of them all, as many as are wanted."""
    # Constants, whose number is known when the plan is made: so one plan is kept for all claims.
    served = values(column("queue", NAME), name="served").data([(each.value,) for each in Queue])
    standings = values(column("standing", Integer), name="standings").data(
        [(standing,) for standing in range(STANDINGS)]
    )
    first = lateral(
        select(_C.id, _C.run_at)
        .where(
            _C.state == "ready",
            _C.queue == served.c.queue,
            _C.standing == standings.c.standing,
            _C.run_at <= bindparam("at", type_=INSTANT),
        )
        .order_by(_C.run_at, _C.id)
        .limit(limit)
        .with_for_update(skip_locked=True),
        "first",
    )
    paused = exists().where(PAUSED_QUEUE.c.queue == served.c.queue)
    return (
        select(first.c.id)
        .select_from(served.join(standings, true()).join(first, true()))
        .where(served.c.queue == any_(bindparam("queues", type_=ARRAY(NAME))), ~paused)
        .order_by(standings.c.standing, first.c.run_at, first.c.id)
        .limit(limit)
        .cte("due")
    )


def _taken(due: CTE, **changes: Any) -> Any:  # noqa: ANN401 (of any type; SQLAlchemy's update)
    return (
        update(JOB)
        .values(
            claims=_C.claims + 1,
            lease_until=LEASE_END,
            runner=bindparam("runner"),
            **changes,
        )
        .where(_C.id == due.c.id)
        .returning(*JOB_COLUMNS)
    )


_queued_here = (
    select(func.count())
    .where(_C.state == "queued", _C.runner == bindparam("runner"))
    .scalar_subquery()
)

CLAIM = compiled(
    _taken(
        _due(_LIMIT),
        state="running",
        attempts=_C.attempts + 1,
        started_at=bindparam("at", type_=INSTANT),
    )
)
HAND_OVER = compiled(
    _taken(_due(func.greatest(_LIMIT - _queued_here, literal_column("0"))), state="queued")
)
BEGIN = compiled(
    update(JOB)
    .values(
        state="running",
        attempts=_C.attempts + 1,
        started_at=bindparam("at", type_=INSTANT),
        lease_until=LEASE_END,
        runner=bindparam("runner"),
    )
    .where(
        _C.id == bindparam("job_id"),
        STATE_OF_ONE == "queued",
        _C.claims == bindparam("claims_"),
        ~exists().where(PAUSED_QUEUE.c.queue == _C.queue),
    )
    .returning(*JOB_COLUMNS)
)
