"""Handing stored bytes to a chain: the same ones as often as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.outcomes import Outcomes
from domain.chains.submissions import SubmissionState
from ports.chain import ChainSender, ChainUnavailable
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.chains.submissions import Submission


@attrs.frozen
class Broadcasting:
    """Gets what is signed to the nodes of one chain, and notes what they make of it."""

    begin: Begin
    clock: Clock
    sender: ChainSender
    outcomes: Outcomes

    async def broadcast(self, submission: Submission) -> int:
        """Broadcast if it is time; return 1 if a node has taken the bytes for the first time."""
        taken = False
        if submission.wants_broadcast(at=self.clock.now()):
            taken = await self.hand_over(submission)
        if not taken or submission.state is not SubmissionState.SIGNED:
            await self._give_up_if_overdue(submission)
            return 0
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            if locked.state is not SubmissionState.SIGNED:
                return 0
            known = locked.broadcast()
            await work.chains.save_submission(known)
            await self.outcomes.moved(work, known, at=self.clock.now())
            await work.commit()
        return 1

    async def hand_over(self, submission: Submission) -> bool:
        """Hand over the newest bytes that nodes take; return False if it is unknown who has any.

        Of several with one number they have taken, and prefer, the one that offers the most. Where
        they cannot take the newest, an earlier one that they have dropped is of use. What should
        not happen any more is never brought up again.
        """
        newest = submission.signed
        for attempt in reversed(submission.attempts):
            if newest is None or attempt.cancels is not newest.cancels:
                continue
            try:
                await self.sender.broadcast(attempt)
            except ChainUnavailable:
                # Whether a node has the bytes is unknown. They are sent again.
                continue
            return True
        return False

    async def _give_up_if_overdue(self, submission: Submission) -> None:
        at = self.clock.now()
        if not submission.overdue(at=at):
            return
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            if locked.overdue(at=at):
                lost = locked.lose(reason="in no block for too long")
                await work.chains.save_submission(lost)
                await self.outcomes.moved(work, lost, at=at)
                await work.commit()
