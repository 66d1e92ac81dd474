"""Waking who sends: what is queued in a unit of work goes out as soon as it is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.shared.money import ChainId
    from ports.unit_of_work import UnitOfWork


async def wake_sender(work: UnitOfWork, chain: ChainId) -> None:
    """Enqueue one run that sends a chain's transactions now, however often this is called."""
    await work.jobs.enqueue(
        "send_transactions",
        arguments={"chain": chain},
        dedupe_key=f"send_transactions:{chain}:now",
    )
