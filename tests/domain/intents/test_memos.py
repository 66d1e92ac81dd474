from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.chains.model import MEMO_MAX, Transfer
from domain.intents.memos import ENTROPY_BYTES, drawn_from, read
from tests.builders import usdt

ENTROPY = some.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(ENTROPY)
def test_a_memo_reads_as_itself_in_either_case(entropy: bytes) -> None:
    memo = drawn_from(entropy)

    assert len(memo) == 12
    assert read(memo) == read(memo.lower()) == memo
    assert not set(memo) & set("ILOU")


@given(some.integers(0, 2**60 - 1), some.integers(0, 2**60 - 1))
def test_other_bits_give_another_memo(one: int, other: int) -> None:
    memos = {drawn_from(number.to_bytes(ENTROPY_BYTES)) for number in (one, other)}
    assert len(memos) == len({one, other})


@pytest.mark.parametrize(
    "text",
    [None, "", "0123456789A", "0123456789ABC", "0123456789AU", "0123456789A\u00df", "\u0660" * 12],
)
def test_what_is_no_memo_is_none(text: str | None) -> None:
    assert read(text) is None


@given(some.text(alphabet=some.characters(), max_size=3 * MEMO_MAX))
def test_whatever_a_stranger_writes_can_be_read_and_stored(text: str) -> None:
    memo = read(text)
    assert memo is None or memo.isascii()
    kept = Transfer(usdt(1), "payer", "shop", text).memo
    assert kept is not None
    assert len(kept) <= MEMO_MAX
    assert kept.isprintable()
    assert kept.encode().decode() == kept
