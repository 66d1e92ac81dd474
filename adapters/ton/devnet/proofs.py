"""Proofs that clients check: what a state holds, and that a block leads to that state.

What is proved by which bag: ``lite-client/lite-client.cpp`` and ``crypto/block/check-proof.cpp``
of github.com/ton-blockchain/ton.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.ton.devnet.blocks import account_key
from adapters.ton.devnet.cells import (
    ORDINARY,
    bag_of_cells,
    merkle_proof,
    pruned,
    with_pruned,
    with_refs,
)

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from pytoniq_core import Cell

    from adapters.ton.devnet.blocks import MinedBlock

VALUE_FLOW, EXTRA = 1, 3
"""Places in a block's root: header, value flow, change of state, extra."""

QUEUE, ACCOUNTS, CUSTOM = 0, 1, 3
"""Places in a state's root: messages in transit, accounts, rest, the masterchain's own."""


@attrs.frozen(kw_only=True)
class AccountProof:
    """An account's state, empty if there is no account, and the proof that it is that."""

    state: bytes
    proof: bytes


NOTHING_PROVED = AccountProof(state=b"", proof=b"")
"""What is answered where there is no account: clients check nothing then."""


def header_proof(block: MinedBlock) -> Cell:
    """Prove a block's header and the hash of the state after it."""
    return merkle_proof(with_pruned(block.root, VALUE_FLOW, EXTRA))


def shard_proof(masterchain: MinedBlock, config: Cell) -> bytes:
    """Prove which blocks of the basechain a block of the masterchain refers to."""
    state = masterchain.state
    custom = state.refs[CUSTOM]
    kept = with_refs(custom, [pruned(ref) if ref == config else ref for ref in custom.refs])
    refs = [pruned(state.refs[QUEUE]), *state.refs[QUEUE + 1 : CUSTOM], kept]
    return bag_of_cells(header_proof(masterchain), merkle_proof(with_refs(state, refs)))


def config_proof(masterchain: MinedBlock) -> bytes:
    """Prove a block's whole configuration."""
    return bag_of_cells(merkle_proof(masterchain.state))


def account_proof(block: MinedBlock, account: bytes) -> AccountProof:
    """Prove an account after a block of the basechain."""
    key = account_key(account)
    found = block.accounts.found(key) if block.accounts else None
    if block.accounts is None or found is None or found.refs[0].begin_parse().load_bit() == 0:
        return NOTHING_PROVED
    state = found.refs[0]

    def leaf(cell: Cell) -> Cell:
        return with_refs(cell, [pruned(ref) if ref == state else ref for ref in cell.refs])

    accounts = block.state.refs[ACCOUNTS]
    path = with_refs(accounts, [block.accounts.proof(key, leaf=leaf)])
    refs = [pruned(block.state.refs[QUEUE]), path, *block.state.refs[ACCOUNTS + 1 :]]
    proof = merkle_proof(with_refs(block.state, refs))
    return AccountProof(state=bag_of_cells(state), proof=bag_of_cells(header_proof(block), proof))


def transactions_proof(block: MinedBlock) -> bytes:
    """Prove which transactions a block has, by their hashes."""
    hashes = {each.cell.hash for each in block.transactions}
    return bag_of_cells(merkle_proof(_without(block.root, hashes)))


def _without(cell: Cell, hashes: AbstractSet[bytes]) -> Cell:
    if cell.hash in hashes:
        return pruned(cell)
    if not cell.refs or cell.type_ != ORDINARY:
        return cell
    return with_refs(cell, [_without(ref, hashes) for ref in cell.refs])
