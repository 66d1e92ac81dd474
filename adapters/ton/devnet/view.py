"""The chain as far as one liteserver has seen it, and how it is asked about blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.ton.devnet.proofs import shard_proof
from adapters.ton.devnet.wire import QueryRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.ton.devnet.blocks import MinedBlock
    from adapters.ton.devnet.chain import Chain, PlacedTransaction
    from adapters.ton.devnet.wire import Reader

FAILED, NOT_READY = 0, 651
"""Codes of errors: the query failed; the block is not here (``ErrorCode::notready``)."""


class View:
    """What a liteserver has seen of a chain.

    Attributes:
        chain: All there is.

    Args:
        blocks_behind: How many of the newest masterchain blocks it has not seen, at the moment.
    """

    def __init__(self, chain: Chain, *, blocks_behind: Callable[[], int]) -> None:
        self.chain: Final = chain
        self._blocks_behind: Final = blocks_behind

    @property
    def head(self) -> MinedBlock:
        """The newest masterchain block that it has seen."""
        newest = self.chain.head
        seqno = max(1, newest.id.seqno - self._blocks_behind())
        return self.chain.masterchain.at(seqno) or newest

    def seen(self, block: MinedBlock | PlacedTransaction) -> bool:
        """Whether it has seen a block, or the block of a transaction."""
        return block.masterchain_seqno <= self.head.id.seqno

    def known(self, query: Reader) -> MinedBlock:
        """Read a block's id and return the block.

        Raises:
            QueryRefused: It has not seen that.
        """
        wanted = query.block_id()
        block = self.chain.block(wanted.root_hash)
        if block is None or not self.seen(block):
            raise QueryRefused(code=NOT_READY, reason=f"block {wanted} is not in db")
        return block

    def shard_proof(self, block: MinedBlock) -> bytes:
        """Prove a masterchain block's shards; a block of the basechain has nothing to prove."""
        return shard_proof(block, self.chain.config) if block.shard else b""
