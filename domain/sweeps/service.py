"""Use cases of sweeps: bring what lies at deposit addresses to the hot wallet, which pays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.chains.submissions import FundGas, Submission, SweepDeposit
from domain.shared.ids import SubmissionId, SweepId
from domain.shared.money import AssetId, ChainId, Money, chain_of, zero
from domain.sweeps.model import OPEN_MAX, RETRY_AFTER, Sweep, SweepState
from ports.chain import ChainReader, ChainSender, InstructionRefused
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.submissions import Instruction
    from domain.sweeps.model import Holding
    from ports.unit_of_work import UnitOfWork

MARGIN_PERCENT = 20
"""Added to what an address needs for its fee: prices move until its coin is there."""


@attrs.frozen
class SweepService:
    """Opens sweeps. What becomes of their transactions moves them on to their end.

    The sender and the watcher do that, as for payouts: so every state of an open sweep is driven
    by the jobs that send transactions and watch the chain.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    readers: Mapping[ChainId, ChainReader]
    senders: Mapping[ChainId, ChainSender]
    places: Mapping[ChainId, Places]
    minimums: Mapping[AssetId, int]
    """From which holding on an address is swept, in smallest units; an asset that is not named
    is left where it is."""

    async def sweep(self, *, chain: ChainId) -> Sequence[Sweep]:
        """Open a sweep for each holding that is worth it; return the sweeps made.

        Each is opened in a unit of work of its own, under the chain's lock: two runs at once
        open one sweep for one address.

        Raises:
            ChainUnavailable: no node answered. The sweeps opened until then go on.
        """
        made: list[Sweep] = []
        for asset, minimum in self.minimums.items():
            if chain_of(asset) != chain:
                continue
            for holding in await self._due(chain, asset, minimum):
                sweep = await self._begin_one(holding)
                if sweep is not None:
                    made.append(sweep)
        return made

    async def _due(self, chain: ChainId, asset: AssetId, minimum: int) -> Sequence[Holding]:
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is None or not cursor.may_decide:
                return ()
            return await work.sweeps.due(
                chain,
                asset,
                at_least=minimum,
                refused_before=self.clock.now() - RETRY_AFTER,
                limit=OPEN_MAX - len(await work.sweeps.open(chain, limit=OPEN_MAX)),
            )

    async def _begin_one(self, holding: Holding) -> Sweep | None:
        """Find out what the move costs, outside any transaction, and open the sweep."""
        if holding.money.asset == self.places[holding.chain].native:
            return await self._begin_with_own_fee(holding)
        move = SweepDeposit(holding.money, holding.address, holding.index)
        try:
            cost = await self.senders[holding.chain].fee_limit(move)
        except InstructionRefused as refusal:
            return await self._open(holding, None, reason=refusal.reason)
        held = await self._held(holding, cost.asset)
        if held >= cost:
            return await self._open(holding, move)
        return await self._open(holding, FundGas(cost - held + _margin(cost), holding.address))

    async def _begin_with_own_fee(self, holding: Holding) -> Sweep | None:
        """Open a sweep of coins, which leaves what its own transaction takes at the address."""
        least = Money(self.minimums[holding.money.asset], holding.money.asset)
        held = await self._held(holding, least.asset)
        if held < least:
            return None
        try:
            cost = await self.senders[holding.chain].fee_limit(
                SweepDeposit(least, holding.address, holding.index)
            )
        except InstructionRefused as refusal:
            return await self._open(holding, None, reason=refusal.reason)
        money = min(holding.money, held - cost - _margin(cost))
        if money < least:
            return None
        move = SweepDeposit(money, holding.address, holding.index)
        return await self._open(attrs.evolve(holding, money=money), move)

    async def _held(self, holding: Holding, asset: AssetId) -> Money:
        """Return what the address holds of an asset for good."""
        async with self.begin() as work:
            cursor = await work.chains.cursor(holding.chain)
        if cursor is None:
            return zero(asset)
        return await self.readers[holding.chain].balance(
            holding.address, asset, at_block=cursor.final.number
        )

    async def _open(
        self, holding: Holding, instruction: Instruction | None, *, reason: str | None = None
    ) -> Sweep | None:
        """Store a sweep and its first transaction, unless another run was first.

        Without an instruction the sweep is stored as refused, for a person to see why.
        """
        at = self.clock.now()
        async with self.begin() as work:
            # The chain's cursor stands for all that moves on it: one sweep is opened at a time.
            cursor = await work.chains.lock_cursor(holding.chain)
            if cursor is None or not cursor.may_decide or not await _is_due(work, holding):
                return None
            sweep = Sweep(
                id=SweepId(self.ids.new("sweep")),
                chain=holding.chain,
                address=holding.address,
                index=holding.index,
                money=holding.money,
                created_at=at,
                changed_at=at,
                state=_first_state(instruction),
                submission_id=None,
                reason=reason,
            )
            if instruction is not None:
                sweep = await self._queue(work, sweep, instruction)
            await work.sweeps.add(sweep)
            await work.commit()
        return sweep

    async def _queue(self, work: UnitOfWork, sweep: Sweep, instruction: Instruction) -> Sweep:
        submission = Submission(
            id=SubmissionId(self.ids.new("submission")),
            chain=sweep.chain,
            instruction=instruction,
            purpose=sweep.id,
            created_at=sweep.created_at,
        )
        await work.chains.add_submission(submission)
        await work.jobs.enqueue(
            "send_transactions",
            arguments={"chain": sweep.chain},
            dedupe_key=f"send_transactions:{sweep.chain}:now",
        )
        return attrs.evolve(sweep, submission_id=submission.id)


async def _is_due(work: UnitOfWork, holding: Holding) -> bool:
    """Look again, under the lock: other runs may have opened sweeps meanwhile, or ended them."""
    sweeps = await work.sweeps.open(holding.chain, limit=OPEN_MAX)
    if len(sweeps) == OPEN_MAX or holding.address in {sweep.address for sweep in sweeps}:
        return False
    if await work.parking.of(holding.money.asset) is not None:
        return False
    held = await work.sweeps.holding(holding.chain, holding.address, holding.money.asset)
    return held >= holding.money


def _margin(cost: Money) -> Money:
    return Money(-(-cost.amount * MARGIN_PERCENT // 100), cost.asset)


def _first_state(instruction: Instruction | None) -> SweepState:
    if instruction is None:
        return SweepState.REFUSED
    return SweepState.MOVING if isinstance(instruction, SweepDeposit) else SweepState.FUNDING
