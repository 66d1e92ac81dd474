"""What becomes of the object that a transaction of ours was for: a payout, an escrow, a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.chains.submissions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    SendMoney,
    Submission,
    SubmissionState,
    SweepDeposit,
)
from domain.escrow import events as escrow_events
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT, available, reserved
from domain.ledger.holds import Hold
from domain.settlements import booking
from domain.settlements import events as settlement_events
from domain.settlements.payouts import PayoutState
from domain.shared.ids import EscrowId, HoldId, PayoutId, SubmissionId, SweepId
from domain.shared.money import Assets
from domain.sweeps import booking as sweep_booking
from ports.ids import Ids

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.submissions import Inclusion, SignedBytes
    from domain.settlements.payouts import Payout
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class Outcomes:
    """Carries what happens to submissions over to what they were for."""

    ids: Ids
    assets: Assets
    places: Places

    async def signed(
        self, work: UnitOfWork, submission: Submission, signed: SignedBytes, *, at: datetime
    ) -> None:
        """The bytes exist: from here on a payout's money counts as under way."""
        if not isinstance(submission.instruction, SendMoney):
            return
        payout = await work.settlements.lock_payout(PayoutId(submission.purpose))
        hold = await work.ledger.lock_hold(payout.hold_id)
        posted, transaction = hold.post(target=PAYOUTS_IN_FLIGHT, at=at)
        await work.ledger.save_hold(posted)
        await work.ledger.book(transaction)
        await self._save(work, payout.sign(transaction=signed.hash), at=at)

    async def moved(self, work: UnitOfWork, submission: Submission, *, at: datetime) -> None:
        """The bytes were taken by a node, or nobody can tell what became of them."""
        if not isinstance(submission.instruction, SendMoney):
            return
        states = {
            SubmissionState.BROADCAST: PayoutState.BROADCAST,
            SubmissionState.UNKNOWN: PayoutState.UNKNOWN,
        }
        payout = await work.settlements.lock_payout(PayoutId(submission.purpose))
        await self._save(work, payout.become(states[submission.state]), at=at)

    async def refused(self, work: UnitOfWork, submission: Submission, *, at: datetime) -> None:
        """Nothing was signed: the money is where it was."""
        reason = submission.reason or "refused"
        match submission.instruction:
            case SendMoney():
                payout = await work.settlements.lock_payout(PayoutId(submission.purpose))
                await self._save(work, payout.refuse(reason=reason), at=at)
            case ReleaseEscrow() | RefundEscrow():
                await self._request_failed(work, submission, at=at)
            case FundGas() | SweepDeposit():
                await self._sweep_failed(work, submission, reason=reason, at=at)

    async def concluded(
        self,
        work: UnitOfWork,
        submission: Submission,
        inclusion: Inclusion,
        *,
        block_time: datetime,
        at: datetime,
    ) -> None:
        """The chain has spoken, for good; the network was paid either way.

        What is booked takes effect at the time of the block, as all that the chain has done.
        """
        await self._paid_network(work, submission, inclusion, at=block_time)
        match submission.instruction:
            case SendMoney():
                payout = await work.settlements.lock_payout(PayoutId(submission.purpose))
                if inclusion.succeeded:
                    await self._arrived(work, payout, block_time=block_time, at=at)
                else:
                    await self._came_back(work, payout, block_time=block_time, at=at)
            case ReleaseEscrow() | RefundEscrow():
                if not inclusion.succeeded:
                    await self._request_failed(work, submission, at=at)
            case FundGas() | SweepDeposit() if not inclusion.succeeded:
                await self._sweep_failed(work, submission, reason="reverted by the chain", at=at)
            case FundGas(money=money):
                await self._funded(work, submission, money, block_time=block_time, at=at)
            case SweepDeposit():
                # The watcher has booked the tokens' way by what it saw of it, in this block.
                sweep = await work.sweeps.lock(SweepId(submission.purpose))
                await work.sweeps.save(sweep.finish(at=at))

    async def _paid_network(
        self, work: UnitOfWork, submission: Submission, inclusion: Inclusion, *, at: datetime
    ) -> None:
        """Book the fee where it was taken: from the gas tank, or from a deposit address."""
        if not inclusion.cost:
            return
        of_deposit = isinstance(submission.instruction, SweepDeposit)
        fee = sweep_booking.network_fee if of_deposit else booking.network_fee
        await work.ledger.book(fee(inclusion.cost, self.places, reference=submission.id, at=at))

    async def _funded(
        self,
        work: UnitOfWork,
        funding: Submission,
        money: Money,
        *,
        block_time: datetime,
        at: datetime,
    ) -> None:
        """The address can pay for its transaction: have it move all that is there by now."""
        await work.ledger.book(
            sweep_booking.funding(money, self.places, reference=funding.id, at=block_time)
        )
        sweep = await work.sweeps.lock(SweepId(funding.purpose))
        held = await work.sweeps.holding(sweep.chain, sweep.address, sweep.money.asset)
        transfer = Submission(
            id=SubmissionId(self.ids.new("submission")),
            chain=sweep.chain,
            instruction=SweepDeposit(held, sweep.address, sweep.index),
            purpose=sweep.id,
            created_at=at,
        )
        await work.chains.add_submission(transfer)
        await work.sweeps.save(sweep.move(held, submission_id=transfer.id, at=at))
        await work.jobs.enqueue(
            "send_transactions",
            arguments={"chain": sweep.chain},
            dedupe_key=f"send_transactions:{sweep.chain}:now",
        )

    async def _sweep_failed(
        self, work: UnitOfWork, submission: Submission, *, reason: str, at: datetime
    ) -> None:
        sweep = await work.sweeps.lock(SweepId(submission.purpose))
        await work.sweeps.save(sweep.refuse(reason=reason, at=at))

    async def _arrived(
        self, work: UnitOfWork, payout: Payout, *, block_time: datetime, at: datetime
    ) -> None:
        await work.ledger.book(booking.leave(payout, self.places, at=block_time))
        await self._save(work, payout.become(PayoutState.CONFIRMED), at=at)
        settlement = await work.settlements.lock(payout.settlement_id)
        paid_out = settlement.pay_out()
        await work.settlements.save(paid_out)
        await work.events.record(
            settlement_events.settlement_changed(paid_out, at=at, assets=self.assets)
        )

    async def _came_back(
        self, work: UnitOfWork, payout: Payout, *, block_time: datetime, at: datetime
    ) -> None:
        """Set the money aside again, for another payout of the same settlement."""
        await work.ledger.book(booking.come_back(payout, at=block_time))
        hold = Hold(
            id=HoldId(self.ids.new("hold")),
            reference=payout.settlement_id,
            source=available(payout.merchant_id),
            aside=reserved(payout.merchant_id),
            money=payout.money,
            expires_at=None,
        )
        await work.ledger.add_hold(hold)
        refused = payout.refuse(reason="reverted by the chain")
        await self._save(work, attrs.evolve(refused, hold_id=hold.id), at=at)

    async def _request_failed(
        self, work: UnitOfWork, submission: Submission, *, at: datetime
    ) -> None:
        escrow = await work.escrows.lock(EscrowId(submission.purpose))
        if escrow is None or escrow.submission_id != submission.id or not escrow.requested:
            return  # Another way out, or a dispute, has made the request pointless meanwhile.
        failed = escrow.request_failed()
        await work.escrows.save(failed)
        await work.events.record(
            escrow_events.happened(escrow_events.REQUEST_FAILED, failed, at=at, assets=self.assets)
        )

    async def _save(self, work: UnitOfWork, payout: Payout, *, at: datetime) -> None:
        await work.settlements.save_payout(payout)
        await work.events.record(
            settlement_events.payout_changed(payout, at=at, assets=self.assets)
        )
