"""What large amounts have to wait for: worked out anew, from the chain and who has agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.witnesses import Witnesses
from config.simulation.configured import CHAIN, CONTRACT, HOT
from domain.chains.model import Block, Transfer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.memory.blocks import MinedBlock
    from adapters.memory.chain import InMemoryChain
    from adapters.memory.store import Tables
    from domain.chains.finality import Rung
    from domain.shared.money import AssetId

PROVIDERS = 2
"""How many can be asked for a block's name."""


@attrs.define
class HeardWitnesses(Witnesses):
    """Witnesses, and what they have said."""

    said: list[Block] = attrs.field(factory=list)
    """The blocks on which so many as were asked for have agreed."""

    def agree(self, block: Block, there: Block | None, *, providers: int, latest: int) -> bool:
        """Tell whether so many have a block."""
        agreed = Witnesses.agree(self, block, there, providers=providers, latest=latest)
        if agreed:
            self.said.append(block)
        return agreed


class Evidence:
    """Tells from which block on money may not be final yet, whoever has read what."""

    def __init__(self, chain: InMemoryChain, tables: Tables, rungs: Sequence[Rung]) -> None:
        self.rungs = rungs
        self._witnesses = chain.witnesses = HeardWitnesses(count=PROVIDERS)
        self._mined = chain.blocks.mined
        self._tables = tables
        self._came: dict[tuple[str, AssetId], int] = {}

    def held_from(self, newest: Block) -> int | None:
        """Return the lowest block that no ladder lets be final; None where there is none.

        ``newest`` is the newest block by which depth and age are counted.
        """
        held = (self._reached(rung, newest) for rung in self.rungs)
        return min((it for it in held if it is not None), default=None)

    def _reached(self, rung: Rung, newest: Block) -> int | None:
        """Return the lowest block at which what lacks evidence comes to a rung's amount."""
        at_risk = 0
        asset, most = rung.at_least.asset, rung.at_least.amount
        for mined in self._mined[self._first_without(rung, newest) : newest.number + 1]:
            at_risk += self._paid_in(mined, asset)
            if at_risk >= most:
                return mined.block.number
        return None

    def _first_without(self, rung: Rung, newest: Block) -> int:
        """Return the lowest block without a rung's evidence."""
        if rung.quorum > 1:
            said = (it.number for it in self._witnesses.said if self._is_there(it))
            return max(said, default=0) + 1
        number = newest.number
        while number > 0:
            block = self._mined[min(number, len(self._mined) - 1)].block
            deep = number + rung.confirmations <= newest.number
            if deep and block.time + rung.age <= newest.time:
                break
            number -= 1
        return number + 1

    def _is_there(self, block: Block) -> bool:
        return block.number < len(self._mined) and self._mined[block.number].block == block

    def _paid_in(self, mined: MinedBlock, asset: AssetId) -> int:
        """Return what others have paid to any of the gateway's addresses in a block."""
        key = mined.block.hash, asset
        if key not in self._came:
            self._came[key] = sum(
                it.fact.money.amount
                for it in mined.observations
                if isinstance(it.fact, Transfer)
                and it.fact.money.asset == asset
                and self._is_ours(it.fact.target)
                and not self._is_ours(it.fact.source)
            )
        return self._came[key]

    def _is_ours(self, address: str) -> bool:
        tables = self._tables
        if address in {HOT, CONTRACT} or tables.customer_addresses.where(address=address):
            return True
        return bool(tables.intents.where(address=(CHAIN, address)))
