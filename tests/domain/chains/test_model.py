from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chains.model import CoverageGap, Scan
from domain.chains.places import NoEscrowContract
from domain.intents.model import Method
from tests.builders import CHAIN
from tests.chain_builders import a_block, a_cursor
from tests.domain.scene import PLACES


def test_escrow_is_offered_only_where_there_is_a_contract() -> None:
    with pytest.raises(NoEscrowContract):
        attrs.evolve(PLACES, escrow_contract=None)
    with pytest.raises(NoEscrowContract):
        attrs.evolve(PLACES, treasury=None)
    without = attrs.evolve(PLACES, methods=frozenset({Method.ADDRESS}), escrow_contract=None)
    assert Method.ESCROW not in without.methods


def blocks(*numbers: int) -> Scan:
    return Scan(tuple(a_block(number) for number in numbers), ())


@given(st.integers(0, 20))
def test_a_cursor_moves_over_blocks_that_follow(count: int) -> None:
    moved = a_cursor(5).advance(blocks(*range(6, 6 + count)))

    assert moved == a_cursor(5 + count)


@pytest.mark.parametrize(
    ("numbers", "expected", "got"),
    [
        ([7], 6, 7),
        ([5], 6, 5),
        ([6, 8], 7, 8),
        ([6, 6], 7, 6),
        ([7, 6], 6, 7),
    ],
)
def test_a_gap_a_repetition_or_disorder_is_refused(
    numbers: list[int], expected: int, got: int
) -> None:
    with pytest.raises(CoverageGap) as gap:
        a_cursor(5).advance(blocks(*numbers))
    assert (gap.value.chain, gap.value.expected, gap.value.got) == (CHAIN, expected, got)


def test_a_block_with_another_parent_is_refused() -> None:
    forked = Scan((a_block(6, fork="other"),), ())
    with pytest.raises(CoverageGap):
        a_cursor(5).advance(forked)

    joined = Scan((a_block(6, fork="other", parent_fork="main"),), ())
    assert a_cursor(5).advance(joined).seen == joined.blocks[-1]


def test_reading_on_does_not_make_anything_final() -> None:
    cursor = a_cursor(5, first=2, final=3)

    assert cursor.advance(blocks(6, 7)) == attrs.evolve(cursor, seen=a_block(7))
