"""An operator takes back a transaction of ours, if it can still be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import SweepDeposit
from domain.chains.outcomes import Outcomes
from domain.chains.places import Places
from domain.chains.submissions import SubmissionState
from domain.chains.waking import wake_sender
from domain.shared.ids import SubmissionId
from domain.shared.money import Assets, ChainId
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.chains.submissions import Submission


@attrs.frozen
class CannotCancel(Exception):
    """It is a deposit address's transaction, whose key signs nothing else."""

    id: SubmissionId


@attrs.frozen
class Canceling:
    """Takes submissions back: what is not signed ends at once, for the rest the chain decides."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    places: Mapping[ChainId, Places]

    async def cancel(self, *, submission_id: SubmissionId) -> Submission:
        """Take a submission back.

        What is signed may still come into a block. The sender broadcasts other bytes with its
        number that do nothing; when they are final, and not before, it is canceled. Where bytes
        have a last moment no others follow after it.

        Raises:
            NotFound: there is no such submission.
            SubmissionTransitionRefused: it has ended.
            CannotCancel: its key signs nothing but what it has signed.
        """
        at = self.clock.now()
        async with self.begin() as work:
            submission = await work.chains.lock_submission(submission_id)
            taken_back = submission.take_back()
            if taken_back.state is SubmissionState.QUEUED:
                ended = taken_back.refuse(reason="canceled by an operator")
                await work.chains.save_submission(ended)
                outcomes = Outcomes(self.ids, self.assets, self.places[ended.chain])
                await outcomes.refused(work, ended, at=at)
                await work.commit()
                return ended
            lasts = any(it.valid_until is None for it in submission.attempts)
            if isinstance(submission.instruction, SweepDeposit) and lasts:
                raise CannotCancel(submission_id)
            await work.chains.save_submission(taken_back)
            await wake_sender(work, taken_back.chain)
            await work.commit()
        return taken_back
