"""Coins that contracts have sent: no block's body shows them, so balances are looked at.

What an address holds beyond what was booked for it is one observation of its own, at a final
block. Its key names the address and the block, so no two looks count the same money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.crediting import Crediting
from domain.chains.model import Finality, Observation, ObservationKey, Transfer
from ports.chain import ChainReader, ChainUnavailable
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.chains.model import Block, Cursor
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork

ADDRESSES_MAX = 500
"""How many addresses are looked at in one go; those whose time ends first come first."""

SOMEBODY = "unknown"
"""Whom such money is from. A contract may pass on many people's at once."""


@attrs.frozen
class UnseenCoins:
    """Looks for coins at the addresses of one chain's unpaid intents."""

    begin: Begin
    clock: Clock
    crediting: Crediting
    reader: ChainReader

    async def find(self) -> int:
        """Book what is there and was not seen; return at how many addresses that was.

        Addresses that have ever been swept are left out: what came to them may be gas of ours,
        and what they hold is less by their own fees.

        Raises:
            ChainUnavailable: no node answered, or it has another block than the final one.
        """
        places = self.crediting.places
        async with self.begin() as work:
            cursor = await work.chains.cursor(places.chain)
            if cursor is None or not cursor.may_decide:
                return 0
            awaited = await work.intents.awaited_at(
                chain=places.chain, asset=places.native, limit=ADDRESSES_MAX
            )
            swept = await work.sweeps.swept(places.chain, awaited)
        addresses = [address for address in awaited if address not in swept]
        if not addresses:
            return 0
        final, found = cursor.final, 0
        held = await self.reader.balances(addresses, places.native, at_block=final.number)
        block = await self.reader.block(final.number)
        if block is None or block.hash != final.hash:
            raise ChainUnavailable(f"block {final.number} is not the one that is final")
        for address, money in zip(addresses, held, strict=True):
            if money.amount > 0:
                found += await self._book(address, money, final)
        return found

    async def _book(self, address: str, held: Money, final: Block) -> bool:
        """Book what an address held more after a block than was booked for it up to there."""
        chain = self.crediting.places.chain
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(chain)
            if not _stands(cursor, final) or await work.sweeps.swept(chain, [address]):
                return False
            more = held - await work.sweeps.holding(chain, address, held.asset)
            if more.amount <= 0:
                return False
            seen = Observation(
                key=ObservationKey(chain, f"balance:{address}", final.number),
                block=final,
                fact=Transfer(more, SOMEBODY, address),
            )
            if not await work.chains.claim(seen):
                return False
            await self._credit(work, seen)
            await work.commit()
        return True

    async def _credit(self, work: UnitOfWork, seen: Observation) -> None:
        at = self.clock.now()
        await self.crediting.see(work, [seen], at=at)
        await work.chains.set_finality(seen.key, was=seen.finality, now=Finality.FINAL)
        await self.crediting.finalize(work, [seen], at=at)


def _stands(cursor: Cursor | None, final: Block) -> bool:
    """Tell whether all up to this block is booked, and nothing after it."""
    return cursor is not None and cursor.may_decide and cursor.final == final
