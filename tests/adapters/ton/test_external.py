from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import Cell, begin_cell
from pytoniq_core.tlb.account import StateInit as TheirStateInit
from pytoniq_core.tlb.transaction import ExternalMsgInfo, MessageAny

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import MalformedCell, Writer
from adapters.ton.external import (
    ExternalMessage,
    MessageTooLarge,
    StateInit,
    normalized_hash,
)
from tests.adapters.ton.strategies import addresses, cells

WALLET = TonAddress(0, b"\xcc" * 32)
SHORT = Writer().uint(0xCAFE, 16).end()


def by_hand(destination: TonAddress, body: Cell) -> bytes:
    """TEP-467 as its text says it: no source, no fee, no state, body by reference."""
    normal = (
        begin_cell()
        .store_bits("10")
        .store_bits("00")
        .store_address(destination.to_pytoniq())
        .store_coins(0)
        .store_bits("01")
        .store_ref(body)
        .end_cell()
    )
    named: bytes = normal.hash
    return named


@given(addresses, cells, st.none() | st.builds(StateInit, cells, cells))
def test_every_spelling_has_one_name(
    destination: TonAddress, body: Cell, init: StateInit | None
) -> None:
    message = ExternalMessage(destination=destination, body=body, init=init, expires_at=0)
    expected = by_hand(destination, body)
    assert message.normalized_hash == expected
    assert normalized_hash(Cell.one_from_boc(message.to_boc())) == expected
    with_a_fee = (
        begin_cell()
        .store_bits("10")
        .store_bits("01")
        .store_uint(8, 9)
        .store_uint(0xEE, 8)
        .store_address(destination.to_pytoniq())
        .store_coins(1_000)
        .store_bits("0")
        .store_bits("1")
        .store_ref(body)
        .end_cell()
    )
    assert normalized_hash(with_a_fee) == expected


def test_the_library_s_spelling_has_the_same_name() -> None:
    # The library puts a short body in place and a state in place, if they fit.
    theirs = MessageAny(
        info=ExternalMsgInfo(None, WALLET.to_pytoniq(), 0),  # type: ignore[arg-type] # Nobody may be named.
        init=TheirStateInit(code=SHORT, data=SHORT),
        body=SHORT,
    ).serialize()
    ours = ExternalMessage(
        destination=WALLET, body=SHORT, init=StateInit(SHORT, SHORT), expires_at=0
    )
    assert theirs != ours.to_cell()
    assert normalized_hash(theirs) == ours.normalized_hash


def test_a_state_s_hash_is_the_address() -> None:
    theirs = TheirStateInit(code=SHORT, data=Cell.empty()).serialize()
    ours = StateInit(SHORT, Cell.empty())
    assert ours.to_cell() == theirs
    assert ours.address() == TonAddress(0, theirs.hash)
    assert StateInit.parse(theirs) == ours


@given(cells)
def test_junk_has_no_name(cell: Cell) -> None:
    with pytest.raises(MalformedCell):
        normalized_hash(Writer().uint(0, 1).contents(cell).end())
    with pytest.raises(MalformedCell):
        StateInit.parse(Writer().uint(1, 1).contents(cell).end())


def test_what_no_validator_takes_is_not_written() -> None:
    deep = Cell.empty()
    for _ in range(512):
        deep = Writer().reference(deep).end()
    with pytest.raises(MessageTooLarge):
        ExternalMessage(destination=WALLET, body=deep, expires_at=0).to_boc()
    wide = [Writer().octets(number.to_bytes(2, "big") * 60).end() for number in range(600)]
    while len(wide) > 1:
        groups = [wide[place : place + 4] for place in range(0, len(wide), 4)]
        wide = [joined(group) for group in groups]
    message = ExternalMessage(destination=WALLET, body=wide[0], expires_at=0)
    assert message.to_cell().get_depth() < 10
    with pytest.raises(MessageTooLarge) as refused:
        message.to_boc()
    assert refused.value.octets > 65_535


def joined(cells: list[Cell]) -> Cell:
    writer = Writer()
    for cell in cells:
        writer.reference(cell)
    return writer.end()
