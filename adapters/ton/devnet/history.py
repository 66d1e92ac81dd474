"""The blocks that can still be asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.ton.devnet.blocks import MinedBlock


class BlockHistory:
    """One workchain's newest blocks, by number, time and hash; older ones are forgotten.

    Args:
        kept: So many blocks at least are kept, and twice as many at most.
    """

    def __init__(self, *, kept: int) -> None:
        self._kept: Final = kept
        self._blocks: list[MinedBlock] = []
        self._by_hash: dict[bytes, MinedBlock] = {}

    @property
    def newest(self) -> MinedBlock | None:
        """The newest block, None before the first."""
        return self._blocks[-1] if self._blocks else None

    @property
    def oldest(self) -> MinedBlock | None:
        """The oldest block that is not forgotten, None before the first."""
        return self._blocks[0] if self._blocks else None

    def append(self, block: MinedBlock) -> bool:
        """Add the next block; tell whether older ones were forgotten for it."""
        self._blocks.append(block)
        self._by_hash[block.id.root_hash] = block
        if len(self._blocks) > 2 * self._kept:
            self._blocks = self._blocks[-self._kept :]
            self._by_hash = {each.id.root_hash: each for each in self._blocks}
            return True
        return False

    def by_hash(self, root_hash: bytes) -> MinedBlock | None:
        """Return the block with a root hash."""
        return self._by_hash.get(root_hash)

    def at(self, seqno: int) -> MinedBlock | None:
        """Return a block by its number."""
        place = seqno - self._blocks[0].id.seqno if self._blocks else -1
        return self._blocks[place] if 0 <= place < len(self._blocks) else None

    def with_lt(self, lt: int) -> MinedBlock | None:
        """Return the first block that ends at a logical time or after it."""
        place = bisect_left(self._blocks, lt, key=lambda each: each.end_lt)
        return self._blocks[place] if place < len(self._blocks) else None

    def by(self, unix_time: int) -> MinedBlock | None:
        """Return the last block made by a Unix time."""
        place = bisect_right(self._blocks, unix_time, key=lambda each: each.at)
        return self._blocks[place - 1] if place else None
