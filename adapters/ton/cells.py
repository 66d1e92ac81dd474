"""Writing cells, reading those that a stranger made, and measuring them.

The library's slices raise whatever comes where a cell ends too early, assertions included, and its
``preload`` methods read on past the end without a word; `Reader` knows one refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

import attrs
from pytoniq_core import begin_cell

from adapters.ton.addresses import ACCOUNT_BYTES, BASECHAIN, MASTERCHAIN, TonAddress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytoniq_core import Builder, Cell, Slice

COINS_MAX: Final = (1 << 120) - 1
"""``Coins`` is ``VarUInteger 16``: at most fifteen bytes."""

_COINS_LENGTH_BITS: Final = 4
_NOBODY, _STANDARD = 0b00, 0b10
"""``addr_none$00``; ``addr_std$10``, whose next bit announces ``anycast``: no account has one."""
_WORKCHAINS: Final = {0x00: BASECHAIN, 0xFF: MASTERCHAIN}
"""As eight bits, signed, are read without their sign."""


class MalformedCell(ValueError):
    """The cell is not laid out as is expected of it."""


class Reader:
    """A cell's bits and references, read once from left to right."""

    def __init__(self, cell: Cell) -> None:
        """Begin at a cell's first bit.

        Raises:
            MalformedCell: it is exotic: a library's name or a proof, no content.
        """
        if cell.is_exotic:
            raise MalformedCell("an exotic cell")
        self._slice: Slice = cell.begin_parse()

    @property
    def bits_left(self) -> int:
        """How many bits were not read yet."""
        count: int = self._slice.remaining_bits
        return count

    @property
    def references_left(self) -> int:
        """How many references were not read yet."""
        count: int = self._slice.remaining_refs
        return count

    def uint(self, bits: int) -> int:
        """Read an unsigned number of 1 to 256 bits.

        Raises:
            MalformedCell: so many are not left; so do all methods.
        """
        self._need(bits)
        number: int = self._slice.load_uint(bits)
        return number

    def skip(self, bits: int) -> None:
        """Pass over some bits."""
        self._need(bits)
        self._slice.skip_bits(bits)

    def flag(self) -> bool:
        """Read one bit."""
        return bool(self.uint(1))

    def octets(self, count: int) -> bytes:
        """Read whole bytes."""
        self._need(8 * count)
        return self._slice.load_bytes(count)

    def coins(self) -> int:
        """Read ``Coins``."""
        octets = self.uint(_COINS_LENGTH_BITS)
        return self.uint(8 * octets) if octets else 0

    def address(self) -> TonAddress | None:
        """Read ``MsgAddress``: an account of a workchain that exists, or nobody."""
        tag = self.uint(2)
        if tag == _NOBODY:
            return None
        if tag != _STANDARD or self.flag():
            raise MalformedCell("an address of no account")
        workchain, account = self.uint(8), self.octets(ACCOUNT_BYTES)
        if workchain not in _WORKCHAINS:
            raise MalformedCell(f"an account of workchain {workchain}")
        return TonAddress(_WORKCHAINS[workchain], account)

    def reference(self) -> Cell:
        """Read a reference."""
        if not self._slice.remaining_refs:
            raise MalformedCell("a reference is missing")
        return self._slice.load_ref()

    def maybe_reference(self) -> Cell | None:
        """Read ``Maybe ^Cell``."""
        return self.reference() if self.flag() else None

    def rest(self) -> Cell:
        """Return what was not read as a cell of its own."""
        rest: Cell = self._slice.to_cell()
        return rest

    def end(self) -> None:
        """Insist that all was read."""
        if self.bits_left or self.references_left:
            raise MalformedCell("more than was expected")

    def _need(self, bits: int) -> None:
        if self._slice.remaining_bits < bits:
            raise MalformedCell(f"{bits} bits expected, {self._slice.remaining_bits} are left")


class Writer:
    """A cell to be: each method appends to it and returns it."""

    def __init__(self) -> None:
        self._builder: Builder = begin_cell()

    def bits(self, bits: str) -> Self:
        """Append bits written as ``0`` and ``1``."""
        self._builder.store_bits(bits)
        return self

    def uint(self, number: int, bits: int) -> Self:
        """Append an unsigned number.

        Raises:
            OverflowError: it needs more bits, or is negative.
        """
        self._builder.store_uint(number, bits)
        return self

    def octets(self, octets: bytes) -> Self:
        """Append whole bytes."""
        self._builder.store_bytes(octets)
        return self

    def snake(self, octets: bytes) -> Self:
        """Append bytes, what does not fit in a cell by reference, and so on."""
        self._builder.store_snake_bytes(octets)
        return self

    def coins(self, amount: int) -> Self:
        """Append ``Coins``."""
        self._builder.store_coins(amount)
        return self

    def address(self, address: TonAddress | None) -> Self:
        """Append ``MsgAddress``: an account, or nobody."""
        self._builder.store_address(None if address is None else address.to_pytoniq())
        return self

    def reference(self, cell: Cell) -> Self:
        """Append a reference."""
        self._builder.store_ref(cell)
        return self

    def maybe_reference(self, cell: Cell | None) -> Self:
        """Append ``Maybe ^Cell``."""
        return self.bits("0") if cell is None else self.bits("1").reference(cell)

    def contents(self, cell: Cell) -> Self:
        """Append another cell's bits and references."""
        self._builder.store_cell(cell)
        return self

    def end(self) -> Cell:
        """Return the cell."""
        cell: Cell = self._builder.end_cell()
        return cell


@attrs.frozen
class CellSize:
    """What forwarding and storage are charged by."""

    cells: int
    bits: int

    @classmethod
    def of(cls, roots: Iterable[Cell]) -> CellSize:
        """Count the different cells under some roots, roots included."""
        seen: dict[bytes, int] = {}
        waiting = list(roots)
        while waiting:
            cell = waiting.pop()
            if cell.hash not in seen:
                seen[cell.hash] = len(cell.bits)
                waiting.extend(cell.refs)
        return cls(len(seen), sum(seen.values()))

    def __add__(self, other: CellSize) -> CellSize:
        return CellSize(self.cells + other.cells, self.bits + other.bits)
