"""What has been read of a chain: by whom, when, and between which blocks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.shared.money import ChainId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.model import Scan

BLOCKS_MAX = 250_000
"""The most blocks of one stretch: its two times say when a block was read, to a day or so."""


@attrs.frozen(kw_only=True)
class Stretch:
    """Blocks that were read one after the other through one provider, both ends included."""

    chain: ChainId
    first: int
    before: str | None
    """The name of the block below the first; None where it was not kept."""
    last: int
    last_hash: str
    provider: str
    """Who showed them, as the reader calls it."""
    began_at: datetime
    ended_at: datetime

    @classmethod
    def of(cls, chain: ChainId, scan: Scan, *, at: datetime) -> Stretch:
        """Return what a scan of at least one block covers."""
        low, high = scan.blocks[0], scan.blocks[-1]
        return cls(
            chain=chain,
            first=low.number,
            before=low.parent,
            last=high.number,
            last_hash=high.hash,
            provider=scan.provider,
            began_at=at,
            ended_at=at,
        )

    def joined(self, following: Stretch) -> Stretch | None:
        """Return both as one, or None where they are better told apart."""
        fits = self.last + 1 == following.first and self.last_hash == following.before
        short = following.last - self.first < BLOCKS_MAX
        if not (fits and short and self.provider == following.provider):
            return None
        return attrs.evolve(
            self,
            last=following.last,
            last_hash=following.last_hash,
            ended_at=following.ended_at,
        )


@attrs.frozen
class Gap:
    """Blocks that nobody has read, both ends included, and the names at its edges if known."""

    first: int
    last: int
    below: str | None
    above: str | None


def lowest_gap(stretches: Sequence[Stretch], *, first: int, last: int) -> Gap | None:
    """Return the lowest blocks of a range that no stretch holds, or None where there are none.

    Args:
        stretches: What was read, lowest first.
        first: The range's first block.
        last: Its last.
    """
    wanted, below = first, None
    for stretch in stretches:
        if stretch.last < wanted:
            continue
        if stretch.first > wanted:
            break
        wanted, below = stretch.last + 1, stretch.last_hash
    if wanted > last:
        return None
    above = next((it for it in stretches if it.first > wanted), None)
    if above is None or above.first > last:
        return Gap(wanted, last, below, None)
    return Gap(wanted, above.first - 1, below, above.before)
