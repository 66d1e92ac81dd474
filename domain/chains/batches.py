"""Batches: what of the queue shares a transaction, where a chain takes several into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.chains.instructions import (
    Release,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
)
from domain.chains.submissions import Submission
from domain.shared.ids import EscrowId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.instructions import Instruction
    from domain.shared.ids import SubmissionId


def batched(
    queued: Sequence[Submission], *, payouts: int, releases: int
) -> list[list[Submission]]:
    """Group what is queued into transactions of at most so many payouts, or releases.

    A batch has the turn of its oldest, and keeps their order. All else goes by itself, a release
    that somebody has asked for as well: he does not wait for others.
    """
    groups: list[list[Submission]] = []
    filling: dict[type[Instruction], list[Submission]] = {}
    for submission in queued:
        kind = type(submission.instruction)
        group = filling.get(kind)
        match submission.instruction:
            case SendMoney():
                most = payouts
            case ReleaseEscrow(due=True):
                most = releases
            case _:
                groups.append([submission])
                continue
        if group is not None and len(group) < most:
            group.append(submission)
        else:
            filling[kind] = [submission]
            groups.append(filling[kind])
    return groups


def instruction_of(group: Sequence[Submission]) -> Instruction:
    """Return what carries out a group of queued submissions: the one's own, or a batch's."""
    if len(group) == 1:
        return group[0].instruction
    releases = tuple(
        Release(EscrowId(submission.purpose), submission.instruction, submission.issue)
        for submission in group
        if isinstance(submission.instruction, ReleaseEscrow)
    )
    if releases:
        return ReleaseMany(releases)
    return SendMany(tuple(part for submission in group for part in submission.parts))


def batch_of(group: Sequence[Submission], *, id: SubmissionId, at: datetime) -> Submission:
    """Return one submission in place of several; it is for theirs, and named after itself."""
    return Submission(
        id=id,
        chain=group[0].chain,
        instruction=instruction_of(group),
        purpose=id,
        created_at=at,
    )
