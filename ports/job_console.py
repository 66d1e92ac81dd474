"""The job table as an operator sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.jobs.model import History, QueueStats
    from domain.shared.ids import JobId
    from domain.shared.jobs import Job, JobState
    from domain.shared.kinds import Queue


class JobConsole(Protocol):
    """Looks at jobs, and does to them what only a person decides."""

    async def page(
        self,
        *,
        limit: int,
        state: JobState | None = None,
        queue: Queue | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        """Return jobs, the newest first; ``before`` is the last of the page before."""
        ...

    async def find(self, job_id: JobId) -> History:
        """Return a job and its log.

        Raises:
            NotFound: there is no such job.
        """
        ...

    async def stats(self, *, at: datetime, with_done: bool = True) -> Sequence[QueueStats]:
        """Return how each queue stands at a time, by name.

        ``with_done`` False does not count what is done, which is most, and costs much less.
        """
        ...

    async def pause(self, queue: Queue, *, at: datetime) -> bool:
        """Have nothing of a queue taken any more; what runs ends. A pause lasts as it began.

        Returns False where it was paused already.
        """
        ...

    async def resume(self, queue: Queue) -> bool:
        """Have jobs of a queue taken again; return False where it was not paused."""
        ...

    async def retry(self, job_id: JobId, *, at: datetime) -> bool:
        """Make a dead job ready again, with all its attempts; return whether it was.

        It is not where the job is not dead, or another one with its key is unfinished.
        """
        ...

    async def retry_dead(self, queue: Queue, *, at: datetime, limit: int) -> int:
        """Make dead jobs of a queue ready again, the oldest first; return how many."""
        ...

    async def clean(
        self,
        *,
        state: JobState,
        finished_before: datetime,
        limit: int,
        queue: Queue | None = None,
    ) -> int:
        """Delete jobs that ended in a state before a time, logs and all; return how many."""
        ...
