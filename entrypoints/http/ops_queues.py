"""Queues for operators: how each stands, pausing, resuming, cleaning, retrying what is dead.

Each post may be repeated: it says how things are to be, not by how much they are to change.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import attrs

from domain.jobs.service import JobService
from domain.operators.model import OperatorScope
from domain.shared.jobs import JobState
from domain.shared.kinds import Queue
from entrypoints.http.endpoint import get, post
from entrypoints.http.schema import Described, Number

if TYPE_CHECKING:
    from domain.jobs.model import QueueStats

CHANGED_MAX = 10_000
"""How many jobs one request changes at most."""
YEAR_SECONDS = 366 * 86_400
Limit = Annotated[
    int, Number(minimum=1, maximum=CHANGED_MAX, description="How many jobs are changed at most.")
]


@attrs.frozen(kw_only=True)
class QueueView:
    """A queue, and how many of its jobs are in which state."""

    object: Literal["queue"]
    queue: Queue
    paused_since: datetime | None
    ready: int
    scheduled: Annotated[int, Described(description="Ready, but not before a time to come.")]
    queued: Annotated[int, Described(description="Handed to the transport.")]
    running: int
    done: int
    dead: int
    oldest_due: Annotated[
        datetime | None, Described(description="Since when the longest waiting job has been due.")
    ]


@attrs.frozen(kw_only=True)
class QueuesView:
    """All queues, by name."""

    object: Literal["list"]
    data: list[QueueView]


@attrs.frozen(kw_only=True)
class CleanQueue:
    """Which jobs are to be deleted, with their logs."""

    state: Literal["done", "dead"]
    older_than_seconds: Annotated[
        int, Number(minimum=0, maximum=YEAR_SECONDS, description="How long ago they ended.")
    ]
    limit: Limit = 1000


@attrs.frozen(kw_only=True)
class Changed:
    """How many jobs were changed. As many as were allowed: there may be more."""

    changed: int
    may_be_more: bool


@attrs.frozen(kw_only=True)
class RetryJobs:
    """Which dead jobs are to be tried again."""

    queue: Queue
    limit: Limit = 1000


@attrs.frozen(kw_only=True)
class OpsQueues:
    """Queues of jobs."""

    service: JobService

    @get("/v1/ops/queues", summary="List queues", scope=OperatorScope.READ)
    async def list(self) -> QueuesView:
        """How each queue stands. Counting reads the whole table: do not ask every second."""
        return QueuesView(object="list", data=[_view(it) for it in await self.service.stats()])

    @post(
        "/v1/ops/queues/{queue}/pause",
        status=200,
        summary="Pause a queue",
        scope=OperatorScope.WRITE,
    )
    async def pause(self, queue: Queue) -> QueueView:
        """Nothing of it is taken any more, its schedules included; what runs ends.

        One that is paused stays paused since it was.
        """
        await self.service.pause(queue=queue)
        return await self._stats(queue)

    @post(
        "/v1/ops/queues/{queue}/resume",
        status=200,
        summary="Resume a queue",
        scope=OperatorScope.WRITE,
    )
    async def resume(self, queue: Queue) -> QueueView:
        """Jobs are taken again."""
        await self.service.resume(queue=queue)
        return await self._stats(queue)

    @post(
        "/v1/ops/queues/{queue}/clean",
        status=200,
        summary="Delete jobs that have ended",
        scope=OperatorScope.WRITE,
    )
    async def clean(self, queue: Queue, body: CleanQueue) -> Changed:
        """Only what ended in the state that long ago; the jobs' logs go with them."""
        deleted = await self.service.clean(
            state=JobState(body.state),
            older_than=timedelta(seconds=body.older_than_seconds),
            queue=queue,
            at_most=body.limit,
        )
        return Changed(changed=deleted, may_be_more=deleted == body.limit)

    @post(
        "/v1/ops/jobs/retry",
        status=200,
        summary="Retry a queue's dead jobs",
        scope=OperatorScope.WRITE,
    )
    async def retry(self, body: RetryJobs) -> Changed:
        """The oldest first, each with all its attempts.

        One whose dedupe key another unfinished job has stays dead.
        """
        retried = await self.service.retry_dead(queue=body.queue, at_most=body.limit)
        return Changed(changed=retried, may_be_more=retried == body.limit)

    async def _stats(self, queue: Queue) -> QueueView:
        [found] = [each for each in await self.service.stats() if each.queue is queue]
        return _view(found)


def _view(stats: QueueStats) -> QueueView:
    return QueueView(object="queue", **attrs.asdict(stats))
