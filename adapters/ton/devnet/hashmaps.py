"""Augmented dictionaries that remember: each insertion is a new tree that shares the old parts.

Layout: TL-B ``HashmapAug`` and ``HmLabel`` in ``crypto/block/block.tlb`` of
github.com/ton-blockchain/ton. The extra of a node is made from a sum of nanotons.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pytoniq_core import Builder

from adapters.ton.devnet.cells import pruned, with_refs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytoniq_core import Cell

Extra = Callable[[Builder, int], Builder]
"""Stores the extra of a node that holds this many nanotons."""


def store_currencies(builder: Builder, nanotons: int) -> Builder:
    """Store TL-B ``CurrencyCollection`` without extra currencies."""
    builder.store_coins(nanotons).store_bit_int(0)
    return builder


def store_depth_balance(builder: Builder, nanotons: int) -> Builder:
    """Store TL-B ``DepthBalanceInfo`` without a split depth."""
    builder.store_uint(0, 5)
    return store_currencies(builder, nanotons)


class Edge:
    """A tree of values by keys of equal length; never changed once made.

    Attributes:
        label: The bits that all keys below here go on with, as text of 0 and 1.
        value: The leaf's value, None at a fork.
        total: Nanotons of all leaves below here.
        cell: The tree as a cell.
    """

    __slots__ = ("cell", "extra", "forks", "label", "length", "total", "value")

    def __init__(
        self,
        *,
        label: str,
        length: int,
        extra: Extra,
        value: Cell | None = None,
        total: int = 0,
        forks: tuple[Edge, Edge] | None = None,
    ) -> None:
        self.label: Final = label
        self.length: Final = length
        self.extra: Final = extra
        self.value: Final = value
        self.forks: Final = forks
        self.total: Final[int] = sum(each.total for each in forks) if forks else total
        builder = _with_label(label, length)
        for each in forks or ():
            builder.store_ref(each.cell)
        extra(builder, self.total)
        if value is not None:
            builder.store_cell(value)
        self.cell: Final[Cell] = builder.end_cell()

    def found(self, key: str) -> Cell | None:
        """Return a key's value."""
        edge = self
        while key.startswith(edge.label):
            key = key[len(edge.label) :]
            if edge.forks is None:
                return edge.value
            edge, key = edge.forks[int(key[0])], key[1:]
        return None

    def proof(self, key: str, *, leaf: Callable[[Cell], Cell]) -> Cell:
        """Return the tree with all pruned that is not on the path to a key that it has.

        Args:
            key: The key.
            leaf: What remains of the leaf's cell.
        """
        if self.forks is None:
            return leaf(self.cell)
        rest = key[len(self.label) :]
        taken = int(rest[0])
        refs = [
            each.proof(rest[1:], leaf=leaf) if side == taken else pruned(each.cell)
            for side, each in enumerate(self.forks)
        ]
        return with_refs(self.cell, refs)


def inserted(
    edge: Edge | None, *, key: str, value: Cell, total: int, extra: Extra, length: int = 0
) -> Edge:
    """Return the tree with a value at a key, in place of what was there.

    Args:
        edge: The tree so far, None if empty.
        key: The key as text of 0 and 1.
        value: What the leaf holds after its extra.
        total: Nanotons that the value counts for.
        extra: How a sum is stored.
        length: Bits of a key from here, the key's own length at the root.
    """
    length = length or len(key)
    if edge is None:
        return Edge(label=key, length=length, extra=extra, value=value, total=total)
    shared = _shared(edge.label, key)
    below = length - shared - 1
    if shared < len(edge.label):
        label = edge.label[shared + 1 :]
        old = Edge(
            label=label,
            length=below,
            extra=extra,
            value=edge.value,
            total=edge.total,
            forks=edge.forks,
        )
        new = Edge(label=key[shared + 1 :], length=below, extra=extra, value=value, total=total)
        forks = (new, old) if key[shared] == "0" else (old, new)
        return Edge(label=key[:shared], length=length, extra=extra, forks=forks)
    if edge.forks is None:
        return Edge(label=key, length=length, extra=extra, value=value, total=total)
    side = int(key[shared])
    changed = inserted(
        edge.forks[side],
        key=key[shared + 1 :],
        value=value,
        total=total,
        extra=extra,
        length=below,
    )
    forks = (changed, edge.forks[1]) if side == 0 else (edge.forks[0], changed)
    return Edge(label=edge.label, length=length, extra=extra, forks=forks)


def grown(leaves: Sequence[tuple[str, Cell, int]], *, extra: Extra, length: int) -> Edge | None:
    """Return the tree of many values, the same that inserting them one by one gives.

    Args:
        leaves: Key, value and nanotons of each, sorted by keys; no key twice.
        extra: How a sum is stored.
        length: Bits of a key.
    """
    if not leaves:
        return None
    first, last = leaves[0], leaves[-1]
    if len(leaves) == 1:
        key, value, total = first
        return Edge(label=key, length=length, extra=extra, value=value, total=total)
    shared = _shared(first[0], last[0])
    fork = bisect_left(leaves, "1", key=lambda leaf: leaf[0][shared])
    sides = [
        grown(
            [(key[shared + 1 :], value, total) for key, value, total in side],
            extra=extra,
            length=length - shared - 1,
        )
        for side in (leaves[:fork], leaves[fork:])
    ]
    label = first[0][:shared]
    forks = tuple(each for each in sides if each is not None)
    return Edge(label=label, length=length, extra=extra, forks=(forks[0], forks[1]))


def stored(edge: Edge | None, extra: Extra) -> Cell:
    """Return TL-B ``HashmapAugE``: a bit, the tree unless it is empty, and its extra."""
    builder = Builder()
    builder.store_maybe_ref(edge.cell if edge else None)
    return extra(builder, edge.total if edge else 0).end_cell()


def bits_of(number: int, length: int) -> str:
    """Return an unsigned number as a key."""
    return f"{number:0{length}b}"


def _shared(one: str, other: str) -> int:
    """Return how many bits two keys begin with in common."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _with_label(label: str, length: int) -> Builder:
    """Begin a cell with the shortest of the three forms of a label of at most `length` bits."""
    size = length.bit_length()
    short, long = 2 * len(label) + 2, 2 + size + len(label)
    same = 3 + size if label and len(set(label)) == 1 else None
    best = min(each for each in (short, long, same) if each is not None)
    builder = Builder()
    if best == short:
        builder.store_bits("0" + "1" * len(label) + "0" + label)
    elif best == long:
        builder.store_bits("10").store_uint(len(label), size).store_bits(label)
    else:
        builder.store_bits("11" + label[0]).store_uint(len(label), size)
    return builder
