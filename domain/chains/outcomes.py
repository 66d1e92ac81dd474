"""What becomes of the object that a transaction of ours was for: a payout, an escrow, a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
)
from domain.chains.places import Places
from domain.chains.requests import EscrowRequests, requesting
from domain.chains.submissions import SubmissionState
from domain.chains.sweeping import SweepOutcomes
from domain.chains.waking import wake_sender
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.ledger.holds import HoldState
from domain.settlements import booking
from domain.settlements import events as settlement_events
from domain.settlements.payouts import PayoutState
from domain.shared.ids import EscrowId, HoldId, SubmissionId
from domain.shared.money import Assets
from domain.suspense import returning
from domain.sweeps import booking as sweep_booking
from domain.treasury import following
from ports.ids import Ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.instructions import Part, Release
    from domain.chains.submissions import Inclusion, SignedBytes, Submission
    from domain.settlements.payouts import Payout
    from ports.unit_of_work import UnitOfWork


_IN_VAIN = "expired time after time"
_TAKEN_BACK = "canceled by an operator"
_REASONS = {
    SubmissionState.REVERTED: "reverted by the chain",
    SubmissionState.CANCELED: _TAKEN_BACK,
}


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
        for part in submission.parts:
            payout = await work.settlements.lock_payout(part.payout_id)
            hold = await work.ledger.lock_hold(payout.hold_id)
            posted, transaction = hold.post(target=PAYOUTS_IN_FLIGHT, at=at)
            await work.ledger.save_hold(posted)
            await work.ledger.book(transaction)
            named = payout.sign(transaction=signed.hash, submission_id=submission.id)
            await self._save(work, named, at=at)

    async def joined(
        self, work: UnitOfWork, queued: Sequence[Submission], batch: Submission
    ) -> None:
        """Several submissions have ended in favour of one."""
        await self._requests.joined(work, queued, batch)

    async def replaced(self, work: UnitOfWork, submission: Submission, *, at: datetime) -> None:
        """There are other bytes with the same number: by default it is they that will land."""
        if submission.signed is not None and not submission.signed.cancels:
            for part in submission.parts:
                payout = await work.settlements.lock_payout(part.payout_id)
                named = attrs.evolve(payout, transaction=submission.signed.hash)
                await self._save(work, named, at=at)

    async def moved(self, work: UnitOfWork, submission: Submission, *, at: datetime) -> None:
        """The bytes were taken by a node, or nobody can tell what became of them."""
        states = {
            SubmissionState.BROADCAST: PayoutState.BROADCAST,
            SubmissionState.UNKNOWN: PayoutState.UNKNOWN,
        }
        for part in submission.parts:
            payout = await work.settlements.lock_payout(part.payout_id)
            await self._save(work, payout.become(states[submission.state]), at=at)

    async def refused(self, work: UnitOfWork, submission: Submission, *, at: datetime) -> None:
        """Nothing was signed: the money is where it was."""
        reason = submission.reason or "refused"
        match submission.instruction:
            case SendMoney() | SendMany():
                for part in submission.parts:
                    payout = await work.settlements.lock_payout(part.payout_id)
                    await self._save(work, payout.refuse(reason=reason), at=at)
            case ReleaseEscrow() | ReleaseMany() | RefundEscrow():
                await self._requests.failed(work, submission, reason=reason, at=at)
            case FundGas() | SweepDeposit() | SweepMany():
                await self._sweeps.failed(work, submission, reason=reason, at=at)

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

        ``submission`` is at its end. Of several transactions with its number, ``inclusion`` is
        that of the one which has landed: by now none of the others can.

        What is booked takes effect at the time of the block, as all that the chain has done.
        """
        await self._paid_network(work, submission, inclusion, at=block_time)
        succeeded = submission.state is SubmissionState.CONFIRMED
        match submission.instruction:
            case SendMoney() | SendMany():
                for place, part in enumerate(submission.parts):
                    payout = await self._landed(work, submission, part, inclusion.hash)
                    reason = _why_it_failed(submission, inclusion, place)
                    if reason is None:
                        await self._arrived(work, payout, block_time=block_time, at=at)
                    else:
                        hold_id = await self._come_back(work, payout, block_time=block_time)
                        refused = attrs.evolve(payout.refuse(reason=reason), hold_id=hold_id)
                        await self._save(work, refused, at=at)
            case ReleaseEscrow() | ReleaseMany() | RefundEscrow() if not succeeded:
                reason = _REASONS[submission.state]
                await self._requests.failed(work, submission, reason=reason, at=at)
            case ReleaseEscrow() | ReleaseMany() | RefundEscrow():
                await self._requests.left_alone(work, submission, inclusion, at=at)
            case FundGas() | SweepDeposit() | SweepMany() if not succeeded:
                reason = _REASONS[submission.state]
                await self._sweeps.failed(work, submission, reason=reason, at=at)
            case FundGas() | SweepDeposit() | SweepMany():
                await self._sweeps.landed(
                    work, submission, inclusion, block_time=block_time, at=at
                )

    async def expired(
        self, work: UnitOfWork, submission: Submission, *, block_time: datetime, at: datetime
    ) -> None:
        """It will never take effect, as a final block proves: try again, so and so often.

        Until then nobody may, and from here on the same money may be sent by other bytes. Where
        no number may be left out, these have the same one: the chain would take no higher.
        """
        signed = submission.signed
        if signed is not None and signed.gapless:
            await work.chains.give_back_sequence(
                submission.chain, sender=signed.sender, sequence=signed.sequence
            )
        match submission.instruction:
            case SendMoney() | SendMany():
                for part in submission.parts:
                    await self._payout_expired(
                        work, submission, part, block_time=block_time, at=at
                    )
            case ReleaseEscrow() | RefundEscrow():
                await self._request_expired(work, submission, None, at=at)
            case ReleaseMany(releases=releases):
                for release in releases:
                    await self._request_expired(work, submission, release, at=at)
            case FundGas() | SweepDeposit() | SweepMany():
                again = await self._again(work, submission, at=at)
                if again is None:
                    reason = _why_not_again(submission)
                    await self._sweeps.failed(work, submission, reason=reason, at=at)
                else:
                    await self._sweeps.try_again(work, submission, again, at=at)

    async def _payout_expired(
        self,
        work: UnitOfWork,
        submission: Submission,
        part: Part,
        *,
        block_time: datetime,
        at: datetime,
    ) -> None:
        payout = await work.settlements.lock_payout(part.payout_id)
        hold_id = await self._come_back(work, payout, block_time=block_time)
        again = await self._again(work, submission, part=part, at=at)
        if again is None:
            refused = payout.refuse(reason=_why_not_again(submission))
            now = attrs.evolve(refused, hold_id=hold_id)
        else:
            now = payout.approve_again(submission_id=again.id, hold_id=hold_id)
        await self._save(work, now, at=at)

    async def _request_expired(
        self, work: UnitOfWork, submission: Submission, part: Release | None, *, at: datetime
    ) -> None:
        escrow_id = part.escrow_id if part else EscrowId(submission.purpose)
        escrow = await requesting(work, submission, escrow_id)
        again = await self._again(work, submission, part=part, at=at) if escrow else None
        if escrow and again:
            await work.escrows.save(escrow.request_again(submission_id=again.id))
        else:
            reason = _why_not_again(submission)
            await self._requests.fail(work, submission, escrow_id, reason=reason, at=at)

    async def _again(
        self,
        work: UnitOfWork,
        expired: Submission,
        *,
        at: datetime,
        part: Part | Release | None = None,
    ) -> Submission | None:
        """Queue another submission in an expired one's place, unless there were enough."""
        id = SubmissionId(self.ids.new("submission"))
        again = expired.again(id=id, at=at, part=part)
        if again is not None:
            await work.chains.add_submission(again)
            await wake_sender(work, self.places.chain)
        return again

    async def _paid_network(
        self, work: UnitOfWork, submission: Submission, inclusion: Inclusion, *, at: datetime
    ) -> None:
        """Book the fee where it was taken: from the gas tank, or from a deposit address."""
        if not inclusion.cost:
            return
        cost, fee = inclusion.cost, booking.network_fee
        if isinstance(submission.instruction, SweepDeposit):
            fee = sweep_booking.network_fee
            payer = submission.instruction.source
            await work.sweeps.change_holding(submission.chain, payer, -cost)
        await work.ledger.book(fee(cost, self.places, reference=submission.id, at=at))

    async def _landed(
        self, work: UnitOfWork, submission: Submission, part: Part, hash: str
    ) -> Payout:
        """Lock a payout; its transaction is the one of several that has landed, if it pays it."""
        payout = await work.settlements.lock_payout(part.payout_id)
        if submission.state is SubmissionState.CANCELED:
            return payout
        return attrs.evolve(payout, transaction=hash)

    async def _arrived(
        self, work: UnitOfWork, payout: Payout, *, block_time: datetime, at: datetime
    ) -> None:
        await work.ledger.book(booking.leave(payout, self.places, at=block_time))
        await self._save(work, payout.become(PayoutState.CONFIRMED), at=at)
        if payout.settlement_id is None:
            await following.arrive(work, payout, self.places, block_time=block_time, at=at)
            return
        settlement = await work.settlements.lock(payout.settlement_id)
        paid_out = settlement.pay_out()
        await work.settlements.save(paid_out)
        await work.events.record(
            settlement_events.settlement_changed(paid_out, at=at, assets=self.assets)
        )

    async def _come_back(
        self, work: UnitOfWork, payout: Payout, *, block_time: datetime
    ) -> HoldId:
        """Set the money aside again; return the hold, for another try of the same purpose."""
        spent = await work.ledger.lock_hold(payout.hold_id)
        await work.ledger.book(booking.come_back(payout, aside=spent.aside, at=block_time))
        hold = attrs.evolve(spent, id=HoldId(self.ids.new("hold")), state=HoldState.PENDING)
        await work.ledger.add_hold(hold)
        return hold.id

    @property
    def _requests(self) -> EscrowRequests:
        return EscrowRequests(self.assets)

    @property
    def _sweeps(self) -> SweepOutcomes:
        return SweepOutcomes(self.ids, self.places)

    async def _save(self, work: UnitOfWork, payout: Payout, *, at: datetime) -> None:
        await work.settlements.save_payout(payout)
        if payout.settlement_id is None and not await following.follow(work, payout, at=at):
            await returning.follow(work, payout, at=at)
        await work.events.record(
            *settlement_events.payout_changed(payout, at=at, assets=self.assets)
        )


def _why_it_failed(submission: Submission, inclusion: Inclusion, place: int) -> str | None:
    """Return why a payout of a transaction that is in a block has not arrived; None if it has."""
    if submission.state in _REASONS:
        return _REASONS[submission.state]
    return "sent back, or never sent" if place in inclusion.failed else None


def _why_not_again(submission: Submission) -> str:
    return _TAKEN_BACK if submission.unwanted else _IN_VAIN
