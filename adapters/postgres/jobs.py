"""The job table in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import (
    ARRAY,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.documents import write_json
from adapters.postgres.job_claims import BEGIN, CLAIM, HAND_OVER
from adapters.postgres.job_ends import (
    BURY,
    COMPLETE,
    PUT_BACK,
    REAP,
    RENEW,
    REPEAT,
    RETRY,
    RETURN,
)
from adapters.postgres.job_rows import NOW, job_of, job_row, storable
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, written
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.jobs import JOB, UNFINISHED
from domain.shared.ids import JobId
from domain.shared.jobs import Job
from domain.shared.kinds import Queue, kind_of
from ports.clock import Clock
from ports.ids import Ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from adapters.postgres.statements import Statement

CHANNEL = "switchyard_job"
"""Where a commit that adds jobs due at once notifies the runners."""

_C = JOB.c
_NEW: dict[str, Any] = {column: bindparam(column) for column in written(JOB, without=("log",))}
# What is due at once is so for all, also where this process's clock is ahead of the server's.
_AT_ONCE = func.least(bindparam("now", type_=INSTANT), NOW)
_DUE_NOW = _C.run_at <= bindparam("now", type_=INSTANT)
_ENQUEUE = compiled(
    insert(JOB)
    .values({**_NEW, "run_at": func.coalesce(bindparam("run_at", type_=INSTANT), _AT_ONCE)})
    .on_conflict_do_nothing(index_elements=[_C.dedupe_key], index_where=UNFINISHED)
    # PostgreSQL sends equal notices of one transaction once.
    .returning(case((_DUE_NOW, func.pg_notify(CHANNEL, literal(""))), else_=None)),
    meets_others=True,
)
_SCHEDULE = compiled(
    insert(JOB)
    .values(_NEW)
    .on_conflict_do_update(
        index_elements=[_C.dedupe_key],
        index_where=UNFINISHED,
        set_={
            "pace": bindparam("pace"),
            "run_at": bindparam("adapted_at", type_=INSTANT),
        },
        where=or_(
            _C.pace.is_distinct_from(bindparam("pace", type_=NAME)),
            and_(_C.state == "ready", _C.run_at > bindparam("adapted_at", type_=INSTANT)),
        ),
    )
)
_unwanted = (
    select(_C.id)
    .where(
        _C.pace.is_not(None),
        _C.dedupe_key != func.all(bindparam("keys", type_=ARRAY(NAME))),
    )
    .with_for_update(skip_locked=True)
    .cte("unwanted")
)
_UNSCHEDULE = compiled(delete(JOB).where(_C.id == _unwanted.c.id).returning(_C.id))


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
        job = self._new(name, arguments or {}, run_at or now, dedupe_key)
        if run_at is not None and run_at > now:
            job = attrs.evolve(job, standing=job.priority.behind)
        touched = () if dedupe_key is None else (("job", dedupe_key),)
        await self._session.write(
            _ENQUEUE, {**job_row(job), "run_at": run_at, "now": now}, *touched
        )

    async def schedule(
        self,
        name: str,
        *,
        arguments: Mapping[str, str],
        dedupe_key: str,
        pace: str,
        first_at: datetime,
        adapted_at: datetime,
    ) -> None:
        """See to it that there is one job that comes back, under this key and at this pace."""
        job = attrs.evolve(self._new(name, arguments, first_at, dedupe_key), pace=pace)
        parameters = {**job_row(job), "adapted_at": adapted_at}
        await self._session.write(_SCHEDULE, parameters, ("job", dedupe_key))

    async def unschedule(self, *, but: Sequence[str]) -> int:
        """Remove the jobs that come back, but for those with these keys; return how many."""
        return len(await self._session.rows(_UNSCHEDULE, keys=[*but]))

    async def claim(
        self,
        *,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None = None,
        runner: str = "",
    ) -> Sequence[Job]:
        """Take due jobs of queues that are not paused, none that another has taken."""
        return await self._take(CLAIM, at, limit, lease, queues, runner)

    async def hand_over(
        self,
        *,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None = None,
        runner: str = "",
    ) -> Sequence[Job]:
        """Take due jobs as ``claim`` does, to be begun by whoever the transport brings them to."""
        return await self._take(HAND_OVER, at, limit, lease, queues, runner)

    async def begin(
        self, job_id: JobId, *, claims: int, at: datetime, lease: timedelta, runner: str = ""
    ) -> Job | None:
        """Begin a queued job; None where the claim is over, or is being run already."""
        row = await self._session.row(
            BEGIN, job_id=job_id, claims_=claims, at=at, lease=lease, runner=runner
        )
        if row is not None:
            return job_of(row)
        # It may be of a paused queue. One that is begun already is left alone.
        await self._session.write(RETURN, {"job_id": job_id, "claims_": claims}, job_id)
        return None

    async def renew(self, jobs: Sequence[Job], *, lease: timedelta) -> None:
        """Let the leases of running jobs begin anew, as one who still has them."""
        parameters = {"jobs": _claims(jobs), "lease": lease}
        await self._session.write(RENEW, parameters, *(job.id for job in jobs))

    async def put_back(self, jobs: Sequence[Job]) -> None:
        """Make claimed jobs that were not begun ready again, as if they had not been taken."""
        await self._session.write(PUT_BACK, {"jobs": _claims(jobs)}, *(job.id for job in jobs))

    async def complete(self, job: Job, *, at: datetime) -> None:
        """Mark a running job as done."""
        await self._end(COMPLETE, job, at=at)

    async def retry(
        self, job: Job, *, at: datetime, run_at: datetime, error: str, traceback: str | None = None
    ) -> None:
        """Give a running job back, to be run again later, behind those that never failed."""
        await self._end(RETRY, job, at=at, due_at=run_at, **_told(error, traceback))

    async def repeat(self, job: Job, *, run_at: datetime) -> None:
        """Give a running job back after it went well, to be run again."""
        await self._end(REPEAT, job, due_at=run_at)

    async def bury(
        self, job: Job, *, at: datetime, error: str, traceback: str | None = None
    ) -> bool:
        """Give a running job up; return False where the claim is over."""
        claim = {"job_id": job.id, "claims_": job.claims}
        row = await self._session.row(BURY, at=at, **claim, **_told(error, traceback))
        return row is not None

    async def reap(self, *, at: datetime) -> Sequence[Job]:
        """Give back every job whose lease is over; return them as they are now."""
        return [job_of(row) for row in await self._session.rows(REAP, at=at)]

    def _new(
        self, name: str, arguments: Mapping[str, str], run_at: datetime, dedupe_key: str | None
    ) -> Job:
        kind = kind_of(name)
        return Job(
            id=JobId(self._ids.new("job")),
            name=name,
            arguments=arguments,
            run_at=run_at,
            attempts_max=kind.attempts_max,
            dedupe_key=dedupe_key,
            queue=kind.queue,
            priority=kind.priority,
            standing=kind.priority,
        )

    async def _take(
        self,
        statement: Statement,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None,
        runner: str,
    ) -> Sequence[Job]:
        rows = await self._session.rows(
            statement,
            at=at,
            limit=limit,
            lease=lease,
            queues=[*(Queue if queues is None else queues)],
            runner=runner,
        )
        jobs = (job_of(row) for row in rows)
        return sorted(jobs, key=lambda job: (job.standing, job.run_at, job.id))

    async def _end(self, statement: Statement, job: Job, **parameters: object) -> None:
        named = {"job_id": job.id, "claims_": job.claims, **parameters}
        await self._session.write(statement, named, job.id)


def _claims(jobs: Sequence[Job]) -> str:
    return write_json([{"id": job.id, "claims": job.claims, "state": job.state} for job in jobs])


def _told(error: str, traceback: str | None) -> dict[str, str | None]:
    where = None if traceback is None else storable(traceback)
    return {"error": storable(error), "traceback": where}
