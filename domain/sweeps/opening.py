"""Opening sweeps: a row and its first transaction, alone or many at once, and never twice.

Each is opened under the chain's lock, after another look: other runs may have been first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import SweepDeposit, SweepMany, SweptPlace
from domain.chains.submissions import Submission
from domain.chains.waking import wake_sender
from domain.shared.ids import SubmissionId, SweepId
from domain.sweeps.model import BATCHES_MAX, OPEN_MAX, Sweep, SweepState
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.instructions import Instruction
    from domain.shared.money import ChainId
    from domain.sweeps.model import Holding
    from ports.unit_of_work import UnitOfWork

LOOKED_AT_MAX = 1_000
"""More sweeps than are ever open on a chain."""


@attrs.frozen
class Opening:
    """Stores sweeps and queues their first transactions, all or nothing."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def open(
        self, holding: Holding, instruction: Instruction | None, *, reason: str | None = None
    ) -> Sweep | None:
        """Open a sweep with a transaction of its own, unless another run was first.

        Without an instruction the sweep is stored as refused, for a person to see why.
        """
        async with self.begin() as work:
            # The chain's cursor stands for all that moves on it: one sweep is opened at a time.
            cursor = await work.chains.lock_cursor(holding.chain)
            if cursor is None or not cursor.may_decide:
                return None
            opened = await work.sweeps.open(holding.chain, limit=LOOKED_AT_MAX)
            if instruction is not None and len(opened) >= OPEN_MAX:
                return None
            if not await _is_due(work, holding, opened):
                return None
            sweep = self._new(holding, _first_state(instruction), reason=reason)
            if instruction is not None:
                sweep = attrs.evolve(sweep, submission_id=self._submission_id())
                await self._queue(work, sweep, instruction, purpose=sweep.id)
            await work.sweeps.add(sweep)
            await work.commit()
        return sweep

    async def open_together(
        self, chain: ChainId, holdings: Sequence[Holding], *, most: int
    ) -> list[Sweep]:
        """Open sweeps of a chain with one transaction for all, for those that are still due.

        None is opened where that would be a batch of less than ``most`` beside others: it waits
        for more to come, and for those to end.
        """
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(chain)
            if cursor is None or not cursor.may_decide:
                return []
            opened = await work.sweeps.open(chain, limit=LOOKED_AT_MAX)
            due = [each for each in holdings if await _is_due(work, each, opened)]
            if not may_begin(len(due), opened, most=most):
                return []
            id = self._submission_id()
            sweeps = [
                attrs.evolve(self._new(each, SweepState.MOVING), submission_id=id) for each in due
            ]
            places = tuple(
                SweptPlace(it.id, SweepDeposit(it.money, it.address, it.index)) for it in sweeps
            )
            await self._queue(work, sweeps[0], SweepMany(places), purpose=id)
            for sweep in sweeps:
                await work.sweeps.add(sweep)
            await work.commit()
        return sweeps

    def _new(self, holding: Holding, state: SweepState, *, reason: str | None = None) -> Sweep:
        at = self.clock.now()
        return Sweep(
            id=SweepId(self.ids.new("sweep")),
            chain=holding.chain,
            address=holding.address,
            index=holding.index,
            money=holding.money,
            created_at=at,
            changed_at=at,
            state=state,
            submission_id=None,
            reason=reason,
        )

    def _submission_id(self) -> SubmissionId:
        return SubmissionId(self.ids.new("submission"))

    async def _queue(
        self, work: UnitOfWork, sweep: Sweep, instruction: Instruction, *, purpose: str
    ) -> None:
        if sweep.submission_id is None:
            raise TypeError(sweep)
        submission = Submission(
            id=sweep.submission_id,
            chain=sweep.chain,
            instruction=instruction,
            purpose=purpose,
            created_at=sweep.created_at,
        )
        await work.chains.add_submission(submission)
        await wake_sender(work, sweep.chain)


def may_begin(count: int, opened: Sequence[Sweep], *, most: int) -> bool:
    """Tell whether a batch of so many addresses is begun beside the sweeps that are open."""
    transactions = len({it.submission_id for it in opened})
    return count > 0 and transactions < BATCHES_MAX and (not opened or count >= most)


async def _is_due(work: UnitOfWork, holding: Holding, opened: Sequence[Sweep]) -> bool:
    """Look again, under the lock: other runs may have opened sweeps meanwhile, or ended them."""
    if holding.address in {sweep.address for sweep in opened}:
        return False
    if await work.parking.of(holding.money.asset) is not None:
        return False
    held = await work.sweeps.holding(holding.chain, holding.address, holding.money.asset)
    return held >= holding.money


def _first_state(instruction: Instruction | None) -> SweepState:
    if instruction is None:
        return SweepState.REFUSED
    return SweepState.MOVING if isinstance(instruction, SweepDeposit) else SweepState.FUNDING
