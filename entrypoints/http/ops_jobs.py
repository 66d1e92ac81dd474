"""Jobs for operators: list them, look at one with its log, retry one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import attrs

from domain.jobs.model import Happening
from domain.jobs.service import JobNotRetried, JobService
from domain.operators.model import OperatorScope
from domain.shared.ids import JobId
from domain.shared.jobs import UNFINISHED, JobState
from domain.shared.kinds import Queue
from entrypoints.http.endpoint import get, post
from entrypoints.http.pagination import After, Cursors, Page, Paging
from entrypoints.http.problems import ProblemType, Refusal
from entrypoints.http.schema import Described, Text
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.jobs.model import Note
    from domain.shared.jobs import Job

JobName = Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")]


@attrs.frozen(eq=False)
class JobNotDead(Refusal):
    """The job is done, or it is dead and another one with its key is under way."""

    problem: ClassVar = ProblemType(409, "job-not-retried", "Not possible in this state")


@attrs.frozen(kw_only=True)
class JobPaging(Paging):
    """Which jobs."""

    state: JobState | None = None
    queue: Queue | None = None


@attrs.frozen(kw_only=True)
class JobView:
    """A job."""

    id: str
    object: Literal["job"]
    name: str
    queue: Queue
    state: JobState
    priority: int
    run_at: Annotated[datetime, Described(description="Not before this time.")]
    attempts: int
    attempts_max: int
    pace: Annotated[
        str | None, Described(description="How often it comes back; null: it does not.")
    ]
    last_error: str | None
    runner: Annotated[str | None, Described(description="Who has taken it last.")]
    lease_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@attrs.frozen(kw_only=True)
class NoteView:
    """A line of a job's log."""

    at: datetime
    what: Happening
    attempt: int
    runner: str | None
    since: Annotated[datetime | None, Described(description="When the attempt began.")]
    error: str | None
    traceback: Annotated[str | None, Described(description="Its end, where it went wrong.")]


@attrs.frozen(kw_only=True)
class JobLogView(JobView):
    """A job with its arguments and its log, the oldest note first."""

    arguments: dict[str, str]
    dedupe_key: str | None
    log: list[NoteView]


@attrs.frozen(kw_only=True)
class OpsJobs:
    """Jobs."""

    service: JobService
    cursors: Cursors

    @get("/v1/ops/jobs", summary="List jobs, newest first", scope=OperatorScope.READ)
    async def list(self, query: JobPaging) -> Page[JobView]:
        """Of one queue or in one state; without their arguments and logs."""
        found = await self.service.page(
            limit=query.limit + 1,
            state=query.state,
            queue=query.queue,
            before=JobId(self.cursors.open(query.cursor).id) if query.cursor else None,
        )
        return self.cursors.page(
            found,
            limit=query.limit,
            view=lambda job: JobView(**_shown(job)),
            position=lambda job: After(created_at=job.run_at, id=job.id),
        )

    @get(
        "/v1/ops/jobs/{job}",
        summary="Show a job with its log",
        scope=OperatorScope.READ,
        problems=(NotFound,),
    )
    async def show(self, job: JobName) -> JobLogView:
        """What became of each attempt. Runs of a schedule that went well leave no note."""
        return await self._shown(job)

    @post(
        "/v1/ops/jobs/{job}/retry",
        status=200,
        summary="Retry a dead job",
        scope=OperatorScope.WRITE,
        problems=(NotFound, JobNotDead),
    )
    async def retry(self, job: JobName) -> JobLogView:
        """It is ready again, with all its attempts; one that is under way stays as it is."""
        try:
            await self.service.retry(job_id=JobId(job))
        except JobNotRetried as error:
            shown = await self._shown(job)
            if shown.state not in UNFINISHED:
                raise JobNotDead from error
            return shown
        return await self._shown(job)

    async def _shown(self, job: str) -> JobLogView:
        history = await self.service.show(job_id=JobId(job))
        return JobLogView(
            **_shown(history.job),
            arguments=dict(history.job.arguments),
            dedupe_key=history.job.dedupe_key,
            log=[_note(each) for each in history.log],
        )


def _shown(job: Job) -> dict[str, Any]:
    names = (field.name for field in attrs.fields(JobView) if field.name != "object")
    return {"object": "job", **{name: getattr(job, name) for name in names}}


def _note(note: Note) -> NoteView:
    return NoteView(**attrs.asdict(note))
