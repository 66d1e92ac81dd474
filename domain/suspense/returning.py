"""What becomes of an item whose money is on its way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.settlements.payouts import PayoutState

if TYPE_CHECKING:
    from datetime import datetime

    from domain.settlements.payouts import Payout
    from ports.unit_of_work import UnitOfWork


async def follow(work: UnitOfWork, payout: Payout, *, at: datetime) -> None:
    """Carry the end of a payout over to the item whose money it gives back.

    Refused with proof, the money goes from what is promised back to suspense, and the item waits
    for another decision. While nobody knows, it waits for evidence.
    """
    if payout.state is PayoutState.CONFIRMED:
        item = await work.suspense.lock_returning(payout.id)
        await work.suspense.save(item.arrive(at=at))
    elif payout.state is PayoutState.REFUSED:
        hold = await work.ledger.lock_hold(payout.hold_id)
        voided, transaction = hold.void(at=at)
        await work.ledger.save_hold(voided)
        await work.ledger.book(transaction)
        item = await work.suspense.lock_returning(payout.id)
        await work.suspense.save(item.reopen(at=at))
