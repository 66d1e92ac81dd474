"""Other bytes with the same number: what offers too little, and what shall not happen any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.outcomes import Outcomes
from domain.chains.submissions import IN_FLIGHT
from ports.chain import ChainSender, ChainUnavailable, InstructionRefused
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.submissions import Submission
    from ports.chain import Prepared


@attrs.frozen
class Replacing:
    """Signs replacements on one chain: written ahead, with the number of what they replace.

    Two transactions with one number exclude each other, so a replacement pays nobody twice. All
    of them are watched, and the one that comes into a block is the submission's end.
    """

    begin: Begin
    sender: ChainSender
    outcomes: Outcomes

    async def replace(
        self, submission: Submission, *, seen: int | None, at: datetime
    ) -> Submission | None:
        """Sign and store other bytes where that helps; return the submission that has them.

        ``seen`` is the newest block that was read: by blocks, not by a clock, it is told how long
        something has waited.

        Raises:
            InstructionRefused: it shall not happen, and the signer does not sign what prevents it.
        """
        if not submission.attempts:
            return None
        try:
            prepared = await self._prepare(submission, seen)
            if prepared is None:
                return None
            return await self._store(submission, prepared, seen=seen, at=at)
        except ChainUnavailable:
            # What is signed is still valid. Another round may know more.
            return None
        except InstructionRefused:
            if submission.unwanted:
                raise
            # The offer is more than the signer lets pass: what is signed has to wait.
            return None

    async def _prepare(self, submission: Submission, seen: int | None) -> Prepared | None:
        attempts = submission.attempts
        if submission.unwanted and not attempts[-1].cancels:
            return await self.sender.cancel(attempts=attempts)
        if seen is None or submission.signed_after is None:
            return None
        waited = seen - submission.signed_after
        return await self.sender.replace(submission.instruction, attempts=attempts, waited=waited)

    async def _store(
        self, submission: Submission, prepared: Prepared, *, seen: int | None, at: datetime
    ) -> Submission | None:
        """Sign and store, all or nothing, unless anything has changed meanwhile."""
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            known = (submission.hashes, submission.unwanted)
            if locked.state not in IN_FLIGHT or (locked.hashes, locked.unwanted) != known:
                return None
            sequence = locked.attempts[-1].sequence
            signed = await self.sender.sign(prepared, sequence=sequence)
            replaced = locked.replace(signed, after=seen)
            await work.chains.save_submission(replaced)
            await self.outcomes.replaced(work, replaced, at=at)
            await work.commit()
        return replaced
