"""Blocks and the states after them, as cells that prove what they hold.

Layouts: ``crypto/block/block.tlb`` of github.com/ton-blockchain/ton. What only validators need
(message queues, descriptors of messages, fees in transit) is empty; what a client checks is real.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytoniq_core import Builder, HashMap, begin_cell

from adapters.ton.devnet.blocks import BASECHAIN, NO_HASH, account_key
from adapters.ton.devnet.cells import Digest, merkle_update
from adapters.ton.devnet.hashmaps import (
    bits_of,
    inserted,
    store_currencies,
    store_depth_balance,
    stored,
)
from adapters.ton.devnet.parameters import CONFIG_ADDRESS, GLOBAL_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytoniq_core import Cell

    from adapters.ton.devnet.blocks import MinedBlock, MinedTransaction
    from adapters.ton.devnet.hashmaps import Edge


def state_cell(
    *,
    workchain: int,
    seqno: int,
    at: int,
    lt: int,
    accounts: Edge | None,
    masterchain: MinedBlock | None,
    custom: Cell | None,
) -> Cell:
    """Return TL-B ``ShardStateUnsplit``."""
    rest = Builder()
    rest.store_uint(0, 64).store_uint(0, 64)  # Overload and underload history.
    store_currencies(rest, 0)
    store_currencies(rest, 0)
    rest.store_bit_int(0)  # Libraries, which liteservers answer for.
    if masterchain is None:
        rest.store_bit_int(0)
    else:
        rest.store_bit_int(1)
        _store_reference(rest, masterchain)
    messages_in_transit = begin_cell().store_uint(0, 200).end_cell()
    builder = Builder()
    builder.store_uint(0x9023AFE2, 32).store_int(GLOBAL_ID, 32)
    _store_shard(builder, workchain)
    builder.store_uint(seqno, 32).store_uint(0, 32)
    builder.store_uint(at, 32).store_uint(lt, 64).store_uint(0, 32)
    builder.store_ref(messages_in_transit).store_bit_int(0)
    builder.store_ref(stored(accounts, store_depth_balance)).store_ref(rest.end_cell())
    builder.store_maybe_ref(custom)
    return builder.end_cell()


def header_cell(
    *,
    workchain: int,
    seqno: int,
    at: int,
    start: int,
    end: int,
    previous: MinedBlock,
    masterchain: MinedBlock | None,
) -> Cell:
    """Return TL-B ``BlockInfo``."""
    builder = Builder()
    builder.store_uint(0x9BC7A987, 32).store_uint(0, 32)
    builder.store_bit_int(int(masterchain is not None))
    builder.store_uint(0, 7).store_uint(0, 8)  # Neither merged nor split, no key block.
    builder.store_uint(seqno, 32).store_uint(0, 32)
    _store_shard(builder, workchain)
    builder.store_uint(at, 32).store_uint(start, 64).store_uint(end, 64)
    builder.store_uint(0, 32).store_uint(0, 32).store_uint(0, 32).store_uint(0, 32)
    for referred in (masterchain, previous):
        if referred is not None:
            reference = Builder()
            _store_reference(reference, referred)
            builder.store_ref(reference.end_cell())
    return builder.end_cell()


def block_cell(
    *,
    header: Cell,
    before: Digest,
    state: Cell,
    transactions: Sequence[MinedTransaction],
    seed: bytes,
) -> Cell:
    """Return TL-B ``Block``; its seed is 32 bytes of chance."""
    flows, flow = Builder(), Builder()
    for _ in range(4):
        store_currencies(flows, 0)
    flow.store_uint(0xB8E48DFB, 32).store_ref(flows.end_cell())
    store_currencies(flow, 0)
    flow.store_ref(flows.end_cell())
    no_messages = begin_cell().store_bit_int(0).store_uint(0, 16).end_cell()
    accounts = stored(_account_blocks(transactions), store_currencies)
    extra = Builder()
    extra.store_uint(0x4A33F6FD, 32).store_ref(no_messages).store_ref(no_messages)
    extra.store_ref(accounts).store_bytes(seed).store_bytes(NO_HASH)
    extra.store_bit_int(0)
    builder = Builder()
    builder.store_uint(0x11EF55AA, 32).store_int(GLOBAL_ID, 32)
    builder.store_ref(header).store_ref(flow.end_cell())
    builder.store_ref(merkle_update(before, Digest.of(state))).store_ref(extra.end_cell())
    return builder.end_cell()


def _account_blocks(transactions: Sequence[MinedTransaction]) -> Edge | None:
    """Return TL-B ``ShardAccountBlocks``: an account's transactions, by accounts."""
    by_account: dict[bytes, Edge] = {}
    for each in transactions:
        by_account[each.account] = inserted(
            by_account.get(each.account),
            key=bits_of(each.lt, 64),
            value=begin_cell().store_ref(each.cell).end_cell(),
            total=each.fees,
            extra=store_currencies,
        )
    unknown_update = begin_cell().store_uint(0x72, 8).store_bytes(NO_HASH).store_bytes(NO_HASH)
    tree: Edge | None = None
    for account, edge in by_account.items():
        builder = begin_cell().store_uint(5, 4).store_bytes(account).store_cell(edge.cell)
        tree = inserted(
            tree,
            key=account_key(account),
            value=builder.store_ref(unknown_update.end_cell()).end_cell(),
            total=edge.total,
            extra=store_currencies,
        )
    return tree


def shard_hashes_cell(shard: MinedBlock, *, masterchain_seqno: int) -> Cell:
    """Return TL-B ``ShardHashes`` with the basechain's only shard."""
    leaf = Builder()
    leaf.store_bit_int(0).store_uint(0xB, 4)
    leaf.store_uint(shard.id.seqno, 32).store_uint(masterchain_seqno, 32)
    leaf.store_uint(shard.start_lt, 64).store_uint(shard.end_lt, 64)
    leaf.store_bytes(shard.id.root_hash).store_bytes(shard.id.file_hash)
    leaf.store_uint(0, 8).store_uint(1, 32).store_uint(1 << 63, 64).store_uint(0, 32)
    leaf.store_uint(shard.at, 32).store_bit_int(0)
    store_currencies(leaf, 0)
    store_currencies(leaf, 0)

    def store(value: Cell, into: Builder) -> None:
        into.store_ref(value)

    tree = HashMap(32, value_serializer=store)
    tree.map = {BASECHAIN: leaf.end_cell()}
    builder = Builder()
    builder.store_maybe_ref(tree.serialize())
    return builder.end_cell()


def masterchain_cell(hashes: Cell, config: Cell) -> Cell:
    """Return TL-B ``McStateExtra``."""
    rest = Builder()
    rest.store_uint(0, 16).store_uint(0, 32).store_uint(1, 32).store_bit_int(0)
    rest.store_bit_int(0).store_bit_int(0).store_uint(0, 64)  # No older blocks are listed.
    rest.store_bit_int(0).store_bit_int(0)
    builder = Builder()
    builder.store_uint(0xCC26, 16).store_cell(hashes)
    builder.store_bytes(CONFIG_ADDRESS).store_ref(config).store_ref(rest.end_cell())
    return store_currencies(builder, 0).end_cell()


def _store_reference(builder: Builder, block: MinedBlock) -> None:
    """Store TL-B ``ExtBlkRef``."""
    builder.store_uint(block.end_lt, 64).store_uint(block.id.seqno, 32)
    builder.store_bytes(block.id.root_hash).store_bytes(block.id.file_hash)


def _store_shard(builder: Builder, workchain: int) -> None:
    """Store TL-B ``ShardIdent`` of a whole workchain."""
    builder.store_uint(0, 2).store_uint(0, 6).store_int(workchain, 32).store_uint(0, 64)
