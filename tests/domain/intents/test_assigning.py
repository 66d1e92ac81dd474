"""Money that people give to intents, and take away from them again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intents.attempts import AttemptState
from domain.intents.model import IntentStatus, IntentTransitionRefused, Method, PaymentException
from domain.merchants.model import PaymentPolicy, Verdict
from domain.shared.money import AmountOutOfRange
from tests.builders import NOON, an_escrow_intent, an_intent

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent

DUE = an_intent().due.amount
IN_TIME, TOO_LATE = NOON + timedelta(minutes=5), NOON + timedelta(hours=2)
LATER = NOON + timedelta(days=3)
S, E = IntentStatus, PaymentException


def expired(received: int = 0) -> PaymentIntent:
    intent = an_intent(policy=PaymentPolicy(overpaid=Verdict.REVIEW))
    if received:
        intent = intent.see(received, paid_at=IN_TIME, at=IN_TIME).finalize(received, at=IN_TIME)
    return intent.expire(at=TOO_LATE)


@pytest.mark.parametrize(
    ("before", "amount", "paid_at", "status", "exception", "captured"),
    [
        (an_intent(), DUE, IN_TIME, S.SUCCEEDED, E.NONE, DUE),
        (an_intent(), DUE - 1, IN_TIME, S.REQUIRES_PAYMENT, E.UNDERPAID, 0),
        (an_intent(), DUE, TOO_LATE, S.NEEDS_REVIEW, E.LATE, 0),
        (expired(), DUE, IN_TIME, S.SUCCEEDED, E.NONE, DUE),
        (expired(), DUE + 5, IN_TIME, S.SUCCEEDED, E.OVERPAID, DUE),
        (expired(), DUE - 1, IN_TIME, S.NEEDS_REVIEW, E.UNDERPAID, 0),
        (expired(), DUE, TOO_LATE, S.NEEDS_REVIEW, E.LATE, 0),
        (expired(received=10), DUE - 10, IN_TIME, S.SUCCEEDED, E.NONE, DUE),
        (expired(received=10), DUE - 11, IN_TIME, S.NEEDS_REVIEW, E.UNDERPAID, 0),
        (expired(received=10), DUE, TOO_LATE, S.NEEDS_REVIEW, E.LATE, 0),
        (an_intent().cancel(at=NOON), DUE, IN_TIME, S.NEEDS_REVIEW, E.LATE, 0),
    ],
)
def test_it_counts_from_when_it_was_paid(
    before: PaymentIntent,
    amount: int,
    paid_at: object,
    status: IntentStatus,
    exception: PaymentException,
    captured: int,
) -> None:
    after = before.assign(amount, paid_at=paid_at, at=LATER)  # type: ignore[arg-type] # As above.

    assert (after.status, after.exception, after.captured) == (status, exception, captured)
    assert (after.received, after.final) == (before.received + amount, before.final + amount)
    paid = status is S.SUCCEEDED
    assert (after.attempt.state is AttemptState.SUCCEEDED) == paid


def test_what_is_late_stays_late_when_something_in_time_is_found() -> None:
    late = expired().assign(DUE, paid_at=TOO_LATE, at=LATER)

    found = late.assign(DUE, paid_at=IN_TIME, at=LATER)

    assert (found.status, found.exception, found.captured) == (S.NEEDS_REVIEW, E.LATE, 0)


@pytest.mark.parametrize("intent", [an_escrow_intent(), an_intent(method=Method.STARS)])
def test_what_is_paid_elsewhere_takes_nothing(intent: PaymentIntent) -> None:
    with pytest.raises(IntentTransitionRefused):
        intent.assign(DUE, paid_at=IN_TIME, at=LATER)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_neither_assigned_nor_let_go(amount: int) -> None:
    with pytest.raises(AmountOutOfRange):
        an_intent().assign(amount, paid_at=IN_TIME, at=LATER)
    with pytest.raises(AmountOutOfRange):
        expired(received=10).let_go(amount, at=LATER)


def test_what_goes_back_is_counted_no_more() -> None:
    paid = expired().assign(DUE + 7, paid_at=IN_TIME, at=LATER)

    part = paid.let_go(3, at=LATER)
    whole = part.let_go(4, at=LATER)

    assert (part.status, part.exception, part.final) == (S.SUCCEEDED, E.OVERPAID, DUE + 4)
    assert (whole.status, whole.exception) == (S.SUCCEEDED, E.NONE)
    assert (whole.received, whole.final, whole.captured) == (DUE, DUE, DUE)


def test_an_intent_of_which_nothing_is_left_has_expired() -> None:
    gone = expired(received=10).let_go(10, at=LATER)

    assert (gone.status, gone.exception, gone.received) == (S.EXPIRED, E.NONE, 0)
    assert gone.attempt.state is AttemptState.REFUSED
    again = gone.assign(DUE, paid_at=IN_TIME, at=LATER)
    assert again.status is S.SUCCEEDED


@pytest.mark.parametrize(
    ("intent", "amount"),
    [
        (expired().assign(DUE, paid_at=IN_TIME, at=LATER), 1),
        (expired(received=10), 11),
        (an_intent().assign(10, paid_at=IN_TIME, at=LATER), 10),
    ],
    ids=["captured", "more than there is", "still being paid"],
)
def test_what_is_captured_or_under_way_is_not_let_go(intent: PaymentIntent, amount: int) -> None:
    with pytest.raises(IntentTransitionRefused):
        intent.let_go(amount, at=LATER)


amounts = st.integers(1, 2 * DUE)
times = st.sampled_from([IN_TIME, TOO_LATE])


@given(parts=st.lists(st.tuples(amounts, times), min_size=1, max_size=6), tolerance=st.booleans())
def test_whatever_is_assigned_captures_no_more_than_came(
    parts: list[tuple[int, object]], *, tolerance: bool
) -> None:
    policy = PaymentPolicy(underpaid_tolerance_bps=500 * tolerance, late=Verdict.ACCEPT)
    intent, came = an_intent(policy=policy), 0
    for amount, paid_at in parts:
        after = intent.assign(amount, paid_at=paid_at, at=LATER)  # type: ignore[arg-type] # A time.
        came += amount
        assert (after.received, after.final) == (came, came)
        assert intent.captured <= after.captured <= came
        assert (after.captured > 0) == (after.status is S.SUCCEEDED)
        intent = after
