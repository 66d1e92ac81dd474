"""Payouts of no settlement: money that goes back, or to a wallet of the platform's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.chains.instructions import SendMoney
from domain.chains.submissions import Submission
from domain.chains.waking import wake_sender
from domain.settlements.payouts import Payout

if TYPE_CHECKING:
    from datetime import datetime

    from domain.ledger.holds import Hold
    from domain.shared.ids import PayoutId, SubmissionId
    from domain.shared.money import ChainId
    from ports.unit_of_work import UnitOfWork


async def queue(
    work: UnitOfWork,
    hold: Hold,
    *,
    payout_id: PayoutId,
    submission_id: SubmissionId,
    chain: ChainId,
    destination: str,
    at: datetime,
) -> Payout:
    """Set money aside and queue the payout that spends it; wake who sends."""
    await work.ledger.add_hold(hold)
    await work.ledger.book(hold.reservation(at=at))
    payout = Payout(
        id=payout_id,
        settlement_id=None,
        merchant_id=None,
        money=hold.money,
        destination=destination,
        hold_id=hold.id,
        created_at=at,
    ).approve(submission_id=submission_id)
    await work.settlements.add_payout(payout)
    await work.chains.add_submission(
        Submission(
            id=submission_id,
            chain=chain,
            instruction=SendMoney(hold.money, destination),
            purpose=payout_id,
            created_at=at,
        )
    )
    await wake_sender(work, chain)
    return payout
