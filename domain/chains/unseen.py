"""Coins that contracts have sent: no block's body shows them, so balances are looked at.

What an address holds beyond what was booked for it, gas of ours and fees included, is one
observation of its own, at a final block. Its key names the address and the block, so no two looks
count the same money.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.crediting import Crediting
from domain.chains.model import Finality, Observation, ObservationKey, Transfer
from domain.shared.money import ChainId, zero
from domain.sweeps.opening import LOOKED_AT_MAX
from ports.chain import ChainReader, ChainUnavailable
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from domain.chains.model import Block, Cursor
    from domain.customers.model import CustomerAddress
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork

ADDRESSES_MAX = 500
"""How many intents' addresses are looked at in one go; those whose time ends first come first."""

CUSTOMERS_MAX = 100
"""How many customers' addresses are looked at besides, those whose turn it is."""

SOMEBODY = "unknown"
"""Whom such money is from. A contract may pass on many people's at once."""


@attrs.define
class Rounds:
    """How far one process has come with customers' addresses; another one begins anew."""

    reached: dict[ChainId, int] = attrs.field(factory=dict)
    """The index of the address that was last looked at, where a round is not at its end."""
    ended: dict[ChainId, int] = attrs.field(factory=dict)
    """The final block at the end of the last round: there is nothing new before a later one."""


@attrs.frozen
class UnseenCoins:
    """Looks for coins at the addresses of one chain's unpaid intents, and of customers in turn."""

    begin: Begin
    clock: Clock
    crediting: Crediting
    reader: ChainReader
    rounds: Rounds

    async def find(self) -> int:
        """Book what is there and was not seen; return at how many addresses that was.

        Addresses that are being swept are left out: gas of ours may have come to them, and a fee
        may have been taken from them, that the books are told of at the transaction's end.

        Raises:
            ChainUnavailable: no node answered, or it has another block than the final one. The
                same customers' turn comes again.
        """
        chain, coin = self.crediting.places.chain, self.crediting.places.native
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is None or not cursor.may_decide:
                return 0
            awaited = await work.intents.awaited_at(chain=chain, asset=coin, limit=ADDRESSES_MAX)
            customers = await self._in_turn(work, cursor.final)
            addresses = [*awaited, *(customer.address for customer in customers)]
            booked = await work.sweeps.holdings(chain, addresses, coin)
        final, found = cursor.final, 0
        for address, held in zip(addresses, await self._held(addresses, final), strict=True):
            if held <= booked.get(address, zero(coin)):
                continue
            more = await self._book(address, held, final)
            if more is None:
                return found
            found += more
        self._turn_over(customers, final)
        return found

    async def _in_turn(self, work: UnitOfWork, final: Block) -> Sequence[CustomerAddress]:
        chain = self.crediting.places.chain
        if self.rounds.ended.get(chain) == final.number:
            return ()
        return await work.customers.in_turn(
            reach=self.crediting.recipients.reach,
            after=self.rounds.reached.get(chain, -1),
            limit=CUSTOMERS_MAX,
        )

    def _turn_over(self, looked_at: Sequence[CustomerAddress], final: Block) -> None:
        """Have those come next who follow, or, after another block, the first again."""
        chain = self.crediting.places.chain
        if len(looked_at) == CUSTOMERS_MAX:
            self.rounds.reached[chain] = looked_at[-1].index
        else:
            self.rounds.reached.pop(chain, None)
            self.rounds.ended[chain] = final.number

    async def _held(self, addresses: Sequence[str], final: Block) -> Sequence[Money]:
        """Return what addresses held after the final block, by one who has this very block."""
        if not addresses:
            return []
        native = self.crediting.places.native
        held = await self.reader.balances(addresses, native, at_block=final.number)
        block = await self.reader.block(final.number)
        if block is None or block.hash != final.hash:
            raise ChainUnavailable(f"block {final.number} is not the one that is final")
        return held

    async def _book(self, address: str, held: Money, final: Block) -> bool | None:
        """Book what an address held more after a block than was booked for it up to there.

        None where the books are further by now.
        """
        chain = self.crediting.places.chain
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(chain)
            if not _stands(cursor, final):
                return None
            if address in await _being_swept(work, chain):
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


async def _being_swept(work: UnitOfWork, chain: ChainId) -> Collection[str]:
    return {sweep.address for sweep in await work.sweeps.open(chain, limit=LOOKED_AT_MAX)}


def _stands(cursor: Cursor | None, final: Block) -> bool:
    """Tell whether all up to this block is booked, and nothing after it."""
    return cursor is not None and cursor.may_decide and cursor.final == final
