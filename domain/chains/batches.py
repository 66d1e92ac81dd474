"""Batches: which queued payouts share a transaction, where a chain takes several into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.chains.submissions import SendMany, SendMoney, Submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.submissions import Instruction
    from domain.shared.ids import SubmissionId


def batched(queued: Sequence[Submission], *, most: int) -> list[list[Submission]]:
    """Group what is queued into transactions of at most so many payouts.

    A batch has the turn of its oldest payout, and keeps their order. All else goes by itself.
    """
    groups: list[list[Submission]] = []
    filling: list[Submission] | None = None
    for submission in queued:
        if not isinstance(submission.instruction, SendMoney):
            groups.append([submission])
        elif filling is not None and len(filling) < most:
            filling.append(submission)
        else:
            filling = [submission]
            groups.append(filling)
    return groups


def instruction_of(group: Sequence[Submission]) -> Instruction:
    """Return what carries out a group of queued submissions: the one's own, or a batch's."""
    if len(group) == 1:
        return group[0].instruction
    return SendMany(tuple(part for submission in group for part in submission.parts))


def batch_of(group: Sequence[Submission], *, id: SubmissionId, at: datetime) -> Submission:
    """Return one submission in place of several; it is for the payouts, and named after itself."""
    return Submission(
        id=id,
        chain=group[0].chain,
        instruction=instruction_of(group),
        purpose=id,
        created_at=at,
    )
