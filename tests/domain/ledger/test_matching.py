"""Which entry of a block is on one side alone, among all that have their like on the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.matching import Moved, first_unmatched, one_too_many

amounts = st.integers(-9, 9).filter(bool)


def chain(*amounts: int, transaction: str = "") -> list[Moved]:
    return [
        Moved(f"chain {number}", transaction or f"0x{number}", amount)
        for number, amount in enumerate(amounts)
    ]


def books(*amounts: int) -> list[Moved]:
    return [
        Moved(f"booked {number}", f"tx_{number}", amount) for number, amount in enumerate(amounts)
    ]


@given(st.lists(amounts, max_size=8))
def test_what_has_its_like_is_not_named_in_whatever_order(moves: list[int]) -> None:
    assert first_unmatched(chain(*moves), books(*sorted(moves))) is None


@given(st.lists(amounts, max_size=8), amounts)
def test_one_that_is_on_one_side_alone_is_named_with_its_amount(
    moves: list[int], extra: int
) -> None:
    unbooked = first_unmatched(chain(*moves, extra), books(*moves))
    groundless = first_unmatched(chain(*moves), books(*moves, extra))

    assert unbooked is not None
    assert unbooked.startswith("chain ")
    assert unbooked.endswith(f"moves {extra} and is not booked")
    assert groundless is not None
    assert groundless.endswith(f"says {extra} and is not on the chain")


def test_a_booking_may_stand_for_all_that_a_transaction_did() -> None:
    split = chain(-30, -70, transaction="0xa")

    assert first_unmatched(split, books(-100)) is None
    assert first_unmatched(split, books(-30, -70)) is None
    assert first_unmatched(split, books(-70)) == "chain 0 moves -30 and is not booked"


def test_money_that_went_round_needs_no_booking() -> None:
    assert first_unmatched(chain(5, -5, transaction="0xa"), []) is None


def test_a_wrong_amount_is_named_on_both_sides() -> None:
    assert first_unmatched(chain(1, 2, 3), books(1, 4, 3)) == (
        "booked 1 says 4 where chain 1 moves 2"
    )


def test_of_bookings_that_are_alike_the_last_is_one_too_many() -> None:
    named = "booked 1 says 5 and is not on the chain"

    assert first_unmatched(chain(5), books(5, 5)) == named
    assert one_too_many(books(5, 5, 2), excess=5) == named
    assert one_too_many(books(5, 5, 2), excess=3) is None
