"""Storing a chain's cursor, and telling operators what about it is news to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.platform import PlatformEvent, happened

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.model import Cursor
    from domain.shared.events import Event
    from ports.unit_of_work import UnitOfWork


async def keep(work: UnitOfWork, cursor: Cursor, *, was: Cursor, at: datetime) -> None:
    """Store a cursor that was locked as ``was`` in this unit of work."""
    await work.chains.save_cursor(cursor)
    await work.events.record(*_news(cursor, was, at=at))


def _news(now: Cursor, was: Cursor, *, at: datetime) -> list[Event]:
    """Return what has begun or ended; a reason or a gap that is merely another one is no news."""
    found = []
    if now.parked is not None and was.parked is None:
        found.append(happened(PlatformEvent.CHAIN_PARKED, now.chain, at=at, reason=now.parked))
    if now.parked is None and was.parked is not None:
        found.append(happened(PlatformEvent.CHAIN_RESUMED, now.chain, at=at))
    if now.gap is not None and was.gap is None:
        found.append(happened(PlatformEvent.GAP_OPENED, now.chain, at=at, first_block=now.gap))
    if now.gap is None and was.gap is not None:
        found.append(happened(PlatformEvent.GAP_CLOSED, now.chain, at=at))
    return found
