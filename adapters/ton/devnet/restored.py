"""Blocks of a store: some are at hand, others are made again when they are asked for.

So memory does not grow with the chain: a block that is made of cells takes some 35 kB, and one of
which only the store knows what it is made of takes a thousand bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Final

from pytoniq_core import Cell

from adapters.ton.devnet.blocks import (
    BASECHAIN,
    MASTERCHAIN,
    MinedBlock,
    MinedTransaction,
    account_key,
    before_genesis,
    block_id,
)
from adapters.ton.devnet.cells import Digest
from adapters.ton.devnet.hashmaps import grown, inserted, store_depth_balance
from adapters.ton.devnet.mining import basechain_block, masterchain_block
from adapters.ton.devnet.recorded import record
from adapters.ton.devnet.store import ChainUnreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.ton.devnet.blocks import BlockContent
    from adapters.ton.devnet.hashmaps import Edge
    from adapters.ton.devnet.store import ChainStore, StoredBlock, StoredTransaction

ACCOUNT_BITS = 256
CONTENTS_MAX = 512
"""Of so many blocks what they are made of is at hand."""


class RestoredBlocks:
    """Makes the blocks of a store by the functions that made them first.

    Args:
        store: The store.
        config: The chain's configuration.

    Attributes:
        store: The store.
    """

    def __init__(self, store: ChainStore, *, config: Cell) -> None:
        self.store: Final = store
        self._config: Final = config
        self._contents: Final[OrderedDict[tuple[int, int], BlockContent]] = OrderedDict()

    def masterchain(self, stored: StoredBlock) -> MinedBlock:
        """Return a block of the masterchain, with that of the basechain as its shard."""
        shard = MinedBlock(
            id=block_id(BASECHAIN, stored.seqno, stored.shard_hash),
            start_lt=stored.start_lt,
            end_lt=stored.end_lt,
            at=stored.at,
            masterchain_seqno=stored.seqno,
            digest=Digest(stored.shard_digest),
            kept=partial(self._shard_content, stored),
        )
        return MinedBlock(
            id=block_id(MASTERCHAIN, stored.seqno, stored.masterchain_hash),
            start_lt=stored.end_lt,
            end_lt=stored.end_lt + 1,
            at=stored.at,
            masterchain_seqno=stored.seqno,
            digest=Digest(stored.masterchain_digest),
            kept=partial(self._masterchain_content, stored, shard),
            shard=shard,
        )

    def append(
        self, block: MinedBlock, *, seed: bytes, waiting: Sequence[Cell]
    ) -> tuple[MinedBlock, list[MinedTransaction]]:
        """Write down a new block of the masterchain, with what it changed and what waits now.

        Returns:
            The block and its transactions as the store has them.
        """
        written, executed = record(self.store, block, seed=seed, waiting=waiting)
        self.at_hand(block, *([block.shard] if block.shard else ()))
        return self.masterchain(written), [restored(each) for each in executed]

    def at_hand(self, *blocks: MinedBlock) -> None:
        """Remember what blocks are made of, as long as others are not asked for instead."""
        for block in blocks:
            self._remember((block.id.workchain, block.id.seqno), block.content)

    def _remember(self, key: tuple[int, int], content: BlockContent) -> BlockContent:
        self._contents[key] = content
        self._contents.move_to_end(key)
        if len(self._contents) > CONTENTS_MAX:
            self._contents.popitem(last=False)
        return content

    def _accounts_after(self, seqno: int) -> Edge | None:
        """Return the accounts after a block: those after the nearest before it, and the changes.

        Who reads blocks reads them in order, so that this is mostly the block just before.
        """
        known = max(
            (at for chain, at in self._contents if chain == BASECHAIN and at < seqno), default=0
        )
        tree = self._contents[BASECHAIN, known].accounts if known else None
        if tree is None:
            leaves = [
                (account_key(each.id), Cell.one_from_boc(each.bag), each.balance)
                for each in self.store.accounts(upto=seqno)
            ]
            return grown(leaves, extra=store_depth_balance, length=ACCOUNT_BITS)
        for each in self.store.accounts(after=known, upto=seqno):
            tree = inserted(
                tree,
                key=account_key(each.id),
                value=Cell.one_from_boc(each.bag),
                total=each.balance,
                extra=store_depth_balance,
            )
        return tree

    def _shard_content(self, stored: StoredBlock) -> BlockContent:
        key = BASECHAIN, stored.seqno
        if key in self._contents:
            return self._remember(key, self._contents[key])
        before, masterchain = self._before(stored)
        made = basechain_block(
            previous=before,
            masterchain=masterchain,
            transactions=[
                restored(each, kept=Cell.one_from_boc(each.bag))
                for each in self.store.executed(stored.seqno)
            ],
            accounts=self._accounts_after(stored.seqno),
            at=stored.at,
            seed=stored.seed,
        )
        return self._remember(key, self._checked(made, stored.shard_hash))

    def _masterchain_content(self, stored: StoredBlock, shard: MinedBlock) -> BlockContent:
        key = MASTERCHAIN, stored.seqno
        if key in self._contents:
            return self._remember(key, self._contents[key])
        _, before = self._before(stored)
        made = masterchain_block(
            previous=before, shard=shard, config=self._config, at=stored.at, seed=stored.seed
        )
        return self._remember(key, self._checked(made, stored.masterchain_hash))

    def _before(self, stored: StoredBlock) -> tuple[MinedBlock, MinedBlock]:
        """Return the basechain's and the masterchain's blocks before these."""
        found = self.store.block(stored.seqno - 1)
        masterchain = self.masterchain(found) if found else before_genesis(MASTERCHAIN)
        return masterchain.shard or before_genesis(BASECHAIN), masterchain

    def _checked(self, made: MinedBlock, root_hash: bytes) -> BlockContent:
        if made.id.root_hash != root_hash:
            raise ChainUnreadable(self.store.path, f"block {made.id.seqno} was another one")
        return made.content


def restored(stored: StoredTransaction, *, kept: Cell | None = None) -> MinedTransaction:
    """Return a transaction of a store, whose cell is at hand where it is given."""
    return MinedTransaction(
        account=stored.account,
        lt=stored.lt,
        end_lt=stored.end_lt,
        fees=stored.fees,
        kept=kept or stored.bag,
    )
