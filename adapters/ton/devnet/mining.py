"""The next block of each chain, from what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.ton.devnet.block_cells import (
    block_cell,
    header_cell,
    masterchain_cell,
    shard_hashes_cell,
    state_cell,
)
from adapters.ton.devnet.blocks import (
    BASECHAIN,
    MASTERCHAIN,
    BlockContent,
    MinedBlock,
    block_id,
)
from adapters.ton.devnet.cells import Digest

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
    seed: bytes,
) -> MinedBlock:
    """Return the basechain's next block.

    Args:
        previous: The block before it.
        masterchain: The newest block of the masterchain, which it refers to.
        transactions: What it executed, in the order of logical time.
        accounts: All accounts after that.
        at: Unix time, seconds.
        seed: 32 bytes of chance.
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
    root = block_cell(
        header=header,
        before=previous.digest,
        state=state,
        transactions=transactions,
        seed=seed,
    )
    return MinedBlock(
        id=block_id(BASECHAIN, seqno, root.hash),
        start_lt=start,
        end_lt=end,
        at=at,
        masterchain_seqno=masterchain.id.seqno + 1,
        digest=Digest.of(state),
        kept=BlockContent(
            root=root, state=state, transactions=tuple(transactions), accounts=accounts
        ),
    )


def masterchain_block(
    *, previous: MinedBlock, shard: MinedBlock, config: Cell, at: int, seed: bytes
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
    root = block_cell(
        header=header, before=previous.digest, state=state, transactions=(), seed=seed
    )
    return MinedBlock(
        id=block_id(MASTERCHAIN, seqno, root.hash),
        start_lt=start,
        end_lt=end,
        at=at,
        masterchain_seqno=seqno,
        digest=Digest.of(state),
        kept=BlockContent(root=root, state=state, shard_hashes=hashes),
        shard=shard,
    )
