"""The sender: signs what is queued, once, and gets the signed bytes to the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.outcomes import Outcomes
from domain.chains.places import Places
from domain.chains.submissions import (
    RefundEscrow,
    ReleaseEscrow,
    SubmissionState,
    SweepDeposit,
)
from domain.shared.money import Assets, ChainId
from domain.sweeps.model import OPEN_MAX
from ports.chain import ChainSender, ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.chains.submissions import Submission
    from domain.shared.ids import SubmissionId
    from domain.shared.money import AssetId
    from ports.chain import Prepared

IN_FLIGHT_MAX = 16
"""How many of the hot wallet's transactions may wait on one chain; nodes drop longer queues.

Deposit addresses have sequences of their own, with one transaction at a time.
"""

LOOKED_AT_MAX = IN_FLIGHT_MAX + OPEN_MAX
"""How many are looked at in one go, so that no sweep that waits keeps a payout from its turn."""

PARKED_MAX = 1_000
"""How many are looked at while an asset is parked, so that those in other assets are found."""


@attrs.frozen
class Sent:
    """What one round of sending did, in transactions."""

    signed: int
    broadcast: int
    waiting: int
    """Not signed: the wallet lacks funds, the chain did not answer, or the asset is parked."""


@attrs.frozen
class Sender:
    """Sends the gateway's own transactions, exactly once each, whatever dies in between."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    senders: Mapping[ChainId, ChainSender]
    places: Mapping[ChainId, Places]

    async def send(self, *, chain: ChainId) -> Sent:
        """Broadcast again what was signed before, then sign and broadcast what is queued.

        Raises:
            ChainUnavailable: no node answered. What was signed stays signed.
            ChainParked: something on this chain cannot be right; nothing is sent.
            Exception: one transaction met a fault that only a person can mend; all others that
                could be sent were.
        """
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is not None:
                cursor.must_move()
            in_flight = await work.chains.in_flight(chain, limit=LOOKED_AT_MAX)
            parked = {asset.asset for asset in await work.parking.all()}
            most = PARKED_MAX if parked else LOOKED_AT_MAX
            queued = await work.chains.queued(chain, limit=most)
        broadcast = 0
        for submission in in_flight:
            broadcast += await self._broadcast(submission)
        room = IN_FLIGHT_MAX - sum(not _of_deposit(submission) for submission in in_flight)
        signed, waiting, fault = 0, 0, None
        for submission in queued:
            if _moved_asset(submission) in parked:
                waiting += 1
                continue
            if room <= 0 and not _of_deposit(submission):
                continue
            try:
                fresh = await self._sign(submission)
            except ChainUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 (the rest comes first; it is raised then)
                fresh, fault = None, error
            if fresh is None:
                waiting += 1
                continue
            signed += 1
            room -= not _of_deposit(fresh)
            broadcast += await self._broadcast(fresh)
        if fault is not None:
            raise fault
        return Sent(signed=signed, broadcast=broadcast, waiting=waiting)

    async def _sign(self, queued: Submission) -> Submission | None:
        """Try it out and sign it; return None where that must wait, or never will be."""
        sender = self.senders[queued.chain]
        try:
            prepared = await sender.prepare(queued.instruction)
            at_least = await sender.next_sequence(prepared.sender)
            return await self._store_signed(queued, prepared, at_least=at_least)
        except InstructionRefused as refusal:
            await self._refuse(queued.id, refusal.reason, chain=queued.chain)
        except InsufficientFundsOnChain as lack:
            if _of_deposit(queued):
                # It was given what the fee was then. Another sweep gives it what that is now.
                await self._refuse(queued.id, f"lacks {lack.asset}", chain=queued.chain)
        return None

    async def _store_signed(
        self, queued: Submission, prepared: Prepared, *, at_least: int
    ) -> Submission | None:
        """Take a place in the sequence, sign and store, all or nothing; nothing is sent yet."""
        at = self.clock.now()
        async with self.begin() as work:
            submission = await work.chains.lock_submission(queued.id)
            if submission.state is not SubmissionState.QUEUED:
                return None
            if await work.parking.of(_moved_asset(submission)) is not None:
                return None
            sequence = await work.chains.take_sequence(
                queued.chain, sender=prepared.sender, at_least=at_least
            )
            bytes_ = await self.senders[queued.chain].sign(prepared, sequence=sequence)
            submission = submission.sign(bytes_, at=at)
            await work.chains.save_submission(submission)
            await self._outcomes(queued.chain).signed(work, submission, bytes_, at=at)
            await work.commit()
        return submission

    async def _broadcast(self, submission: Submission) -> int:
        """Hand stored bytes to the chain; return 1 if a node has taken them for the first time."""
        if submission.signed is None or not submission.wants_broadcast(at=self.clock.now()):
            return 0
        try:
            await self.senders[submission.chain].broadcast(submission.signed)
        except ChainUnavailable:
            # Whether a node has the bytes is unknown. They are sent again, never others.
            return await self._give_up_if_overdue(submission)
        if submission.state is not SubmissionState.SIGNED:
            return await self._give_up_if_overdue(submission)
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            if locked.state is not SubmissionState.SIGNED:
                return 0
            taken = locked.broadcast()
            await work.chains.save_submission(taken)
            await self._outcomes(submission.chain).moved(work, taken, at=self.clock.now())
            await work.commit()
        return 1

    async def _give_up_if_overdue(self, submission: Submission) -> int:
        at = self.clock.now()
        if not submission.overdue(at=at):
            return 0
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            if locked.overdue(at=at):
                lost = locked.lose(reason="in no block for too long")
                await work.chains.save_submission(lost)
                await self._outcomes(submission.chain).moved(work, lost, at=at)
                await work.commit()
        return 0

    async def _refuse(self, id: SubmissionId, reason: str, *, chain: ChainId) -> None:
        at = self.clock.now()
        async with self.begin() as work:
            submission = await work.chains.lock_submission(id)
            if submission.state is not SubmissionState.QUEUED:
                return
            refused = submission.refuse(reason=reason)
            await work.chains.save_submission(refused)
            await self._outcomes(chain).refused(work, refused, at=at)
            await work.commit()

    def _outcomes(self, chain: ChainId) -> Outcomes:
        return Outcomes(self.ids, self.assets, self.places[chain])


def _of_deposit(submission: Submission) -> bool:
    """Tell whether a deposit address sends it, and not the hot wallet."""
    return isinstance(submission.instruction, SweepDeposit)


def _moved_asset(submission: Submission) -> AssetId:
    """Return the asset that a submission moves, its fee apart."""
    instruction = submission.instruction
    if isinstance(instruction, ReleaseEscrow | RefundEscrow):
        return instruction.terms.money.asset
    return instruction.money.asset
