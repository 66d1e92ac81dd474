"""Blocks and transactions, as the chain keeps them."""

from __future__ import annotations

import attrs
from pytoniq_core import BlockIdExt, Cell, begin_cell

from adapters.ton.devnet.hashmaps import Edge, bits_of

MASTERCHAIN, BASECHAIN = -1, 0
WHOLE_SHARD = -(1 << 63)
"""The shard that is its whole workchain, as a signed number."""

NO_HASH = bytes(32)


@attrs.frozen(kw_only=True, eq=False)
class MinedTransaction:
    """A transaction of the basechain.

    Attributes:
        account: The account's id, 32 bytes.
        lt: Its logical time.
        end_lt: The first logical time after it and its messages.
        cell: TL-B ``Transaction``.
        fees: Nanotons.
        messages: What it sent, in order (TL-B ``Message``).
    """

    account: bytes
    lt: int
    end_lt: int
    cell: Cell
    fees: int
    messages: tuple[Cell, ...]


@attrs.frozen(kw_only=True, eq=False)
class MinedBlock:
    """A block of the masterchain or of the basechain.

    Attributes:
        id: Its id. The file hash is made up: no file is ever hashed.
        root: TL-B ``Block``.
        state: TL-B ``ShardStateUnsplit`` after it.
        start_lt: Its first logical time.
        end_lt: Its last logical time.
        at: Unix time, seconds.
        masterchain_seqno: The masterchain block that it is final with, or is.
        transactions: What it executed.
        accounts: The accounts after it, by their ids; None if there are none.
        shard: The basechain's newest block, in a block of the masterchain.
        shard_hashes: How the masterchain's state tells of that (TL-B ``ShardHashes``).
    """

    id: BlockIdExt
    root: Cell
    state: Cell
    start_lt: int
    end_lt: int
    at: int
    masterchain_seqno: int
    transactions: tuple[MinedTransaction, ...] = ()
    accounts: Edge | None = None
    shard: MinedBlock | None = None
    shard_hashes: Cell | None = None


def before_genesis(workchain: int) -> MinedBlock:
    """Return what stands before the first block of a workchain."""
    nothing = begin_cell().store_uint(0, 8).end_cell()
    return MinedBlock(
        id=BlockIdExt(workchain, WHOLE_SHARD, 0, NO_HASH, NO_HASH),
        root=nothing,
        state=nothing,
        start_lt=0,
        end_lt=0,
        at=0,
        masterchain_seqno=0,
    )


def account_key(account: bytes) -> str:
    """Return an account's key in the dictionaries of blocks and states."""
    return bits_of(int.from_bytes(account, "big"), 256)
