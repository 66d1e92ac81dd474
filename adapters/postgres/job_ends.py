"""How claims end: the statements. Where a claim is over already, none of them changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, case, func, literal_column, null, select, update

from adapters.postgres.job_rows import JOB_COLUMNS, LEASE_END, NOW, STATE_OF_ONE, noted
from adapters.postgres.statements import compiled, given_rows
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.jobs import JOB, LEASED
from domain.jobs.model import Happening

if TYPE_CHECKING:
    from sqlalchemy import Update

    from adapters.postgres.statements import Statement

_C = JOB.c
_given = given_rows("jobs", _C.id, _C.claims, _C.state)
_OURS = and_(_C.id == _given.c.id, _C.claims == _given.c.claims)
RENEW = compiled(update(JOB).values(lease_until=LEASE_END).where(_OURS, STATE_OF_ONE == "running"))
PUT_BACK = compiled(
    update(JOB)
    .values(
        state="ready",
        lease_until=null(),
        attempts=_C.attempts - case((_C.state == "running", 1), else_=0),
    )
    .where(_OURS, _C.state == _given.c.state, STATE_OF_ONE.in_(("queued", "running")))
)

RETURN = compiled(
    update(JOB)
    .values(state="ready", lease_until=null())
    .where(
        _C.id == bindparam("job_id"),
        _C.claims == bindparam("claims_"),
        STATE_OF_ONE == "queued",
    )
)


def _ended(**changes: Any) -> Update:  # noqa: ANN401 (of any type)
    """Return the end of a running job's claim; where it is over, nothing changes."""
    return (
        update(JOB)
        .values(lease_until=null(), **changes)
        .where(
            _C.id == bindparam("job_id"),
            _C.claims == bindparam("claims_"),
            STATE_OF_ONE == "running",
        )
    )


def _end(**changes: Any) -> Statement:  # noqa: ANN401 (of any type)
    return compiled(_ended(**changes))


_ERROR = bindparam("error", type_=NAME)
_TRACEBACK = bindparam("traceback", type_=NAME)
_AT = bindparam("at", type_=INSTANT)
COMPLETE = _end(state="done", finished_at=_AT, log=noted(Happening.DONE, at="at"))
RETRY = _end(
    state="ready",
    run_at=bindparam("due_at"),
    last_error=_ERROR,
    standing=_C.priority + 1,
    log=noted(Happening.FAILED, at="at", error=_ERROR, traceback=_TRACEBACK),
)
REPEAT = _end(
    state="ready",
    run_at=bindparam("due_at"),
    attempts=0,
    last_error=null(),
    standing=_C.priority,
)
BURY = compiled(
    _ended(
        state="dead",
        finished_at=_AT,
        last_error=_ERROR,
        log=noted(Happening.BURIED, at="at", error=_ERROR, traceback=_TRACEBACK),
    ).returning(_C.id)
)
_BEGUN = _C.state == "running"
_GIVEN_UP = and_(_BEGUN, _C.pace.is_(None), _C.attempts >= _C.attempts_max)
_LOST = func.coalesce(func.nullif(_C.runner, ""), "its runner").op("||")(
    literal_column("' did not come back'")
)
# Several may reap at once: what one of them has in hand, the others leave to it.
_over = (
    select(_C.id)
    .where(LEASED, _C.lease_until <= NOW)
    .with_for_update(skip_locked=True)
    .cte("over")
)
REAP = compiled(
    update(JOB)
    .values(
        state=case((_GIVEN_UP, "dead"), else_="ready"),
        lease_until=null(),
        finished_at=case((_GIVEN_UP, _AT)),
        # A message that was lost is no attempt, and nobody's fault.
        standing=case((_BEGUN, _C.priority + 1), else_=_C.standing),
        last_error=case((_BEGUN, _LOST), else_=_C.last_error),
        log=case((_BEGUN, noted(Happening.LOST, at="at", error=_LOST)), else_=_C.log),
    )
    .where(_C.id == _over.c.id)
    .returning(*JOB_COLUMNS)
)
