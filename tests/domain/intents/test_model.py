from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.intents.attempts import AttemptState
from domain.intents.model import (
    IntentStatus,
    IntentTransitionRefused,
    Method,
    PaymentException,
)
from domain.merchants.model import PaymentPolicy, Verdict
from tests.builders import NOON, an_escrow_intent, an_intent, usdt

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.intents.model import (
        PaymentIntent,
    )

S = IntentStatus
DUE = 100
IN_TIME = NOON + timedelta(minutes=30)
LATE = NOON + timedelta(hours=2)


def waiting(method: Method = Method.ADDRESS, **policy: object) -> PaymentIntent:
    build = an_intent if method is Method.ADDRESS else an_escrow_intent
    return build(due=usdt(DUE), policy=PaymentPolicy(**policy))  # type: ignore[arg-type]  # named by the tests


def see(intent: PaymentIntent, amount: int, *, late: bool = False) -> PaymentIntent:
    return intent.see(amount, paid_at=LATE if late else IN_TIME, at=LATE)


def pay(intent: PaymentIntent, amount: int, *, late: bool = False) -> PaymentIntent:
    return see(intent, amount, late=late).finalize(amount, at=LATE)


AT: dict[IntentStatus, Callable[[Method], PaymentIntent]] = {
    S.REQUIRES_PAYMENT: waiting,
    S.PROCESSING: lambda method: see(waiting(method), DUE),
    S.SUCCEEDED: lambda method: (
        pay(waiting(), DUE)
        if method is Method.ADDRESS
        else pay(waiting(method), DUE).release(at=LATE)
    ),
    S.CANCELED: lambda method: waiting(method).cancel(at=IN_TIME),
    S.EXPIRED: lambda method: waiting(method).expire(at=LATE),
    S.NEEDS_REVIEW: lambda method: pay(waiting(method), DUE, late=True),
}
VERBS: dict[str, Callable[[PaymentIntent], PaymentIntent]] = {
    "release": lambda it: it.release(at=LATE),
    "settle": lambda it: it.settle_dispute(merchant_gross=40, at=LATE),
    "settle for nothing": lambda it: it.settle_dispute(merchant_gross=0, at=LATE),
    "refund": lambda it: it.refund(at=LATE),
    "accept": lambda it: it.accept(at=LATE),
    "cancel": lambda it: it.cancel(at=LATE),
    "expire": lambda it: it.expire(at=LATE),
}
ALLOWED = {
    **{(state, "release"): S.SUCCEEDED for state in (S.PROCESSING, S.NEEDS_REVIEW)},
    **{(state, "settle"): S.SUCCEEDED for state in (S.PROCESSING, S.NEEDS_REVIEW)},
    **{(state, "settle for nothing"): S.CANCELED for state in (S.PROCESSING, S.NEEDS_REVIEW)},
    **{(state, "refund"): S.CANCELED for state in (S.PROCESSING, S.NEEDS_REVIEW)},
    (S.REQUIRES_PAYMENT, "cancel"): S.CANCELED,
    (S.REQUIRES_PAYMENT, "expire"): S.EXPIRED,
}


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("state", IntentStatus)
@pytest.mark.parametrize("verb", VERBS)
def test_an_intent_goes_where_it_may_and_nowhere_else(
    method: Method, state: IntentStatus, verb: str
) -> None:
    intent = AT[state](method)
    assert intent.status is state
    after = ALLOWED.get((state, verb))
    if verb == "accept" and state is S.NEEDS_REVIEW and method is Method.ADDRESS:
        after = S.SUCCEEDED
    if after is not None:
        assert VERBS[verb](intent).status is after
        return
    with pytest.raises(IntentTransitionRefused) as refusal:
        VERBS[verb](intent)
    assert (refusal.value.id, refusal.value.status) == (intent.id, state)


class TestAtAnAddress:
    def test_money_seen_is_processing_and_money_final_is_captured(self) -> None:
        seen = see(waiting(), DUE)
        final = seen.finalize(DUE, at=LATE)

        assert (seen.status, seen.attempt.state) == (S.PROCESSING, AttemptState.SUBMITTED)
        assert (seen.received, seen.final, seen.captured, seen.remaining) == (DUE, 0, 0, 0)
        assert (final.status, final.attempt.state) == (S.SUCCEEDED, AttemptState.SUCCEEDED)
        assert (final.received, final.final, final.captured) == (DUE, DUE, DUE)
        assert final.exception is PaymentException.NONE

    def test_a_part_is_not_enough_and_the_rest_completes_it(self) -> None:
        part = pay(waiting(), 60)
        assert (part.status, part.exception) == (S.REQUIRES_PAYMENT, PaymentException.UNDERPAID)
        assert (part.remaining, part.captured) == (40, 0)

        whole = pay(part, 40)
        assert (whole.status, whole.captured) == (S.SUCCEEDED, DUE)
        assert whole.exception is PaymentException.NONE

    def test_nothing_is_captured_before_enough_is_final(self) -> None:
        both = see(see(waiting(), 60), 40)

        assert both.finalize(60, at=LATE).captured == 0
        assert both.finalize(60, at=LATE).finalize(40, at=LATE).captured == DUE

    @pytest.mark.parametrize(("bps", "enough"), [(500, 95), (0, 100), (100, 99)])
    def test_the_tolerance_decides_what_is_enough(self, bps: int, enough: int) -> None:
        intent = waiting(underpaid_tolerance_bps=bps)

        assert pay(intent, enough).status is S.SUCCEEDED
        assert pay(intent, enough).captured == enough
        assert pay(intent, enough - 1).status is S.REQUIRES_PAYMENT

    @pytest.mark.parametrize(
        ("overpaid", "captured"), [(Verdict.ACCEPT, 130), (Verdict.REVIEW, 100)]
    )
    def test_what_is_over_is_taken_or_left_as_the_merchant_wants(
        self, overpaid: Verdict, captured: int
    ) -> None:
        intent = pay(pay(waiting(overpaid=overpaid), 110), 20)

        assert (intent.status, intent.captured) == (S.SUCCEEDED, captured)
        assert intent.exception is PaymentException.OVERPAID

    @pytest.mark.parametrize("state", [S.EXPIRED, S.CANCELED])
    @pytest.mark.parametrize("late", [Verdict.ACCEPT, Verdict.REVIEW])
    def test_late_money_is_money(self, state: IntentStatus, late: Verdict) -> None:
        closed = waiting(late=late)
        closed = closed.cancel(at=NOON) if state is S.CANCELED else closed.expire(at=LATE)

        seen = see(closed, DUE, late=True)
        final = seen.finalize(DUE, at=LATE)

        assert (seen.status, seen.exception) == (state, PaymentException.LATE)
        accepted = late is Verdict.ACCEPT
        assert final.status is (S.SUCCEEDED if accepted else S.NEEDS_REVIEW)
        assert final.captured == (DUE if accepted else 0)

    def test_money_after_the_time_is_late_though_nobody_has_noticed_the_end(self) -> None:
        assert see(waiting(), DUE, late=True).exception is PaymentException.LATE

    def test_what_was_paid_in_time_is_not_late_for_being_read_late(self) -> None:
        assert pay(waiting(), DUE).exception is PaymentException.NONE

    def test_a_person_accepts_what_came_late_once(self) -> None:
        review = pay(waiting(), DUE, late=True)

        accepted = review.accept(at=LATE)
        assert (accepted.status, accepted.captured) == (S.SUCCEEDED, DUE)
        with pytest.raises(IntentTransitionRefused):
            accepted.accept(at=LATE)

    def test_nothing_that_is_not_final_is_accepted(self) -> None:
        review = see(waiting(), 60).expire(at=LATE)

        assert review.status is S.NEEDS_REVIEW
        with pytest.raises(IntentTransitionRefused):
            review.accept(at=LATE)

    def test_the_clock_of_the_chain_decides_on_expiry(self) -> None:
        intent = waiting()
        with pytest.raises(IntentTransitionRefused):
            intent.expire(at=intent.expires_at)
        assert intent.expire(at=intent.expires_at + timedelta(microseconds=1)).closed

    def test_what_has_seen_money_is_not_canceled(self) -> None:
        with pytest.raises(IntentTransitionRefused):
            see(waiting(), 1).cancel(at=LATE)

    def test_another_asset_counts_for_nothing(self) -> None:
        intent = waiting().see_wrong_asset()

        assert intent.exception is PaymentException.WRONG_ASSET
        assert (intent.status, intent.received) == (S.REQUIRES_PAYMENT, 0)
        assert pay(intent, DUE).exception is PaymentException.NONE


class TestRetraction:
    def test_money_that_vanishes_is_owed_again(self) -> None:
        intent = see(waiting(), DUE).retract(DUE, was_final=False, at=LATE)

        assert (intent.status, intent.received) == (S.REQUIRES_PAYMENT, 0)
        assert intent.exception is PaymentException.RETRACTED
        assert pay(intent, DUE).status is S.SUCCEEDED

    def test_what_is_still_enough_goes_on(self) -> None:
        intent = see(see(waiting(), DUE), 50).retract(50, was_final=False, at=LATE)

        assert (intent.status, intent.exception) == (S.PROCESSING, PaymentException.NONE)
        assert intent.finalize(DUE, at=LATE).captured == DUE

    def test_dust_that_vanishes_leaves_no_mark_on_what_is_paid(self) -> None:
        paid = see(see(pay(waiting(), DUE), 50), 7).retract(50, was_final=False, at=LATE)

        assert (paid.status, paid.exception) == (S.SUCCEEDED, PaymentException.OVERPAID)

    def test_another_token_that_vanishes_is_no_longer_shown(self) -> None:
        alone = waiting().see_wrong_asset().retract_wrong_asset()
        beside = see(see(waiting(), 5).see_wrong_asset(), 5).retract_wrong_asset()

        assert alone.exception is PaymentException.RETRACTED
        assert alone.see_wrong_asset().exception is PaymentException.WRONG_ASSET
        assert beside.exception is PaymentException.UNDERPAID

    def test_captured_money_that_vanishes_goes_to_a_person(self) -> None:
        intent = pay(waiting(), DUE).retract(DUE, was_final=True, at=LATE)

        assert (intent.status, intent.attempt.state) == (S.NEEDS_REVIEW, AttemptState.UNKNOWN)
        assert (intent.received, intent.final, intent.captured) == (0, 0, 0)

    def test_only_a_final_retraction_ends_success(self) -> None:
        paid = see(pay(waiting(), DUE), 5)

        assert paid.retract(5, was_final=False, at=LATE).status is S.SUCCEEDED


class TestInEscrow:
    def test_final_money_is_held_until_it_is_released(self) -> None:
        held = pay(waiting(Method.ESCROW), DUE)
        assert (held.status, held.final, held.captured) == (S.PROCESSING, DUE, 0)

        released = held.release(at=LATE)
        assert (released.status, released.captured) == (S.SUCCEEDED, DUE)

    def test_a_refund_captures_nothing(self) -> None:
        refunded = pay(waiting(Method.ESCROW), DUE).refund(at=LATE)

        assert (refunded.status, refunded.captured) == (S.CANCELED, 0)
        assert refunded.attempt.state is AttemptState.REFUSED

    def test_a_split_captures_the_merchants_part(self) -> None:
        held = pay(waiting(Method.ESCROW), DUE)

        assert held.settle_dispute(merchant_gross=40, at=LATE).captured == 40

    def test_a_payment_into_a_withdrawn_wish_is_for_a_person_and_the_contract(self) -> None:
        held = pay(waiting(Method.ESCROW).cancel(at=NOON), DUE)

        assert (held.status, held.exception) == (S.NEEDS_REVIEW, PaymentException.LATE)
        with pytest.raises(IntentTransitionRefused):
            held.accept(at=LATE)
        assert held.refund(at=LATE).status is S.CANCELED
        assert held.release(at=LATE).captured == DUE


class TestNoMoneyIsForgotten:
    """Final money is captured, or somebody is asked, whatever else came in between."""

    def test_after_a_part_of_late_money_was_retracted(self) -> None:
        closed = waiting().expire(at=LATE)
        both = see(see(closed, DUE, late=True), DUE, late=True)

        rest = both.retract(DUE, was_final=False, at=LATE).finalize(DUE, at=LATE)

        assert rest.status is S.NEEDS_REVIEW

    def test_after_another_asset_came_beside_late_money(self) -> None:
        seen = see(waiting().expire(at=LATE), DUE, late=True).see_wrong_asset()

        assert seen.finalize(DUE, at=LATE).status is S.NEEDS_REVIEW

    def test_what_is_over_of_late_money_is_left_if_the_merchant_wants(self) -> None:
        closed = waiting(late=Verdict.ACCEPT, overpaid=Verdict.REVIEW).expire(at=LATE)

        assert pay(closed, 130, late=True).captured == DUE

    def test_what_was_accepted_is_not_given_up_for_more_money(self) -> None:
        part = see(waiting(overpaid=Verdict.REVIEW), 1).expire(at=LATE)
        accepted = pay(part, 129).accept(at=LATE)
        assert accepted.captured == 129

        more = pay(accepted, 5)

        assert more.captured >= 129

    def test_success_stays_whatever_comes_after_it(self) -> None:
        accepted = pay(waiting().expire(at=LATE), DUE, late=True).accept(at=LATE)

        assert pay(accepted, 5, late=True).status is S.SUCCEEDED

    @pytest.mark.parametrize("final", [False, True])
    def test_a_review_over_nothing_can_be_ended(self, final: bool) -> None:  # noqa: FBT001 (a table's column)
        part = see(waiting(), 60)
        part = part.finalize(60, at=LATE) if final else part
        empty = part.expire(at=LATE).retract(60, was_final=final, at=LATE)
        assert (empty.received, empty.final, empty.captured) == (0, 0, 0)

        ended = empty if empty.status is not S.NEEDS_REVIEW else empty.cancel(at=LATE)

        assert ended.closed
