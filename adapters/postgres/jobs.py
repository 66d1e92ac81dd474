"""The job table in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, any_, bindparam, case, func, literal, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.documents import read, write_json
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, written
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.jobs import JOB, UNFINISHED
from domain.shared.ids import JobId
from domain.shared.jobs import Job, JobState
from ports.clock import Clock
from ports.ids import Ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement

CHANNEL = "switchyard_job"
"""Where a commit that adds jobs due at once notifies the runners."""

_C = JOB.c
_DUE_NOW = _C.run_at <= bindparam("now", type_=INSTANT)
_ENQUEUE = compiled(
    insert(JOB)
    .values({column: bindparam(column) for column in written(JOB)})
    .on_conflict_do_nothing(index_elements=[_C.dedupe_key], index_where=UNFINISHED)
    # PostgreSQL sends equal notices of one transaction once.
    .returning(case((_DUE_NOW, func.pg_notify(CHANNEL, literal(""))), else_=None)),
    meets_others=True,
)
_due = (
    select(_C.id)
    .where(
        _C.state == "ready",
        _C.run_at <= bindparam("at"),
        or_(
            bindparam("wanted", type_=ARRAY(NAME)).is_(None),
            _C.name == any_(bindparam("wanted", type_=ARRAY(NAME))),
        ),
    )
    .order_by(_C.run_at, _C.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = compiled(
    update(JOB)
    .values(state="running", attempts=_C.attempts + 1, lease_until=bindparam("lease_until"))
    .where(_C.id == _due.c.id)
    .returning(JOB)
)


def _give_back(**changes: object) -> Statement:
    """Compile the update of a running job; one that runs no longer is left alone."""
    clause = (
        update(JOB)
        .values(lease_until=null(), **changes)
        .where(_C.id == bindparam("job_id"), _C.state == "running")
    )
    return compiled(clause)


_COMPLETE = _give_back(state="done")
_RETRY = _give_back(state="ready", run_at=bindparam("due_at"), last_error=bindparam("error"))
_REPEAT = _give_back(state="ready", run_at=bindparam("due_at"), attempts=0, last_error=null())
_BURY = _give_back(state="dead", last_error=bindparam("error"))
_REAP = compiled(
    update(JOB)
    .values(state="ready", lease_until=null())
    .where(_C.state == "running", _C.lease_until < bindparam("at"))
    .returning(_C.id)
)


@attrs.frozen
class PostgresJobs:
    """See ``ports.jobs.Jobs``."""

    _session: Session
    _clock: Clock = attrs.field(kw_only=True)
    _ids: Ids = attrs.field(kw_only=True)

    async def enqueue(
        self,
        name: str,
        *,
        arguments: Mapping[str, str] | None = None,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Promise a job, to run not before a time (None: at once)."""
        now = self._clock.now()
        job = Job(
            id=JobId(self._ids.new("job")),
            name=name,
            arguments=arguments or {},
            run_at=run_at or now,
            dedupe_key=dedupe_key,
        )
        touched = () if dedupe_key is None else (("job", dedupe_key),)
        await self._session.write(_ENQUEUE, {**_row(job), "now": now}, *touched)

    async def claim(
        self, *, at: datetime, limit: int, lease: timedelta, wanted: Sequence[str] | None = None
    ) -> Sequence[Job]:
        """Take due jobs, the longest due first, none that another has taken."""
        rows = await self._session.rows(
            _CLAIM,
            at=at,
            limit=limit,
            lease_until=at + lease,
            wanted=None if wanted is None else [*wanted],
        )
        return sorted((_job(row) for row in rows), key=lambda job: (job.run_at, job.id))

    async def complete(self, job_id: JobId) -> None:
        """Mark a running job as done."""
        await self._session.write(_COMPLETE, {"job_id": job_id}, job_id)

    async def retry(self, job_id: JobId, *, run_at: datetime, error: str) -> None:
        """Give a running job back, to be run again later."""
        parameters = {"job_id": job_id, "due_at": run_at, "error": _storable(error)}
        await self._session.write(_RETRY, parameters, job_id)

    async def repeat(self, job_id: JobId, *, run_at: datetime) -> None:
        """Give a running job back after it went well, to be run again."""
        await self._session.write(_REPEAT, {"job_id": job_id, "due_at": run_at}, job_id)

    async def bury(self, job_id: JobId, *, error: str) -> None:
        """Give a running job up; it is kept, with its error, for a person."""
        await self._session.write(_BURY, {"job_id": job_id, "error": _storable(error)}, job_id)

    async def reap(self, *, at: datetime) -> int:
        """Give back every running job whose lease is over; return how many there were."""
        return len(await self._session.rows(_REAP, at=at))


def _storable(error: str) -> str:
    """Replace what PostgreSQL cannot keep in a text: an error may quote anything."""
    return error.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _row(job: Job) -> Row:
    return {
        "id": job.id,
        "name": job.name,
        "arguments": write_json(dict(job.arguments)),
        "run_at": job.run_at,
        "state": job.state,
        "attempts": job.attempts,
        "attempts_max": job.attempts_max,
        "dedupe_key": job.dedupe_key,
        "lease_until": job.lease_until,
        "last_error": job.last_error,
    }


def _job(row: Row) -> Job:
    state, arguments = JobState(row["state"]), read(row["arguments"], dict[str, str])
    return Job(**{**row, "state": state, "arguments": arguments})
