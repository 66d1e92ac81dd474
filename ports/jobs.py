"""Jobs: promised inside a unit of work, run by whatever runner there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from domain.shared.ids import JobId
    from domain.shared.jobs import Job
    from domain.shared.kinds import Queue


class Jobs(Protocol):
    """The job table. A job is a row there; the row is the truth about it.

    Whoever ends a job names the claim by which he had it (``Job.claims``): where the lease was
    lost meanwhile, and the job perhaps taken by another, nothing changes.

    Leases begin and end by the table's own clock, so that runners whose clocks differ cannot take
    a job from each other. The times that runners give (``at``, ``run_at``) are by theirs.
    """

    async def enqueue(
        self,
        name: str,
        *,
        arguments: Mapping[str, str] | None = None,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Promise a job, to run not before a time (None: at once, by anybody's clock).

        Its queue, its priority and how often it is tried are its kind's (``kind_of``). With a
        dedupe key nothing is added while a job with that key is unfinished.
        """
        ...

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
        """See to it that there is one job that comes back, under this key and at this pace.

        A new one is due at ``first_at``. One whose pace was another is due at ``adapted_at``, and
        so is one that was to wait for longer than its pace, as a runner whose clock was ahead
        leaves it behind; any other is left as it is.
        """
        ...

    async def unschedule(self, *, but: Sequence[str]) -> int:
        """Remove the jobs that come back, but for those with these keys; return how many."""
        ...

    async def claim(
        self,
        *,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None = None,
        runner: str = "",
    ) -> Sequence[Job]:
        """Take due jobs of queues that are not paused, none that another has taken.

        The most urgent come first, of these the longest due. They are running from then on, one
        attempt more, until the lease ends. ``queues`` None takes from all.
        """
        ...

    async def hand_over(
        self,
        *,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None = None,
        runner: str = "",
    ) -> Sequence[Job]:
        """Take due jobs as ``claim`` does, to be begun by whoever the transport brings them to.

        They are queued from then on, and no attempt is counted yet. ``limit`` is how many may be
        queued by this runner at a time, those that still are included.
        """
        ...

    async def begin(
        self, job_id: JobId, *, claims: int, at: datetime, lease: timedelta, runner: str = ""
    ) -> Job | None:
        """Begin a queued job; None where the claim is over, or is being run already.

        In a paused queue none is begun; it is ready again for later.
        """
        ...

    async def renew(self, jobs: Sequence[Job], *, lease: timedelta) -> None:
        """Let the leases of running jobs begin anew, as one who still has them."""
        ...

    async def put_back(self, jobs: Sequence[Job]) -> None:
        """Make jobs that were claimed or handed over ready again, as if they had not been.

        One that has been begun since it was handed over stays as it is.
        """
        ...

    async def complete(self, job: Job, *, at: datetime) -> None:
        """Mark a running job as done."""
        ...

    async def retry(
        self, job: Job, *, at: datetime, run_at: datetime, error: str, traceback: str | None = None
    ) -> None:
        """Give a running job back, to be run again later, behind those that never failed."""
        ...

    async def repeat(self, job: Job, *, run_at: datetime) -> None:
        """Give a running job back after it went well, to be run again: a schedule is such a job.

        Its attempts count from zero again and its last error is forgotten.
        """
        ...

    async def bury(
        self, job: Job, *, at: datetime, error: str, traceback: str | None = None
    ) -> bool:
        """Give a running job up; it is kept, with its error, for a person.

        Returns False where the claim is over, so that nothing has changed.
        """
        ...

    async def reap(self, *, at: datetime) -> Sequence[Job]:
        """Give back every job whose lease is over; return them as they are now.

        One that has been begun as often as it may is buried: it may be what ends its runners.
        ``at`` is when that happened, for its log.
        """
        ...


class JobNotices(Protocol):
    """Wakes a runner when a job may have become ready."""

    async def wait(self, *, seconds: float) -> None:
        """Return soon after a job was enqueued, or after the time given at the latest."""
        ...
