"""What is written down of a block, in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.ton.devnet.blocks import account_key
from adapters.ton.devnet.messages import balance_of
from adapters.ton.devnet.store import StoredAccount, StoredBlock, StoredTransaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytoniq_core import Cell

    from adapters.ton.devnet.blocks import MinedBlock
    from adapters.ton.devnet.store import ChainStore


def record(
    store: ChainStore, block: MinedBlock, *, seed: bytes, waiting: Sequence[Cell]
) -> tuple[StoredBlock, list[StoredTransaction]]:
    """Write a block down, with all that it changed, and return what was written.

    Args:
        store: Where to.
        block: Of the masterchain; the basechain's goes with it.
        seed: The chance that both were made with.
        waiting: What is executed next.
    """
    shard = block.shard
    if shard is None:
        raise ValueError("not a block of the masterchain")
    written = StoredBlock(
        seqno=block.id.seqno,
        at=block.at,
        start_lt=shard.start_lt,
        end_lt=shard.end_lt,
        seed=seed,
        shard_hash=shard.id.root_hash,
        shard_digest=shard.digest.stored,
        masterchain_hash=block.id.root_hash,
        masterchain_digest=block.digest.stored,
    )
    executed = [
        StoredTransaction(
            lt=each.lt,
            end_lt=each.end_lt,
            account=each.account,
            fees=each.fees,
            seqno=shard.id.seqno,
            shard_hash=shard.id.root_hash,
            bag=each.cell.to_boc(),
        )
        for each in shard.transactions
    ]
    bags = [each.to_boc() for each in waiting]
    store.append(written, executed=executed, accounts=_changed(shard), waiting=bags)
    return written, executed


def _changed(shard: MinedBlock) -> Iterator[StoredAccount]:
    for account in {each.account for each in shard.transactions}:
        found = shard.accounts.found(account_key(account)) if shard.accounts else None
        if found is not None:
            yield StoredAccount(
                id=account,
                seqno=shard.id.seqno,
                balance=balance_of(found),
                bag=found.to_boc(),
            )
