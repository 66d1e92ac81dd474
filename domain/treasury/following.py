"""What the chain's word means for transfers to a cold wallet, and for money from one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.settlements.payouts import PayoutState
from domain.shared.money import Money
from domain.treasury import booking

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.settlements.payouts import Payout
    from ports.unit_of_work import UnitOfWork


async def arrive(
    work: UnitOfWork, payout: Payout, places: Places, *, block_time: datetime, at: datetime
) -> None:
    """Book what a payout has brought to the cold wallet, if that is what it was for."""
    transfer = await work.treasury.lock_carried(payout.id)
    if transfer is not None:
        await work.ledger.book(booking.arrival(transfer, places, at=block_time))
        await work.treasury.save(transfer.finish(at=at))


async def follow(work: UnitOfWork, payout: Payout, *, at: datetime) -> bool:
    """Carry the end of a payout over to its transfer; return False where it has none.

    Refused with proof, what was promised is free again. One that has arrived was booked then.
    """
    transfer = await work.treasury.lock_carried(payout.id)
    if transfer is None:
        return False
    if payout.state is PayoutState.REFUSED:
        hold = await work.ledger.lock_hold(payout.hold_id)
        voided, transaction = hold.void(at=at)
        await work.ledger.save_hold(voided)
        await work.ledger.book(transaction)
        await work.treasury.save(transfer.refuse(reason=payout.reason, at=at))
    return True


async def bring_back(
    work: UnitOfWork, money: Money, places: Places, *, reference: str, at: datetime
) -> Money:
    """Book what came from the cold wallet to the hot one; return what the books do not explain.

    No more than the cold wallet holds by the books can be its money: what somebody has put there
    past the books is as new to them as any other stranger's.
    """
    there = await _kept_cold(work, places, money)
    known = Money(max(min(money.amount, there), 0), money.asset)
    if known:
        await work.ledger.book(booking.brought_back(known, places, reference=reference, at=at))
    return money - known


async def _kept_cold(work: UnitOfWork, places: Places, money: Money) -> int:
    """Return what the cold wallet holds, and what may be on its way there at this moment.

    A transfer is booked behind what else is in its block, so that it may have come back by then.
    """
    latest = await work.treasury.latest(money.asset)
    total = latest.money.amount if latest is not None and latest.is_moving else 0
    for balance in await work.ledger.balances(prefix=places.cold):
        if (balance.account, balance.money.asset) == (places.cold, money.asset):
            total += balance.money.amount
    return total
