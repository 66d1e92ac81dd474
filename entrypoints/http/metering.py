"""Storing, every few seconds, what requests were counted in this process."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.usage.service import UsageService

log = logging.getLogger(__name__)


@asynccontextmanager
async def metering(usage: UsageService, *, every_seconds: float) -> AsyncIterator[None]:
    """Store counts while the process runs, and once more at its end."""

    async def store() -> None:
        try:
            await usage.flush()
        except StorageUnavailable as error:
            log.warning("requests counted are not stored yet: %s", error)

    async def store_again_and_again() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            await store()

    task = asyncio.create_task(store_again_and_again())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store()
