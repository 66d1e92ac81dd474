"""Notices of new jobs, in memory."""

from __future__ import annotations

import asyncio

import attrs

from adapters.memory.store import Store


@attrs.frozen
class InMemoryJobNotices:
    """Wakes whoever waits after each commit: one more look at the table does no harm."""

    _store: Store

    async def wait(self, *, seconds: float) -> None:
        """Return soon after a job was enqueued, or after the time given at the latest."""
        try:
            async with asyncio.timeout(seconds), self._store.job_added:
                await self._store.job_added.wait()
        except TimeoutError:
            return
