"""How the gateway does: how a chain is read and by whom, and how long its queues are."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.jobs.model import QueueStats
from domain.shared.money import ChainId
from domain.shared.platform import PlatformEvent, happened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.chains.model import Cursor
    from domain.shared.events import Event, Json

LATE_AFTER: Final = timedelta(minutes=2)
"""When the newest block that was read is so old, it is read late, or the chain stands still."""
STALLED_AFTER: Final = timedelta(minutes=15)
OVERDUE_AFTER: Final = timedelta(minutes=1)
"""When jobs have waited for so long, their queue is overdue."""


class Reading(enum.StrEnum):
    """How old the newest block is that was read of a chain."""

    UNREAD = "unread"
    CURRENT = "current"
    LATE = "late"
    STALLED = "stalled"


class Serving(enum.StrEnum):
    """Whether a provider of a chain is asked."""

    SERVING = "serving"
    LAGGING = "lagging"
    """It is far behind the best one."""
    RESTING = "resting"
    """It has failed, and is asked again after a while."""
    STRUCK_OFF = "struck_off"
    """It is of another chain, and is never asked again."""


@attrs.frozen
class Provider:
    """A provider of a chain, as the process that asks it sees it."""

    name: str
    serving: Serving


@attrs.frozen
class ChainHealth:
    """How a chain is read at a moment."""

    chain: ChainId
    reading: Reading
    parked: bool = False
    gap: bool = False
    providers: Sequence[Provider] = ()
    """None where nothing is known of them by themselves."""

    @classmethod
    def of(
        cls, chain: ChainId, cursor: Cursor | None, providers: Sequence[Provider], *, at: datetime
    ) -> ChainHealth:
        """Judge a chain by how far it was read, and by whom it could be."""
        if cursor is None:
            return cls(chain, Reading.UNREAD, providers=providers)
        return cls(
            chain,
            _reading(at - cursor.seen.time),
            parked=cursor.parked is not None,
            gap=cursor.gap is not None,
            providers=providers,
        )

    @property
    def key(self) -> str:
        """What these events are found by, apart from others of the chain."""
        return f"health:{self.chain}"

    def told(self, *, at: datetime) -> Event:
        """Return the event that tells it."""
        out = [each for each in self.providers if each.serving is not Serving.SERVING]
        return happened(
            PlatformEvent.HEALTH,
            self.chain,
            at=at,
            key=self.key,
            reading=self.reading.value,
            parked=self.parked,
            gap=self.gap,
            providers=len(self.providers),
            serving=len(self.providers) - len(out),
            not_serving=[{"name": it.name, "state": it.serving.value} for it in out],
        )


@attrs.frozen
class Backlog:
    """What waits in a queue at a moment."""

    stats: QueueStats
    at: datetime

    @property
    def key(self) -> str:
        """What these events are found by, apart from others of the queue."""
        return f"stats:{self.stats.queue}"

    def told(self) -> Event:
        """Return the event that tells it."""
        it = self.stats
        overdue = it.oldest_due is not None and self.at - it.oldest_due > OVERDUE_AFTER
        return happened(
            PlatformEvent.QUEUE_STATS,
            it.queue.value,
            at=self.at,
            key=self.key,
            waiting=it.ready,
            scheduled=it.scheduled,
            running=it.queued + it.running,
            dead=it.dead,
            paused=it.paused_since is not None,
            overdue=overdue,
        )


def outline(told: Mapping[str, Json]) -> tuple[object, ...]:
    """Return what of a queue's numbers is worth an event when it changes.

    Of what waits, the number of digits: schedules come and go every second, and an event for each
    would drown all others.
    """
    return (len(str(told["waiting"])), told["dead"], told["paused"], told["overdue"])


def _reading(age: timedelta) -> Reading:
    if age > STALLED_AFTER:
        return Reading.STALLED
    return Reading.LATE if age > LATE_AFTER else Reading.CURRENT
