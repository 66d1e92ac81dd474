"""The next block of each chain, from what it holds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pytoniq_core import BlockIdExt

from adapters.ton.devnet.block_cells import (
    block_cell,
    header_cell,
    masterchain_cell,
    shard_hashes_cell,
    state_cell,
)
from adapters.ton.devnet.blocks import BASECHAIN, MASTERCHAIN, WHOLE_SHARD, MinedBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytoniq_core import Cell

    from adapters.ton.devnet.blocks import MinedTransaction
    from adapters.ton.devnet.hashmaps import Edge


def basechain_block(
    *,
    previous: MinedBlock,
    masterchain: MinedBlock,
    transactions: Sequence[MinedTransaction],
    accounts: Edge | None,
    at: int,
) -> MinedBlock:
    """Return the basechain's next block.

    Args:
        previous: The block before it.
        masterchain: The newest block of the masterchain, which it refers to.
        transactions: What it executed, in the order of logical time.
        accounts: All accounts after that.
        at: Unix time, seconds.
    """
    start = previous.end_lt + 1
    end = max([start, *(each.end_lt for each in transactions)]) + 1
    seqno = previous.id.seqno + 1
    state = state_cell(
        workchain=BASECHAIN,
        seqno=seqno,
        at=at,
        lt=end,
        accounts=accounts,
        masterchain=masterchain,
        custom=None,
    )
    header = header_cell(
        workchain=BASECHAIN,
        seqno=seqno,
        at=at,
        start=start,
        end=end,
        previous=previous,
        masterchain=masterchain,
    )
    root = block_cell(header=header, before=previous.state, state=state, transactions=transactions)
    return MinedBlock(
        id=_id(BASECHAIN, seqno, root),
        root=root,
        state=state,
        start_lt=start,
        end_lt=end,
        at=at,
        masterchain_seqno=masterchain.id.seqno + 1,
        transactions=tuple(transactions),
        accounts=accounts,
    )


def masterchain_block(
    *, previous: MinedBlock, shard: MinedBlock, config: Cell, at: int
) -> MinedBlock:
    """Return the masterchain's next block, with which a block of the basechain is final."""
    seqno, start, end = previous.id.seqno + 1, shard.end_lt, shard.end_lt + 1
    hashes = shard_hashes_cell(shard, masterchain_seqno=seqno)
    state = state_cell(
        workchain=MASTERCHAIN,
        seqno=seqno,
        at=at,
        lt=end,
        accounts=None,
        masterchain=None,
        custom=masterchain_cell(hashes, config),
    )
    header = header_cell(
        workchain=MASTERCHAIN,
        seqno=seqno,
        at=at,
        start=start,
        end=end,
        previous=previous,
        masterchain=None,
    )
    root = block_cell(header=header, before=previous.state, state=state, transactions=())
    return MinedBlock(
        id=_id(MASTERCHAIN, seqno, root),
        root=root,
        state=state,
        start_lt=start,
        end_lt=end,
        at=at,
        masterchain_seqno=seqno,
        shard=shard,
        shard_hashes=hashes,
    )


def _id(workchain: int, seqno: int, root: Cell) -> BlockIdExt:
    file_hash = hashlib.sha256(b"file of " + root.hash).digest()
    return BlockIdExt(workchain, WHOLE_SHARD, seqno, root.get_hash(0), file_hash)
