from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytoniq_core import Cell, begin_cell

from adapters.ton.addresses import TonAddress
from adapters.ton.cells import MalformedCell, Reader, Writer
from adapters.ton.internal import InternalMessage
from adapters.ton.messages import (
    COMMENT_CELLS_MAX,
    Burn,
    Excesses,
    InternalTransfer,
    JettonTransfer,
    TransferNotification,
    comment,
    read_comment,
)
from tests.adapters.ton.strategies import addresses, cells, coins, messages, query_ids

LAYOUTS = (JettonTransfer, InternalTransfer, TransferNotification, Excesses, Burn)
ALICE = TonAddress(0, b"\xaa" * 32)
BOB = TonAddress(0, b"\xbb" * 32)

bodies = st.one_of(
    st.builds(
        JettonTransfer,
        query_id=query_ids,
        amount=coins,
        destination=addresses,
        response_destination=st.none() | addresses,
        custom_payload=st.none() | cells,
        forward_amount=coins,
        forward_payload=st.none() | cells,
    ),
    st.builds(
        InternalTransfer,
        query_id=query_ids,
        amount=coins,
        sender=st.none() | addresses,
        response_address=st.none() | addresses,
        forward_amount=coins,
        forward_payload=st.none() | cells,
    ),
    st.builds(
        TransferNotification,
        query_id=query_ids,
        amount=coins,
        sender=st.none() | addresses,
        forward_payload=st.none() | cells,
    ),
    st.builds(Excesses, query_id=query_ids),
    st.builds(
        Burn,
        query_id=query_ids,
        amount=coins,
        response_destination=st.none() | addresses,
        custom_payload=st.none() | cells,
    ),
)


@given(bodies)
def test_what_is_written_is_read(body: JettonTransfer | Excesses) -> None:
    received = Cell.one_from_boc(body.to_cell().to_boc())
    assert type(body).parse(received) == body
    assert all(layout.parse(received) is None for layout in LAYOUTS if layout is not type(body))


def test_a_transfer_is_laid_out_as_tep_74_says() -> None:
    # `transfer#0f8a7ea5` of TEP-74, field by field with the library's builder.
    by_hand = (
        begin_cell()
        .store_uint(0x0F8A7EA5, 32)
        .store_uint(7, 64)
        .store_coins(1_500_000)
        .store_address(ALICE.to_pytoniq())
        .store_address(BOB.to_pytoniq())
        .store_bit(0)
        .store_coins(1)
        .store_bit(1)
        .store_ref(begin_cell().store_uint(0, 32).store_snake_string("order-42").end_cell())
        .end_cell()
    )
    transfer = JettonTransfer(
        query_id=7,
        amount=1_500_000,
        destination=ALICE,
        response_destination=BOB,
        forward_amount=1,
        forward_payload=comment("order-42"),
    )
    assert transfer.to_cell() == by_hand


@given(cells)
def test_junk_is_nothing_and_raises_nothing(body: Cell) -> None:
    for layout in LAYOUTS:
        begun = Writer().uint(layout.op, 32).end()
        layout.parse(body)
        layout.parse(begun)
    read_comment(body)


@given(bodies, st.data())
def test_a_body_that_ends_too_early_is_nothing_or_lacks_its_payload(
    body: JettonTransfer, data: st.DataObject
) -> None:
    whole = body.to_cell()
    kept = data.draw(st.integers(0, len(whole.bits) - 1))
    cut = Writer().bits(whole.bits.to01()[:kept]).end()
    parsed = type(body).parse(cut)
    assert parsed is None or getattr(parsed, "forward_payload", None) is None


def test_a_broken_payload_does_not_take_the_money_back() -> None:
    fixed = (
        Writer().uint(0x178D4519, 32).uint(1, 64).coins(500).address(BOB).address(None).coins(0)
    )
    for broken in (fixed.end(), fixed.bits("1").end()):
        parsed = InternalTransfer.parse(broken)
        assert parsed is not None
        assert (parsed.amount, parsed.forward_payload) == (500, None)


def test_a_payload_in_place_is_read() -> None:
    written = Writer().uint(0x7362D09C, 32).uint(1, 64).coins(5).address(BOB).bits("0")
    parsed = TransferNotification.parse(written.contents(comment("memo")).end())
    assert parsed is not None
    assert read_comment(parsed.forward_payload) == "memo"


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=600))
def test_a_comment_is_read_back(text: str) -> None:
    assert read_comment(Cell.one_from_boc(comment(text).to_boc())) == text


def test_a_comment_is_what_the_library_writes() -> None:
    text = "длинный комментарий " * 40
    theirs = begin_cell().store_uint(0, 32).store_snake_string(text).end_cell()
    assert comment(text) == theirs
    assert read_comment(theirs) == text


@pytest.mark.parametrize(
    "body",
    [
        None,
        Cell.empty(),
        Writer().uint(0, 31).end(),
        Writer().uint(0, 33).end(),
        Writer().uint(0, 32).octets(b"\xff\x00binary").end(),
        Writer().uint(0, 32).octets(b"a\0b").end(),
        Writer().uint(0x2167DA4B, 32).octets(b"encrypted").end(),
        Writer().uint(0, 32).reference(Cell.empty()).reference(Cell.empty()).end(),
        Writer().uint(0, 32).octets("п".encode()[:1]).end(),
    ],
)
def test_no_comment(body: Cell | None) -> None:
    assert read_comment(body) is None


def test_a_comment_without_end_is_given_up() -> None:
    chain = Cell.empty()
    for _ in range(900):
        chain = Writer().octets(b"x").reference(chain).end()
    assert read_comment(Writer().uint(0, 32).contents(chain).end()) is None
    assert read_comment(comment("x" * 127 * (COMMENT_CELLS_MAX - 1))) is not None


def test_an_exotic_cell_is_no_body() -> None:
    library = Cell(Writer().uint(2, 8).octets(bytes(32)).end().bits, [], 2)
    assert read_comment(library) is None
    assert Excesses.parse(library) is None
    with pytest.raises(MalformedCell):
        Reader(library)


@given(messages)
def test_an_internal_message_is_read_back(message: InternalMessage) -> None:
    assert InternalMessage.parse(Cell.one_from_boc(message.to_cell().to_boc())) == message


@given(cells)
def test_junk_is_no_internal_message(cell: Cell) -> None:
    with pytest.raises(MalformedCell):
        InternalMessage.parse(cell)


def test_the_bounce_flag_is_never_left_out() -> None:
    with pytest.raises(TypeError, match="bounce"):
        InternalMessage(destination=ALICE, value=1)  # type: ignore[call-arg] # As meant.
    flags = [
        InternalMessage(destination=ALICE, value=1, bounce=bounce).to_cell().bits.to01()[:4]
        for bounce in (True, False)
    ]
    assert flags == ["0110", "0100"]
