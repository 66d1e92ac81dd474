"""What becomes of sweeps whose transactions have ended: one, or many that share one.

That money has come to the hot wallet is booked by what the watcher saw of it (``Crediting``). Here
a sweep only moves on, or to its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.places import Places
from domain.chains.submissions import Submission
from domain.chains.waking import wake_sender
from domain.shared.ids import SubmissionId
from domain.sweeps import booking
from ports.ids import Ids

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.submissions import Inclusion
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork

LEFT_ALONE = "nothing has come of its place in the batch"
"""Of a batch's address whose tokens did not move: they are where they were."""


@attrs.frozen
class SweepOutcomes:
    """Keeps sweeps and the submissions that carry them out together, on one chain."""

    ids: Ids
    places: Places

    async def failed(
        self, work: UnitOfWork, submission: Submission, *, reason: str, at: datetime
    ) -> None:
        """Nothing that a submission was for will happen by it."""
        for sweep_id in submission.sweeps:
            sweep = await work.sweeps.lock(sweep_id)
            await work.sweeps.save(sweep.refuse(reason=reason, at=at))

    async def landed(
        self,
        work: UnitOfWork,
        submission: Submission,
        inclusion: Inclusion,
        *,
        block_time: datetime,
        at: datetime,
    ) -> None:
        """The chain has carried a submission out, but for a batch's places that failed."""
        if isinstance(submission.instruction, FundGas):
            money = submission.instruction.money
            await self._funded(work, submission, money, block_time=block_time, at=at)
            return
        for place, sweep_id in enumerate(submission.sweeps):
            sweep = await work.sweeps.lock(sweep_id)
            missed = place in inclusion.failed
            ended = sweep.refuse(reason=LEFT_ALONE, at=at) if missed else sweep.finish(at=at)
            await work.sweeps.save(ended)

    async def try_again(
        self, work: UnitOfWork, submission: Submission, again: Submission, *, at: datetime
    ) -> None:
        """Another submission carries out what an expired one was for."""
        for sweep_id in submission.sweeps:
            sweep = await work.sweeps.lock(sweep_id)
            await work.sweeps.save(sweep.try_again(submission_id=again.id, at=at))

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
            booking.funding(money, self.places, reference=funding.id, at=block_time)
        )
        [sweep_id] = funding.sweeps
        sweep = await work.sweeps.lock(sweep_id)
        await work.sweeps.change_holding(sweep.chain, sweep.address, money)
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
        await wake_sender(work, self.places.chain)
