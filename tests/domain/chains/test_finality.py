"""From which amount on which evidence is wanted, and that nobody gets around it by splitting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chains.finality import (
    QUORUM_BLOCKS,
    Ladder,
    NothingAskedFor,
    Paid,
    Rung,
    paid_to_us,
)
from domain.shared.money import AssetId, Money
from tests.builders import CHAIN, CONTRACT, address_of, usdt
from tests.chain_builders import a_block, a_transfer, an_escrow_paid, an_observation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.finality import Proven
    from domain.chains.model import EscrowPaid, Transfer

OTHER = AssetId(f"{CHAIN}/erc20:0x{'6' * 40}")
BASE = 2
"""Blocks on top of a block that is final by the chain's own rule."""
LAST = 60
"""The highest block in which anything is paid."""


def a_rung(at_least: int = 100, **evidence: Any) -> Rung:  # noqa: ANN401 (fields of any type)
    return Rung(at_least=usdt(at_least), **(evidence or {"confirmations": 10}))


def paid(*amounts: tuple[int, int]) -> list[Paid]:
    """Return payments by their block's number, lowest first."""
    return [Paid(a_block(number), usdt(amount)) for number, amount in sorted(amounts)]


def final_at(
    height: int, payments: Sequence[Paid], *rungs: Rung, proven: Proven | None = None
) -> int:
    seen = [each for each in payments if each.block.number <= height]
    ladder, newest = Ladder(rungs), a_block(height)
    return ladder.last_final(seen, newest=newest, goal=height - BASE, proven=proven or {})


class TestRungs:
    @pytest.mark.parametrize("evidence", [{"confirmations": 0}, {"quorum": 1}, {"quorum": 0}])
    def test_one_that_asks_for_nothing_is_none(self, evidence: dict[str, int]) -> None:
        with pytest.raises(NothingAskedFor):
            a_rung(**evidence)

    def test_of_no_money_there_is_none(self) -> None:
        with pytest.raises(NothingAskedFor):
            a_rung(0)

    def test_a_ladder_without_any_asks_for_nothing(self) -> None:
        assert not Ladder()
        assert Ladder().quorum == 1
        assert final_at(20, paid((11, 10**30))) == 18


class TestSmallAndLarge:
    def test_less_than_the_amount_is_final_by_the_chain_s_rule(self) -> None:
        assert final_at(20, paid((11, 99)), a_rung()) == 18

    def test_the_amount_itself_waits_for_its_depth(self) -> None:
        payments = paid((11, 100))
        assert final_at(20, payments, a_rung()) == 10
        assert final_at(21, payments, a_rung()) == 19

    def test_what_is_above_a_large_one_waits_with_it(self) -> None:
        assert final_at(20, paid((9, 5), (12, 100), (13, 5)), a_rung()) == 11

    def test_many_in_one_block_count_together(self) -> None:
        assert final_at(20, paid((11, 60), (11, 40)), a_rung()) == 10

    def test_so_do_many_blocks_and_the_last_of_them_waits_for_the_first(self) -> None:
        payments = paid((11, 60), (13, 60))
        assert final_at(20, payments, a_rung()) == 12
        assert final_at(21, payments, a_rung()) == 19

    def test_another_asset_counts_for_itself(self) -> None:
        other = Paid(a_block(11), Money(100, OTHER))
        assert final_at(20, [*paid((11, 50)), other], a_rung()) == 18

    def test_of_several_rungs_each_that_is_reached_counts(self) -> None:
        rungs = (a_rung(100, confirmations=5), a_rung(200, confirmations=10))
        assert final_at(20, paid((11, 100)), *rungs) == 18
        assert final_at(20, paid((11, 150), (16, 50)), *rungs) == 15
        assert final_at(20, paid((11, 200)), *rungs) == 10


class TestEvidence:
    def test_age_is_by_the_blocks_own_times(self) -> None:
        old = a_rung(age=timedelta(seconds=8))
        assert final_at(20, paid((13, 100)), old) == 12
        assert final_at(21, paid((13, 100)), old) == 19

    def test_depth_and_age_are_both_wanted(self) -> None:
        both = a_rung(age=timedelta(seconds=8), confirmations=10)
        assert final_at(21, paid((12, 100)), both) == 11
        assert final_at(22, paid((12, 100)), both) == 20

    def test_without_the_providers_word_depth_is_not_enough(self) -> None:
        agreed = a_rung(confirmations=3, quorum=2)
        payments = paid((11, 60), (12, 60))
        assert final_at(20, payments, agreed) == 11
        assert final_at(20, payments, agreed, proven={agreed: 11}) == 18

    def test_providers_are_asked_only_where_a_rung_is_reached(self) -> None:
        rung, newest = a_rung(quorum=2), a_block(20)

        def asked(*amounts: tuple[int, int], known: int = -1, goal: int = 18) -> list[int]:
            found = Ladder((rung,)).doubtful(
                rung, paid(*amounts), newest=newest, goal=goal, proven={rung: known}
            )
            return [block.number for block in found]

        assert asked((11, 99)) == []
        assert asked((11, 60), (13, 60), (13, 1), (19, 60)) == [11, 13]
        assert asked((11, 60), (13, 60), known=11) == []
        assert asked((11, 60), (13, 160), known=11) == [13]
        assert asked((13, 160), goal=12) == []

    def test_nor_before_the_block_is_deep_enough(self) -> None:
        rung = a_rung(quorum=2, confirmations=10)
        found = Ladder((rung,)).doubtful(
            rung, paid((11, 100)), newest=a_block(20), goal=18, proven={}
        )
        assert found == []

    def test_what_waits_is_told(self) -> None:
        rungs = (a_rung(100, confirmations=5), a_rung(200, confirmations=12))
        told = Ladder(rungs).waits(
            paid((11, 150), (12, 100)), newest=a_block(20), block=12, proven={}
        )
        assert told == [rungs[1]]

    def test_what_is_known_of_final_blocks_is_kept(self) -> None:
        rung = a_rung(confirmations=5)
        known = Ladder((rung,)).proven_by(
            paid((11, 1), (14, 1), (19, 1)), newest=a_block(20), final=18, proven={rung: 3}
        )
        assert known == {rung: 14}
        nothing = Ladder((rung,)).proven_by([], newest=a_block(20), final=18, proven={rung: 30})
        assert nothing == {rung: 18}

    def test_only_blocks_that_may_lack_evidence_are_looked_at(self) -> None:
        deep, old, named = a_rung(), a_rung(age=timedelta(seconds=7)), a_rung(quorum=2)
        assert Ladder((deep,)).first_counted(100_000, {}) == 99_991
        assert Ladder((deep, old)).first_counted(100_000, {}) == 99_931
        assert Ladder((deep, old)).first_counted(100_000, {old: 99_980}) == 99_981
        assert Ladder((named,)).first_counted(100_000, {}) == 100_000 - QUORUM_BLOCKS + 1
        assert Ladder((named,)).first_counted(10, {}) == 0


class TestWhatCounts:
    def test_a_payment_into_escrow_counts_once(self) -> None:
        fact = an_escrow_paid()
        told = an_observation("escrow", position=1, fact=fact)
        moved = attrs.evolve(a_transfer(to=CONTRACT), money=fact.money)
        token = an_observation("escrow", fact=moved)
        more = an_observation("other", fact=moved)

        found = paid_to_us([token, told, more], escrow=CONTRACT, own=())

        assert [each.money for each in found] == [fact.money, fact.money]

    def test_what_only_changes_its_place_does_not(self) -> None:
        swept = a_transfer(7)
        seen = [an_observation(fact=swept), an_observation("b", fact=a_transfer(8))]
        [first, second] = paid_to_us(seen, escrow=None, own=())
        assert (first.money, second.money) == (usdt(7), usdt(8))
        assert paid_to_us(seen, escrow=None, own={swept.source}) == []

    def test_lowest_blocks_come_first(self) -> None:
        facts: list[Transfer | EscrowPaid] = [a_transfer(), an_escrow_paid()]
        seen = [
            an_observation("a", block=9, fact=facts[1]),
            an_observation("b", block=8, fact=facts[0]),
        ]
        found = paid_to_us(seen, escrow=CONTRACT, own={address_of("nobody")})
        assert [each.block.number for each in found] == [8, 9]


class Gateway:
    """A cursor that moves as high as it may with each block, and never back."""

    def __init__(self, payments: Sequence[Paid], rungs: Sequence[Rung]) -> None:
        self.payments, self.rungs = payments, rungs
        self.final = 0

    def see(self, height: int) -> None:
        self.final = max(self.final, final_at(height, self.payments, *self.rungs))

    def booked_without(self, rung: Rung, height: int) -> int:
        """Return how much is booked that does not have a rung's evidence."""
        return sum(
            each.money.amount
            for each in self.payments
            if each.block.number <= self.final
            and not rung.buries(each.block, under=a_block(height))
        )


amounts = st.lists(st.tuples(st.integers(1, LAST), st.integers(1, 120)), min_size=1, max_size=12)
rungs = st.lists(
    st.builds(
        a_rung,
        st.integers(50, 400),
        confirmations=st.integers(1, 30),
        age=st.integers(0, 30).map(lambda seconds: timedelta(seconds=seconds)),
    ),
    min_size=1,
    max_size=3,
)


@given(amounts, rungs)
def test_less_than_its_amount_is_ever_booked_without_a_rung_s_evidence(
    amounts: list[tuple[int, int]], rungs: list[Rung]
) -> None:
    gateway = Gateway(paid(*amounts), rungs)
    for height in range(1, LAST + 40):
        gateway.see(height)
        for rung in rungs:
            assert gateway.booked_without(rung, height) < rung.at_least.amount
    assert gateway.final >= LAST, "all of it is final in the end"


@given(amounts, rungs, st.data())
def test_splitting_a_payment_makes_the_whole_of_it_final_no_earlier(
    others: list[tuple[int, int]], rungs: list[Rung], data: st.DataObject
) -> None:
    block, amount = data.draw(st.tuples(st.integers(1, LAST), st.integers(2, 500)))
    parts: list[tuple[int, int]] = []
    left = amount
    while left:
        part = data.draw(st.integers(min(left, amount // 5 + 1), left))
        parts.append((data.draw(st.integers(block, LAST)), part))
        left -= part
    last = max(number for number, _ in parts)

    whole = Gateway(paid(*others, (block, amount)), rungs)
    split = Gateway(paid(*others, *parts), rungs)
    for height in range(1, LAST + 40):
        whole.see(height)
        split.see(height)
        if split.final >= last:
            assert whole.final >= block, height


@given(amounts, rungs, st.data())
def test_splitting_it_within_its_block_changes_nothing(
    others: list[tuple[int, int]], rungs: list[Rung], data: st.DataObject
) -> None:
    block, amount = data.draw(st.tuples(st.integers(1, LAST), st.integers(2, 500)))
    part = data.draw(st.integers(1, amount - 1))

    for height in range(1, LAST + 40):
        whole = final_at(height, paid(*others, (block, amount)), *rungs)
        assert whole == final_at(
            height, paid(*others, (block, part), (block, amount - part)), *rungs
        )
