"""Use cases of operators' events: find out what nobody tells, and forget what is old."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.platform.model import Backlog, ChainHealth, outline
from domain.shared.money import ChainId
from domain.shared.platform import PLATFORM
from ports.clock import Clock
from ports.provider_health import ProviderHealth
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.shared.events import Json
    from ports.unit_of_work import UnitOfWork

PRUNED_MAX: Final = 1000
"""How many events are dropped in one transaction."""


@attrs.frozen
class PlatformService:
    """Looks at what changes by itself, and records it for operators where it is another.

    What was recorded last is the last word, whichever process had it: a look that finds the same
    records nothing.
    """

    begin: Begin
    clock: Clock
    providers: Mapping[ChainId, ProviderHealth]
    """Whose word there is; a chain that is not named is judged by its blocks alone."""
    kept: timedelta = timedelta(days=30)
    """How long events are kept."""

    async def look_at_chain(self, *, chain: ChainId) -> bool:
        """Record how a chain is read, if that has changed; return whether it has."""
        at = self.clock.now()
        known = self.providers.get(chain)
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            health = ChainHealth.of(chain, cursor, known.standing() if known else (), at=at)
            told = health.told(at=at)
            if await _last(work, health.key) == told.data:
                return False
            await work.events.record(told)
            await work.commit()
        return True

    async def look_at_queues(self) -> int:
        """Record how queues stand that have changed by much; return how many have."""
        at, changed = self.clock.now(), 0
        async with self.begin() as work:
            for stats in await work.job_console.stats(at=at, with_done=False):
                backlog = Backlog(stats, at)
                told, before = backlog.told(), await _last(work, backlog.key)
                if before is None or outline(before) != outline(told.data):
                    await work.events.record(told)
                    changed += 1
            await work.commit()
        return changed

    async def prune(self) -> int:
        """Drop some events that are not kept any longer; return how many."""
        async with self.begin() as work:
            pruned = await work.events.prune(
                owner=PLATFORM, before=self.clock.now() - self.kept, limit=PRUNED_MAX
            )
            await work.commit()
        return pruned


async def _last(work: UnitOfWork, key: str) -> Mapping[str, Json] | None:
    """Return what was recorded last under a key."""
    for recorded in await work.events.of_objects([key], owner=PLATFORM, limit=1):
        return recorded.event.data
    return None
