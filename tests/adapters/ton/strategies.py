"""Values of TON as hypothesis makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import Writer
from adapters.ton.internal import InternalMessage

if TYPE_CHECKING:
    from pytoniq_core import Cell

KEY = bytes(range(32))
"""A devnet key's seed: worth nothing anywhere."""

addresses = st.builds(TonAddress, st.just(0), st.binary(min_size=32, max_size=32))
coins = st.integers(0, (1 << 120) - 1)
query_ids = st.integers(0, (1 << 64) - 1)


def _cell(bits: str, references: list[Cell]) -> Cell:
    writer = Writer().bits(bits)
    for reference in references:
        writer.reference(reference)
    return writer.end()


_bits = st.text("01", max_size=300)
cells = st.recursive(
    st.builds(_cell, _bits, st.just([])),
    lambda inner: st.builds(_cell, _bits, st.lists(inner, max_size=4)),
    max_leaves=6,
)
messages = st.builds(
    InternalMessage,
    destination=addresses,
    value=st.integers(0, 10**18),
    bounce=st.booleans(),
    body=cells,
)
