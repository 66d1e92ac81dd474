"""The chain's configuration, from named figures.

Layouts: ``crypto/block/block.tlb`` of github.com/ton-blockchain/ton. Figures: those of the mainnet
until April 2026, as docs.ton.org/v3/documentation/smart-contracts/limits lists them; validators
have voted lower prices since, so what is affordable here is affordable there. Prices are in
nanotons; a price per gas, bit or cell is stored times 2**16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from pytoniq_core import Builder, HashMap

if TYPE_CHECKING:
    from pytoniq_core import Cell

GLOBAL_ID = -217
"""The id of networks on one's own machine, as MyLocalTon has it (mainnet -239, testnet -3)."""

GLOBAL_VERSION = 8
"""The rules of TVM, as ``doc/GlobalVersions.md`` numbers them; the emulator is of August 2024."""

CAPABILITIES = 0x1EE
"""Short hashes of messages, bounced bodies, and what else the mainnet reports."""

CONFIG_ADDRESS = b"\x55" * 32
ELECTOR_ADDRESS = b"\x33" * 32
MINTER_ADDRESS = bytes(32)

FIXED_POINT = 1 << 16


@attrs.frozen(kw_only=True)
class StoragePrices:
    """Parameter 18: nanotons per 2**16 seconds for a bit and for a cell of an account."""

    bit: int = 1
    cell: int = 500
    masterchain_bit: int = 1_000
    masterchain_cell: int = 500_000

    def stored(self) -> Cell:
        """Return TL-B ``StoragePrices``, in force since the beginning of time."""
        builder = Builder()
        builder.store_uint(0xCC, 8).store_uint(0, 32)
        for price in (self.bit, self.cell, self.masterchain_bit, self.masterchain_cell):
            builder.store_uint(price, 64)
        return builder.end_cell()


@attrs.frozen(kw_only=True)
class GasPrices:
    """Parameters 20 and 21: what gas costs in the masterchain and in the basechain.

    Attributes:
        flat_limit: Gas that costs `flat_price` however little of it is used.
        flat_price: Nanotons for that.
        price: Nanotons for each gas beyond.
        limit: Most gas of one transaction.
        special_limit: Most gas of a special account's transaction.
        credit: Gas that an external message may use before it is accepted.
        block_limit: Most gas in a block.
        freeze_due_limit: Nanotons of unpaid storage that freeze an account.
        delete_due_limit: Nanotons of unpaid storage that delete it.
    """

    flat_limit: int = 100
    flat_price: int
    price: int
    limit: int = 1_000_000
    special_limit: int
    credit: int = 10_000
    block_limit: int
    freeze_due_limit: int = 100_000_000
    delete_due_limit: int = 1_000_000_000

    def stored(self) -> Cell:
        """Return TL-B ``GasLimitsPrices`` (``gas_flat_pfx`` with ``gas_prices_ext``)."""
        builder = Builder()
        builder.store_uint(0xD1, 8).store_uint(self.flat_limit, 64).store_uint(self.flat_price, 64)
        builder.store_uint(0xDE, 8)
        for figure in (
            self.price * FIXED_POINT,
            self.limit,
            self.special_limit,
            self.credit,
            self.block_limit,
            self.freeze_due_limit,
            self.delete_due_limit,
        ):
            builder.store_uint(figure, 64)
        return builder.end_cell()


@attrs.frozen(kw_only=True)
class ForwardPrices:
    """Parameters 24 and 25: what a message costs in the masterchain and in the basechain.

    Attributes:
        lump: Nanotons for a message, its root cell included.
        bit: Nanotons for each bit beyond.
        cell: Nanotons for each cell beyond.
        first_fraction: The share that the first validators get, of 2**16.
    """

    lump: int
    bit: int
    cell: int
    first_fraction: int = 21_845

    def stored(self) -> Cell:
        """Return TL-B ``MsgForwardPrices``."""
        builder = Builder()
        builder.store_uint(0xEA, 8).store_uint(self.lump, 64)
        builder.store_uint(self.bit * FIXED_POINT, 64).store_uint(self.cell * FIXED_POINT, 64)
        builder.store_uint(3 * FIXED_POINT // 2, 32)  # Instant routing, which nothing uses.
        builder.store_uint(self.first_fraction, 16).store_uint(self.first_fraction, 16)
        return builder.end_cell()


@attrs.frozen(kw_only=True)
class ChainParameters:
    """All that this chain's configuration says; the defaults are the mainnet's old figures."""

    storage: StoragePrices = StoragePrices()
    masterchain_gas: GasPrices = GasPrices(
        flat_price=1_000_000, price=10_000, special_limit=70_000_000, block_limit=2_500_000
    )
    gas: GasPrices = GasPrices(
        flat_price=40_000, price=400, special_limit=1_000_000, block_limit=10_000_000
    )
    masterchain_forward: ForwardPrices = ForwardPrices(lump=10_000_000, bit=10_000, cell=1_000_000)
    forward: ForwardPrices = ForwardPrices(lump=400_000, bit=400, cell=40_000)

    def stored(self) -> Cell:
        """Return the dictionary of parameters (TL-B ``Hashmap 32 ^Cell``)."""
        parameters = {
            0: _bytes(CONFIG_ADDRESS),
            1: _bytes(ELECTOR_ADDRESS),
            2: _bytes(MINTER_ADDRESS),
            8: _global_version(),
            12: _workchains(),
            18: _dictionary({0: self.storage.stored()}, in_references=False),
            19: _bytes(GLOBAL_ID.to_bytes(4, "big", signed=True)),
            20: self.masterchain_gas.stored(),
            21: self.gas.stored(),
            24: self.masterchain_forward.stored(),
            25: self.forward.stored(),
            31: _no_special_accounts(),
        }
        return _dictionary(parameters, in_references=True)


def _bytes(content: bytes) -> Cell:
    builder = Builder()
    builder.store_bytes(content)
    return builder.end_cell()


def _global_version() -> Cell:
    """Return TL-B ``GlobalVersion`` (parameter 8)."""
    builder = Builder()
    builder.store_uint(0xC4, 8).store_uint(GLOBAL_VERSION, 32).store_uint(CAPABILITIES, 64)
    return builder.end_cell()


def _basechain() -> Cell:
    """Return TL-B ``WorkchainDescr`` of the basechain, which is never split."""
    builder = Builder()
    builder.store_uint(0xA6, 8).store_uint(0, 32)
    builder.store_uint(0, 8).store_uint(0, 8).store_uint(0, 8)  # Depths of its splits.
    builder.store_bit_int(1).store_bit_int(1).store_bit_int(1).store_uint(0, 13)
    builder.store_bytes(bytes(32)).store_bytes(bytes(32)).store_uint(0, 32)
    builder.store_uint(1, 4).store_int(-1, 32).store_uint(0, 64)
    return builder.end_cell()


def _workchains() -> Cell:
    """Return the dictionary of workchains, which is the basechain's alone (parameter 12)."""
    builder = Builder()
    builder.store_maybe_ref(_dictionary({0: _basechain()}, in_references=False))
    return builder.end_cell()


def _no_special_accounts() -> Cell:
    """Return an empty dictionary (parameter 31)."""
    builder = Builder()
    builder.store_bit_int(0)
    return builder.end_cell()


def _dictionary(values: dict[int, Cell], *, in_references: bool) -> Cell:
    """Return TL-B ``Hashmap 32`` of cells, each within its leaf or behind a reference."""

    def store(value: Cell, leaf: Builder) -> None:
        leaf.store_ref(value) if in_references else leaf.store_cell(value)

    tree = HashMap(32, value_serializer=store)
    tree.map = values
    cell = tree.serialize()
    if cell is None:
        raise ValueError("an empty dictionary has no cell")
    return cell
