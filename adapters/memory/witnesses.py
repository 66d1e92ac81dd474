"""The providers of an in-memory chain, as far as they say more than one of them could."""

from __future__ import annotations

import attrs

from domain.chains.model import Block
from ports.chain import ChainUnavailable


@attrs.define
class Witnesses:
    """Who can be asked for a block's name. Tests change what they have and what they say."""

    count: int = 1
    """How many there are that answer."""
    behind: int = 0
    """How many of the newest blocks all but the first of them do not have yet."""
    disagree: bool = False
    """Whether one of them has other blocks than the rest."""
    asked: list[Block] = attrs.field(factory=list)

    def agree(self, block: Block, there: Block | None, *, providers: int, latest: int) -> bool:
        """Tell whether so many have a block that is to be what is there.

        Raises:
            ChainUnavailable: another one is there, or one of them says so.
        """
        self.asked.append(block)
        if there is not None and (self.disagree or there != block):
            raise ChainUnavailable(f"block {block.number} has two names")
        having = self.count if block.number <= latest - self.behind else min(self.count, 1)
        return there is not None and having >= providers
