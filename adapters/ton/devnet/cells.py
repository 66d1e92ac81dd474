"""Cells that a block, a proof and an answer are made of.

Layouts of exotic cells and of bags: "TVM" 3.1.5 to 3.1.7, and ``crypto/tl/boc.tlb`` of
github.com/ton-blockchain/ton.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import attrs
from bitarray import bitarray
from pytoniq_core import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDINARY, PRUNED_BRANCH, MERKLE_PROOF, MERKLE_UPDATE = -1, 1, 3, 4
"""Types of cells; the exotic ones are also the first byte of such a cell."""

BAG_MAGIC = bytes.fromhex("b5ee9c72")


@attrs.frozen
class Digest:
    """A cell's hash and depth, which are all that proofs and changes tell of what they leave out.

    Attributes:
        stored: The hash, 32 bytes, and the depth, 2 bytes.
    """

    stored: bytes

    @classmethod
    def of(cls, cell: Cell) -> Self:
        """Return a cell's digest."""
        return cls(cell.get_hash(0) + _depth(cell))

    def pruned(self) -> Cell:
        """Return the branch that stands for the cell."""
        return _exotic(PRUNED_BRANCH, bytes([PRUNED_BRANCH, 1]), self.stored)


def pruned(cell: Cell) -> Cell:
    """Return what stands for a cell in a proof: its hash and depth."""
    return Digest.of(cell).pruned()


def merkle_proof(cell: Cell) -> Cell:
    """Return the proof that a cell, some of which is pruned, has its hash."""
    return _exotic(
        MERKLE_PROOF, bytes([MERKLE_PROOF]), cell.get_hash(0), _depth(cell), refs=[cell]
    )


def merkle_update(old: Digest, new: Digest) -> Cell:
    """Return the change of one state into another, told by nothing but their hashes."""
    hashes, depths = (old.stored[:32], new.stored[:32]), (old.stored[32:], new.stored[32:])
    refs = [old.pruned(), new.pruned()]
    return _exotic(MERKLE_UPDATE, bytes([MERKLE_UPDATE]), *hashes, *depths, refs=refs)


def with_refs(cell: Cell, refs: Sequence[Cell]) -> Cell:
    """Return an ordinary cell with the same bits and other references."""
    return Cell(cell.bits, list(refs), ORDINARY)


def with_pruned(cell: Cell, *places: int) -> Cell:
    """Return an ordinary cell whose references at these places are pruned."""
    refs = [pruned(ref) if place in places else ref for place, ref in enumerate(cell.refs)]
    return with_refs(cell, refs)


def bag_of_cells(*roots: Cell) -> bytes:
    """Serialize cells with several roots into one bag; pytoniq-core writes but one root."""
    order = _parents_first(roots)
    places = {cell.hash: place for place, cell in enumerate(order)}
    size = max(1, (len(order).bit_length() + 7) // 8)
    body = bytearray()
    for cell in order:
        body += cell._descriptors + cell._data_bytes
        for ref in cell.refs:
            body += places[ref.hash].to_bytes(size, "big")
    offset_size = max(1, (len(body).bit_length() + 7) // 8)
    counts = [len(order), len(roots), 0]
    return b"".join(
        [
            BAG_MAGIC,
            bytes([size, offset_size]),
            *(count.to_bytes(size, "big") for count in counts),
            len(body).to_bytes(offset_size, "big"),
            *(places[root.hash].to_bytes(size, "big") for root in roots),
            body,
        ]
    )


def _parents_first(roots: Sequence[Cell]) -> list[Cell]:
    """Return every cell once, before all that it refers to."""
    seen: set[bytes] = set()
    done: list[Cell] = []
    waiting = [(root, False) for root in roots]
    while waiting:
        cell, expanded = waiting.pop()
        if expanded:
            done.append(cell)
        elif cell.hash not in seen:
            seen.add(cell.hash)
            waiting.append((cell, True))
            waiting.extend((ref, False) for ref in cell.refs)
    done.reverse()
    return done


def _depth(cell: Cell) -> bytes:
    return int(cell.get_depth(0)).to_bytes(2, "big")


def _exotic(kind: int, *parts: bytes, refs: Sequence[Cell] = ()) -> Cell:
    bits = bitarray()
    bits.frombytes(b"".join(parts))
    return Cell(bits, list(refs), kind)
