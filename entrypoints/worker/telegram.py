"""Asking Telegram for updates, where it cannot reach us by webhook."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from ports.stars import StarsRefused, StarsUnavailable
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from domain.stars.service import StarsService
    from ports.stars import StarUpdates

WAIT_MAX_SECONDS: Final = 60
"""The longest pause after a failure, whatever Telegram asks for: payers wait meanwhile."""

log = logging.getLogger(__name__)


async def poll(updates: StarUpdates, stars: StarsService, *, stopped: asyncio.Event) -> None:
    """Take in updates, in order, until it is told to stop.

    An update is dropped with Telegram only after it was dealt with, so that what was under way
    when a process died is told again.
    """
    last: int | None = None
    while not stopped.is_set():
        try:
            for number, update in await updates.after(last):
                if update is not None:
                    try:
                        await stars.receive(update)
                    except StarsRefused as refusal:
                        # The payer has given up meanwhile; the same once more changes nothing.
                        log.warning("Telegram has refused an answer: %s", refusal.reason)
                last = number
        except (StarsUnavailable, StorageUnavailable) as error:
            log.warning("updates of Telegram's have to wait: %r", error)
            await _pause(stopped, seconds=error.retry_after_seconds)
        except StarsRefused as refusal:
            log.warning("Telegram tells nothing here: %s", refusal.reason)
            await _pause(stopped, seconds=WAIT_MAX_SECONDS)
        except Exception:
            # Told again later, and found in Telegram's list in any case: nobody else would take
            # updates in if this one ended.
            log.exception("an update of Telegram's has failed")
            await _pause(stopped, seconds=WAIT_MAX_SECONDS)


async def _pause(stopped: asyncio.Event, *, seconds: int) -> None:
    try:
        async with asyncio.timeout(min(seconds, WAIT_MAX_SECONDS)):
            await stopped.wait()
    except TimeoutError:
        return
