"""Use cases of sweeps: bring what lies at deposit addresses to the hot wallet, which pays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.places import Places
from domain.shared.money import AssetId, ChainId, Money, chain_of, zero
from domain.sweeps.coins import CoinSweeps, margin
from domain.sweeps.model import BATCHES_MAX, OPEN_MAX, RETRY_AFTER
from domain.sweeps.opening import Opening, may_begin
from ports.chain import ChainReader, ChainSender, InstructionRefused
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.sweeps.model import Holding, Sweep


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
        open one sweep for one address. Where a chain lets the hot wallet move many addresses'
        tokens by one transaction, those that share one are opened together.

        Raises:
            ChainUnavailable: no node answered. The sweeps opened until then go on.
        """
        most = self.senders[chain].sweeps_max
        made = await self._sweep_together(chain, most) if most else []
        for asset, minimum in self.minimums.items():
            if chain_of(asset) != chain:
                continue
            if asset == self.places[chain].native:
                made += await self._coins(chain, Money(minimum, asset)).open()
            elif not most:
                made += await self._sweep_each(chain, asset, minimum)
        return made

    async def _sweep_each(self, chain: ChainId, asset: AssetId, minimum: int) -> list[Sweep]:
        """Open sweeps of tokens by their addresses' own transactions."""
        made: list[Sweep] = []
        for holding in await self._due(chain, asset, minimum):
            sweep = await self._begin_one(holding)
            made += [] if sweep is None else [sweep]
        return made

    async def _sweep_together(self, chain: ChainId, most: int) -> list[Sweep]:
        """Open batches of at most so many addresses, none for whom a trial run fails."""
        able: list[Holding] = []
        made: list[Sweep] = []
        for holding in await self._due_together(chain, most):
            move = SweepDeposit(holding.money, holding.address, holding.index)
            try:
                await self.senders[chain].fee_limit(move)
            except InstructionRefused as refusal:
                sweep = await self._opening.open(holding, None, reason=refusal.reason)
                made += [] if sweep is None else [sweep]
            else:
                able.append(holding)
        for first in range(0, len(able), most):
            group = able[first : first + most]
            made += await self._opening.open_together(chain, group, most=most)
        return made

    async def _due_together(self, chain: ChainId, most: int) -> list[Holding]:
        """Return what is due on a chain, one asset of an address, as far as batches may begin."""
        found: dict[str, Holding] = {}
        room = most * BATCHES_MAX
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is None or not cursor.may_decide:
                return []
            for asset, minimum in self.minimums.items():
                if chain_of(asset) != chain or asset == self.places[chain].native:
                    continue
                if await work.parking.of(asset) is not None:
                    continue
                due = await work.sweeps.due(
                    chain,
                    asset,
                    at_least=minimum,
                    refused_before=self.clock.now() - RETRY_AFTER,
                    limit=room,
                )
                for holding in due:
                    found.setdefault(holding.address, holding)
            opened = await work.sweeps.open(chain, limit=room)
        return list(found.values())[:room] if may_begin(len(found), opened, most=most) else []

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
        move = SweepDeposit(holding.money, holding.address, holding.index)
        try:
            cost = await self.senders[holding.chain].fee_limit(move)
        except InstructionRefused as refusal:
            return await self._opening.open(holding, None, reason=refusal.reason)
        held = await self._held(holding, cost.asset)
        if held >= cost:
            return await self._opening.open(holding, move)
        return await self._opening.open(
            holding, FundGas(cost - held + margin(cost), holding.address)
        )

    async def _held(self, holding: Holding, asset: AssetId) -> Money:
        """Return what the address holds of an asset for good."""
        async with self.begin() as work:
            cursor = await work.chains.cursor(holding.chain)
        if cursor is None:
            return zero(asset)
        return await self.readers[holding.chain].balance(
            holding.address, asset, at_block=cursor.final.number
        )

    def _coins(self, chain: ChainId, least: Money) -> CoinSweeps:
        return CoinSweeps(self._opening, self.readers[chain], self.senders[chain], least)

    @property
    def _opening(self) -> Opening:
        return Opening(self.begin, self.clock, self.ids)
