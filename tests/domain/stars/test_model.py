from __future__ import annotations

import pytest

from domain.shared.money import Money
from domain.stars.model import (
    STARS,
    InvoiceMalformed,
    PaymentState,
    StarPaymentTransitionRefused,
)
from tests.builders import usdt
from tests.contracts.star_payments import a_star_payment
from tests.contracts.stars import an_invoice


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "t" * 32},
        {"description": "ü" * 255},
        {"payload": "ü" * 64},
        {"money": Money(1, STARS)},
        {"money": Money(10_001, STARS)},
        {"money": Money(10_000, STARS), "is_subscription": True},
    ],
)
def test_an_invoice_may_be_as_telegram_takes_it(changes: dict[str, object]) -> None:
    an_invoice(**changes)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("title", {"title": ""}),
        ("title", {"title": "t" * 33}),
        ("description", {"description": ""}),
        ("description", {"description": "d" * 256}),
        ("payload", {"payload": ""}),
        ("payload", {"payload": "ü" * 65}),
        ("money", {"money": Money(0, STARS)}),
        ("money", {"money": Money(-5, STARS)}),
        ("money", {"money": usdt(5)}),
        ("money", {"money": Money(10_001, STARS), "is_subscription": True}),
    ],
)
def test_an_invoice_that_telegram_would_not_take_is_none(
    field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(InvoiceMalformed) as refusal:
        an_invoice(**changes)
    assert refusal.value.field == field


def test_what_is_with_the_payer_stays_there() -> None:
    refunded = a_star_payment().promise_back().refunded()
    for move in (refunded.mature, refunded.promise_back, refunded.take_back, refunded.refunded):
        with pytest.raises(StarPaymentTransitionRefused):
            move()
    with pytest.raises(StarPaymentTransitionRefused):
        a_star_payment(state=PaymentState.TAKEN_BACK).promise_back()


def test_a_refund_that_was_refused_can_be_tried_again() -> None:
    refused = a_star_payment().promise_back().refuse_refund(reason="BALANCE_TOO_LOW")
    assert (refused.state, refused.reason) == (PaymentState.REFUND_REFUSED, "BALANCE_TOO_LOW")

    again = refused.promise_back()
    assert (again.state, again.reason) == (PaymentState.REFUNDING, None)
