"""Jobs: work promised inside the transaction that made it necessary."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from domain.shared.ids import JobId
from domain.shared.kinds import Priority, Queue


class JobState(enum.StrEnum):
    """Where a job stands."""

    READY = "ready"
    QUEUED = "queued"
    """Handed to the transport, by which a runner on some machine will hear of it."""
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


UNFINISHED = frozenset({JobState.READY, JobState.QUEUED, JobState.RUNNING})
"""The states in which a job keeps its dedupe key from others."""

LEASED = frozenset({JobState.QUEUED, JobState.RUNNING})
"""The states in which a job is somebody's until the lease ends."""


@attrs.frozen
class Job:
    """A named piece of work with text arguments."""

    id: JobId
    name: str
    arguments: Mapping[str, str]
    run_at: datetime
    state: JobState = JobState.READY
    attempts: int = 0
    """How often it was begun since it last went well."""
    attempts_max: int = 20
    dedupe_key: str | None = None
    """While a job with this key is unfinished, no second one is taken in."""
    lease_until: datetime | None = None
    last_error: str | None = None
    queue: Queue = Queue.UPKEEP
    priority: Priority = Priority.NORMAL
    standing: int = Priority.NORMAL
    """The class it is claimed from now: its priority, or the one behind."""
    claims: int = 0
    """How often it was ever taken. It names one claim: who lost the job meanwhile ends nothing."""
    pace: str | None = None
    """How often it comes back, as ``domain.shared.pace`` writes it; None: it is no schedule."""
    runner: str | None = None
    """Who has taken it last: a host and a process."""
    started_at: datetime | None = None
    finished_at: datetime | None = None


def retry_delay(*, attempts: int, jitter: int = 0) -> timedelta:
    """Return how long to wait after a number of failed attempts.

    Doubles from one second up to fifteen minutes; ``jitter`` is 0 to 100 per cent of up to a
    quarter more, drawn by the caller, so that jobs which failed together do not return together.
    """
    seconds = min(2 ** max(attempts - 1, 0), 900)
    return timedelta(milliseconds=seconds * 1000 + seconds * 1000 * jitter // 400)
