"""What becomes of escrows whose end a transaction of ours asks for, one or many at once.

That an escrow has ended is told by the contract's own events alone (``ContractMoves``). Here it
is only noted which transaction asks for it, and that one which asked has come to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.submissions import SubmissionState
from domain.escrow import events
from domain.shared.money import Assets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.submissions import Inclusion, Submission
    from domain.escrow.model import Escrow
    from domain.shared.ids import EscrowId
    from ports.unit_of_work import UnitOfWork

LEFT_ALONE = "the contract left it alone"
"""Of a batch's escrow that was not held any more, or that we may not release."""


@attrs.frozen
class EscrowRequests:
    """Keeps escrows and the submissions that ask for their ends together."""

    assets: Assets

    async def joined(
        self, work: UnitOfWork, queued: Sequence[Submission], batch: Submission
    ) -> None:
        """One transaction asks for what several would have asked for."""
        for submission in queued:
            for escrow_id in submission.escrows:
                escrow = await requesting(work, submission, escrow_id)
                if escrow is not None:
                    await work.escrows.save(escrow.request_again(submission_id=batch.id))

    async def failed(
        self, work: UnitOfWork, submission: Submission, *, reason: str, at: datetime
    ) -> None:
        """Nothing of what a submission asked for will happen."""
        for escrow_id in submission.escrows:
            await self.fail(work, submission, escrow_id, reason=reason, at=at)

    async def left_alone(
        self, work: UnitOfWork, submission: Submission, inclusion: Inclusion, *, at: datetime
    ) -> None:
        """A batch has landed: what it has not released it never will."""
        if submission.state is SubmissionState.CONFIRMED:
            for place in sorted(inclusion.failed):
                escrow_id = submission.escrows[place]
                await self.fail(work, submission, escrow_id, reason=LEFT_ALONE, at=at)

    async def fail(
        self,
        work: UnitOfWork,
        submission: Submission,
        escrow_id: EscrowId,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """End a request; the escrow is as it was, and may be asked for again."""
        escrow = await requesting(work, submission, escrow_id)
        if escrow is None:
            return
        failed = escrow.request_failed(reason=reason, at=at)
        await work.escrows.save(failed)
        await work.events.record(
            events.happened(events.REQUEST_FAILED, failed, at=at, assets=self.assets)
        )


async def requesting(
    work: UnitOfWork, submission: Submission, escrow_id: EscrowId
) -> Escrow | None:
    """Lock an escrow that a submission asks for an end of.

    None where another way out, or a dispute, has made the request pointless meanwhile.
    """
    escrow = await work.escrows.lock(escrow_id)
    if escrow is None or escrow.submission_id != submission.id or not escrow.requested:
        return None
    return escrow
