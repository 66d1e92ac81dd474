"""Jobs: promised inside a unit of work, run by whatever runner there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from domain.shared.ids import JobId
    from domain.shared.jobs import Job


class Jobs(Protocol):
    """The job table. A job is a row there; the row is the truth about it."""

    async def enqueue(
        self,
        name: str,
        *,
        arguments: Mapping[str, str] | None = None,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Promise a job, to run not before a time (None: at once).

        With a dedupe key nothing is added while a job with that key is ready or running.
        """
        ...

    async def claim(
        self, *, at: datetime, limit: int, lease: timedelta, wanted: Sequence[str] | None = None
    ) -> Sequence[Job]:
        """Take due jobs, the longest due first, none that another has taken.

        They are running from then on, one attempt more, until the lease ends. ``wanted`` names
        the kinds of job to take; None takes all.
        """
        ...

    async def complete(self, job_id: JobId) -> None:
        """Mark a running job as done."""
        ...

    async def retry(self, job_id: JobId, *, run_at: datetime, error: str) -> None:
        """Give a running job back, to be run again later."""
        ...

    async def repeat(self, job_id: JobId, *, run_at: datetime) -> None:
        """Give a running job back after it went well, to be run again: a schedule is such a job.

        Its attempts count from zero again and its last error is forgotten.
        """
        ...

    async def bury(self, job_id: JobId, *, error: str) -> None:
        """Give a running job up; it is kept, with its error, for a person."""
        ...

    async def reap(self, *, at: datetime) -> int:
        """Give back every running job whose lease is over; return how many there were."""
        ...


class JobNotices(Protocol):
    """Wakes a runner when a job may have become ready."""

    async def wait(self, *, seconds: float) -> None:
        """Return soon after a job was enqueued, or after the time given at the latest."""
        ...
