from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.ledger.holds import HoldNotDue, HoldNotPending, HoldState
from domain.ledger.model import credit, debit
from tests.builders import NOON, a_hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.ledger.holds import Hold
    from domain.ledger.model import Transaction

LATER = NOON + timedelta(hours=1)
END = {
    HoldState.POSTED: lambda hold: hold.post(target=PAYOUTS_IN_FLIGHT, at=LATER),
    HoldState.VOIDED: lambda hold: hold.void(at=LATER),
    HoldState.EXPIRED: lambda hold: hold.expire(at=LATER),
}


def test_a_reservation_sets_the_money_aside() -> None:
    hold = a_hold()

    assert hold.reservation(at=NOON).postings == (
        debit(hold.source, hold.money),
        credit(hold.aside, hold.money),
    )


@pytest.mark.parametrize("state", END)
def test_a_hold_ends_by_one_booking_out_of_what_was_set_aside(state: HoldState) -> None:
    hold = a_hold()
    end: Callable[[Hold], tuple[Hold, Transaction]] = END[state]

    ended, transaction = end(hold)

    target = PAYOUTS_IN_FLIGHT if state is HoldState.POSTED else hold.source
    assert ended.state is state
    assert transaction.reference == hold.reference
    assert transaction.postings == (debit(hold.aside, hold.money), credit(target, hold.money))


@pytest.mark.parametrize("first", END)
@pytest.mark.parametrize("second", END)
def test_a_hold_ends_once(first: HoldState, second: HoldState) -> None:
    with pytest.raises(HoldNotPending) as refusal:
        END[second](a_hold(state=first))
    assert refusal.value.state is first


@pytest.mark.parametrize(
    "hold", [a_hold(expires_at=LATER + timedelta(microseconds=1)), a_hold(expires_at=None)]
)
def test_a_hold_does_not_lapse_before_its_time(hold: Hold) -> None:
    with pytest.raises(HoldNotDue):
        hold.expire(at=LATER)
