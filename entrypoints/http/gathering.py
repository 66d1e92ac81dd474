"""Storing, every few seconds, what requests have left in this process's memory."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from domain.shared.visibility import seeing_all
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

log = logging.getLogger(__name__)


@asynccontextmanager
async def gathering(
    *stores: Callable[[], Awaitable[object]], every_seconds: float
) -> AsyncIterator[None]:
    """Store what was gathered while the process runs, and once more at its end."""

    async def store_all() -> None:
        for store in stores:
            try:
                # It was left by requests of many merchants.
                with seeing_all():
                    await store()
            except StorageUnavailable as error:
                log.warning("what was gathered of requests is not stored yet: %s", error)

    async def store_again_and_again() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            await store_all()

    task = asyncio.create_task(store_again_and_again())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store_all()
