"""Sweeping coins: an address pays for its coins' way out of themselves, if they are enough.

What the books say of an address may be more than is there, if the chain has taken from it what no
block tells. They are looked at together, so that nobody waits behind such addresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from domain.chains.instructions import SweepDeposit
from domain.shared.money import Money
from domain.sweeps.model import OPEN_MAX, RETRY_AFTER
from domain.sweeps.opening import Opening
from ports.chain import ChainReader, ChainSender, InstructionRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.sweeps.model import Holding, Sweep

MARGIN_PERCENT = 20
"""Added to what an address needs for its fee: prices move until it is taken."""

PAGE_MAX = 4 * OPEN_MAX
"""How many addresses are looked at in one go, those with most by the books first."""

PAGES_MAX = 8
"""How often a run looks: but for the first time, at what comes behind addresses that hold less
than the books say."""

TRIES_MAX = 2 * OPEN_MAX
"""For how many addresses in one go the chain is asked what their own transaction would take."""


class _Page(NamedTuple):
    at_block: int
    """The final block: what was paid later is not booked yet."""
    room: int
    """How many sweeps may be opened."""
    holdings: Sequence[Holding]


@attrs.frozen
class CoinSweeps:
    """Opens sweeps of one chain's coin; an address that cannot be swept takes nobody's place."""

    opening: Opening
    reader: ChainReader
    sender: ChainSender
    least: Money
    """From how much on coins are moved; so much has to arrive."""

    async def open(self) -> list[Sweep]:
        """Open a sweep for each address that is worth it, as far as there is room.

        Raises:
            ChainUnavailable: no node answered. The sweeps opened until then go on.
        """
        made: list[Sweep] = []
        last: Holding | None = None
        for _ in range(PAGES_MAX):
            page = await self._page(after=last)
            room = page.room
            for holding, held in await self._richest(page):
                if room == 0:
                    return made
                sweep = await self._begin(holding, held)
                if sweep is not None:
                    made.append(sweep)
                    room -= sweep.is_open
            if len(page.holdings) < PAGE_MAX:
                break
            last = page.holdings[-1]
        return made

    async def _page(self, *, after: Holding | None) -> _Page:
        chain, asset = self.reader.chain, self.least.asset
        async with self.opening.begin() as work:
            cursor = await work.chains.cursor(chain)
            opened = await work.sweeps.open(chain, limit=OPEN_MAX)
            if (
                cursor is None
                or not cursor.may_decide
                or len(opened) >= OPEN_MAX
                or await work.parking.of(asset) is not None
            ):
                return _Page(0, 0, ())
            holdings = await work.sweeps.due(
                chain,
                asset,
                at_least=self.least.amount,
                refused_before=self.opening.clock.now() - RETRY_AFTER,
                limit=PAGE_MAX,
                after=after,
            )
        return _Page(cursor.final.number, OPEN_MAX - len(opened), holdings)

    async def _richest(self, page: _Page) -> list[tuple[Holding, Money]]:
        """Return what holds enough on the chain, and how much, most first."""
        if not page.holdings:
            return []
        addresses = [holding.address for holding in page.holdings]
        held = await self.reader.balances(addresses, self.least.asset, at_block=page.at_block)
        enough = [it for it in zip(page.holdings, held, strict=True) if it[1] >= self.least]
        return sorted(enough, key=lambda it: -it[1].amount)[:TRIES_MAX]

    async def _begin(self, holding: Holding, held: Money) -> Sweep | None:
        """Open a sweep that leaves what its own transaction takes at the address, if it may."""
        try:
            cost = await self.sender.fee_limit(
                SweepDeposit(self.least, holding.address, holding.index)
            )
        except InstructionRefused as refusal:
            return await self.opening.open(holding, None, reason=refusal.reason)
        money = min(holding.money, held - cost - margin(cost))
        if money < self.least:
            return None
        move = SweepDeposit(money, holding.address, holding.index)
        return await self.opening.open(attrs.evolve(holding, money=money), move)


def margin(cost: Money) -> Money:
    """Return what an address is left, or given, beyond what its transaction costs."""
    return Money(-(-cost.amount * MARGIN_PERCENT // 100), cost.asset)
