"""What an operator sees of jobs: one job's history, and how each queue stands."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs

from domain.shared.jobs import Job
from domain.shared.kinds import Queue

NOTES_MAX: Final = 50
"""How many notes are kept with a job, the newest: a schedule may fail for as long as it likes."""


class Happening(enum.StrEnum):
    """What became of one attempt, or what an operator did."""

    DONE = "done"
    FAILED = "failed"
    """It will be tried again."""
    LOST = "lost"
    """Whoever had taken it did not come back before the lease was over."""
    BURIED = "buried"
    RETRIED = "retried"
    """An operator has made it ready again."""


@attrs.frozen
class Note:
    """One line of a job's log."""

    at: datetime
    what: Happening
    attempt: int
    runner: str | None = None
    since: datetime | None = None
    """When the attempt began."""
    error: str | None = None
    traceback: str | None = None
    """The end of the traceback, where it went wrong."""


@attrs.frozen
class History:
    """A job and its log, the oldest note first. Runs of a schedule that went well leave none."""

    job: Job
    log: Sequence[Note]


@attrs.frozen
class QueueStats:
    """How many jobs of a queue are in which state at a moment."""

    queue: Queue
    paused_since: datetime | None
    ready: int = 0
    scheduled: int = 0
    """Ready, but not before a time to come."""
    queued: int = 0
    running: int = 0
    done: int = 0
    dead: int = 0
    oldest_due: datetime | None = None
    """Since when the job that is ready for the longest time has been due."""
