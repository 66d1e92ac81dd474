"""The job table as an operator sees it, in PostgreSQL."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import and_, bindparam, case, delete, exists, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.job_rows import JOB_COLUMNS, job_of, log_of, noted
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, select_by_id
from adapters.postgres.tables.columns import INSTANT
from adapters.postgres.tables.jobs import JOB, LEASED, PAUSED_QUEUE
from domain.jobs.model import Happening, History, QueueStats
from domain.shared.jobs import UNFINISHED
from domain.shared.kinds import Queue
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.postgres.statements import Statement
    from domain.shared.ids import JobId
    from domain.shared.jobs import Job, JobState

_C, _P = JOB.c, PAUSED_QUEUE.c
_AT = bindparam("at", type_=INSTANT)
_FIND = select_by_id(JOB)
_PAUSED = compiled(select(_P.queue, _P.since))
_PAUSE = compiled(
    insert(PAUSED_QUEUE)
    .values(queue=bindparam("queue"), since=_AT)
    .on_conflict_do_nothing(index_elements=[_P.queue])
    .returning(_P.queue)
)
_RESUME = compiled(delete(PAUSED_QUEUE).where(_P.queue == bindparam("queue")).returning(_P.queue))


def _counted(condition: Any, name: str) -> Any:  # noqa: ANN401 (SQLAlchemy's expressions)
    return func.count().filter(condition).label(name)


_READY = _C.state == "ready"
_DUE = and_(_READY, _C.run_at <= _AT)
_stats = select(
    _C.queue,
    _counted(_DUE, "ready"),
    _counted(and_(_READY, _C.run_at > _AT), "scheduled"),
    *(_counted(_C.state == state, state) for state in ("queued", "running", "done", "dead")),
    func.min(case((_DUE, _C.run_at))).label("oldest_due"),
).group_by(_C.queue)
_STATS = compiled(_stats)
# One condition for each index of some states: of all that is done, which is most, nothing is read.
BACKLOG = compiled(_stats.where(or_(_READY, LEASED, _C.state == "dead")))

_other = JOB.alias("other")
_KEY_TAKEN = exists().where(
    _other.c.dedupe_key == _C.dedupe_key, _other.c.state.in_(sorted(UNFINISHED))
)
_again = update(JOB).values(
    state="ready",
    run_at=_AT,
    attempts=0,
    standing=_C.priority,
    finished_at=null(),
    log=noted(Happening.RETRIED, at="at", attempted=False),
)
_RETRY = compiled(
    _again.where(_C.id == bindparam("job_id"), _C.state == "dead", ~_KEY_TAKEN).returning(_C.id)
)
_dead = (
    select(
        _C.id,
        # Of jobs with one key, one can be ready at a time.
        func.row_number()
        .over(partition_by=func.coalesce(_C.dedupe_key, _C.id), order_by=_C.id)
        .label("place"),
    )
    .where(_C.queue == bindparam("queue"), _C.state == "dead", ~_KEY_TAKEN)
    .subquery("dead")
)
_chosen = (
    select(_dead.c.id)
    .where(_dead.c.place == 1)
    .order_by(_dead.c.id)
    .limit(bindparam("limit"))
    .cte("chosen")
)
_RETRY_DEAD = compiled(_again.where(_C.id == _chosen.c.id, _C.state == "dead").returning(_C.id))


@cache
def _page(state: JobState | None, *, queue: bool, before: bool) -> Statement:
    """Compile a page's query; the state is a constant, so that an index of some states serves."""
    clause = select(*JOB_COLUMNS).order_by(_C.id.desc()).limit(bindparam("limit"))
    if state is not None:
        clause = clause.where(_C.state == state.value)
    if queue:
        clause = clause.where(_C.queue == bindparam("queue"))
    if before:
        clause = clause.where(_C.id < bindparam("before"))
    return compiled(clause)


@cache
def _clean(state: JobState, *, queue: bool) -> Statement:
    """Compile the deletion of some old jobs."""
    old = (
        select(_C.id)
        .where(
            _C.state == state.value,
            _C.finished_at < bindparam("finished_before", type_=INSTANT),
        )
        .order_by(_C.finished_at)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )
    if queue:
        old = old.where(_C.queue == bindparam("queue"))
    chosen = old.cte("old")
    return compiled(delete(JOB).where(_C.id == chosen.c.id).returning(_C.id))


@attrs.frozen
class PostgresJobConsole:
    """See ``ports.job_console.JobConsole``."""

    _session: Session

    async def page(
        self,
        *,
        limit: int,
        state: JobState | None = None,
        queue: Queue | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        """Return jobs, the newest first; ``before`` is the last of the page before."""
        statement = _page(state, queue=queue is not None, before=before is not None)
        rows = await self._session.rows(statement, limit=limit, queue=queue, before=before)
        return [job_of(row) for row in rows]

    async def find(self, job_id: JobId) -> History:
        """Return a job and its log."""
        row = await self._session.row(_FIND, id=job_id)
        if row is None:
            raise NotFound("job", job_id)
        log = log_of(row.pop("log"))
        return History(job_of(row), log)

    async def stats(self, *, at: datetime, with_done: bool = True) -> Sequence[QueueStats]:
        """Return how each queue stands at a time, by name."""
        statement = _STATS if with_done else BACKLOG
        paused = {row["queue"]: row["since"] for row in await self._session.rows(_PAUSED)}
        counted = {row.pop("queue"): row for row in await self._session.rows(statement, at=at)}
        return [
            QueueStats(queue=queue, paused_since=paused.get(queue), **counted.get(queue, {}))
            for queue in sorted(Queue)
        ]

    async def pause(self, queue: Queue, *, at: datetime) -> bool:
        """Have nothing of a queue taken any more; return False where it was paused already."""
        return await self._session.row(_PAUSE, queue=queue, at=at) is not None

    async def resume(self, queue: Queue) -> bool:
        """Have jobs of a queue taken again; return False where it was not paused."""
        return await self._session.row(_RESUME, queue=queue) is not None

    async def retry(self, job_id: JobId, *, at: datetime) -> bool:
        """Make a dead job ready again, with all its attempts; return whether it was."""
        return await self._session.row(_RETRY, job_id=job_id, at=at) is not None

    async def retry_dead(self, queue: Queue, *, at: datetime, limit: int) -> int:
        """Make dead jobs of a queue ready again, the oldest first; return how many."""
        return len(await self._session.rows(_RETRY_DEAD, queue=queue, at=at, limit=limit))

    async def clean(
        self,
        *,
        state: JobState,
        finished_before: datetime,
        limit: int,
        queue: Queue | None = None,
    ) -> int:
        """Delete jobs that ended in a state before a time, logs and all; return how many."""
        statement = _clean(state, queue=queue is not None)
        rows = await self._session.rows(
            statement, finished_before=finished_before, limit=limit, queue=queue
        )
        return len(rows)
