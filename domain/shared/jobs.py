"""Jobs: work promised inside the transaction that made it necessary."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs

from domain.shared.ids import JobId


class JobState(enum.StrEnum):
    """Where a job stands."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


@attrs.frozen
class Job:
    """A named piece of work with text arguments."""

    id: JobId
    name: str
    arguments: Mapping[str, str]
    run_at: datetime
    state: JobState = JobState.READY
    attempts: int = 0
    attempts_max: int = 20
    dedupe_key: str | None = None
    """While a job with this key is ready or running, no second one is taken in."""
    lease_until: datetime | None = None
    last_error: str | None = None


def retry_delay(*, attempts: int, jitter: int = 0) -> timedelta:
    """Return how long to wait after a number of failed attempts.

    Doubles from one second up to fifteen minutes; ``jitter`` is 0 to 100 per cent of up to a
    quarter more, drawn by the caller, so that jobs which failed together do not return together.
    """
    seconds = min(2 ** max(attempts - 1, 0), 900)
    return timedelta(milliseconds=seconds * 1000 + seconds * 1000 * jitter // 400)
