"""Blocks and transactions, as the chain keeps them.

What is told of them often is at hand; their cells may be in a store, and are made when asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import attrs
from pytoniq_core import BlockIdExt, Cell, begin_cell

from adapters.ton.devnet.cells import Digest
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
        fees: Nanotons.
        kept: TL-B ``Transaction``, or the bag that holds it.
    """

    account: bytes
    lt: int
    end_lt: int
    fees: int
    kept: Cell | bytes

    @property
    def cell(self) -> Cell:
        """TL-B ``Transaction``; made each time from what is kept as a bag."""
        return Cell.one_from_boc(self.kept) if isinstance(self.kept, bytes) else self.kept

    @property
    def messages(self) -> tuple[Cell, ...]:
        """What it sent, in order (TL-B ``Message``)."""
        messages = self.cell.refs[0].begin_parse()
        messages.load_maybe_ref()
        sent = messages.load_dict(15, value_deserializer=lambda leaf: leaf.load_ref()) or {}
        return tuple(sent[index] for index in sorted(sent))


@attrs.frozen(kw_only=True, eq=False)
class BlockContent:
    """What a block is made of, and what is so after it.

    Attributes:
        root: TL-B ``Block``.
        state: TL-B ``ShardStateUnsplit`` after it.
        transactions: What it executed.
        accounts: The accounts after it, by their ids; None if there are none.
        shard_hashes: How the masterchain's state tells of the basechain's newest block (TL-B
            ``ShardHashes``).
    """

    root: Cell
    state: Cell
    transactions: tuple[MinedTransaction, ...] = ()
    accounts: Edge | None = None
    shard_hashes: Cell | None = None


@attrs.frozen(kw_only=True, eq=False)
class MinedBlock:
    """A block of the masterchain or of the basechain.

    Attributes:
        id: Its id. The file hash is made up: no file is ever hashed.
        start_lt: Its first logical time.
        end_lt: Its last logical time.
        at: Unix time, seconds.
        masterchain_seqno: The masterchain block that it is final with, or is.
        digest: What the next block tells of the state after this one.
        kept: What it is made of, or what makes that again.
        shard: The basechain's newest block, in a block of the masterchain.
    """

    id: BlockIdExt
    start_lt: int
    end_lt: int
    at: int
    masterchain_seqno: int
    digest: Digest
    kept: BlockContent | Callable[[], BlockContent]
    shard: MinedBlock | None = None

    @property
    def content(self) -> BlockContent:
        """What it is made of.

        Raises:
            ChainUnreadable: The store does not hold that any more.
        """
        return self.kept if isinstance(self.kept, BlockContent) else self.kept()

    @property
    def root(self) -> Cell:
        """TL-B ``Block``."""
        return self.content.root

    @property
    def state(self) -> Cell:
        """TL-B ``ShardStateUnsplit`` after it."""
        return self.content.state

    @property
    def transactions(self) -> tuple[MinedTransaction, ...]:
        """What it executed."""
        return self.content.transactions

    @property
    def accounts(self) -> Edge | None:
        """The accounts after it, by their ids; None if there are none."""
        return self.content.accounts

    @property
    def shard_hashes(self) -> Cell | None:
        """How the masterchain's state tells of `shard` (TL-B ``ShardHashes``)."""
        return self.content.shard_hashes


def block_id(workchain: int, seqno: int, root_hash: bytes) -> BlockIdExt:
    """Return a block's id; its file hash follows from its root's."""
    file_hash = hashlib.sha256(b"file of " + root_hash).digest()
    return BlockIdExt(workchain, WHOLE_SHARD, seqno, root_hash, file_hash)


def before_genesis(workchain: int) -> MinedBlock:
    """Return what stands before the first block of a workchain."""
    nothing = begin_cell().store_uint(0, 8).end_cell()
    return MinedBlock(
        id=BlockIdExt(workchain, WHOLE_SHARD, 0, NO_HASH, NO_HASH),
        start_lt=0,
        end_lt=0,
        at=0,
        masterchain_seqno=0,
        digest=Digest.of(nothing),
        kept=BlockContent(root=nothing, state=nothing),
    )


def account_key(account: bytes) -> str:
    """Return an account's key in the dictionaries of blocks and states."""
    return bits_of(int.from_bytes(account, "big"), 256)
