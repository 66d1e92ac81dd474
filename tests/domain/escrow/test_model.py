from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.escrow.claims import Side
from domain.escrow.model import (
    ARBITER_TIMEOUT,
    TRY_AGAIN_AFTER,
    ClocksOutOfOrder,
    EscrowAction,
    EscrowActionInProgress,
    EscrowState,
    EscrowTransitionRefused,
    FailedRequest,
    SplitExceedsAmount,
)
from domain.fees.model import PLATFORM_BPS_MAX, FeeSchedule
from domain.shared.ids import SubmissionId
from tests.builders import NOON, an_escrow, terms_of, usdt

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.escrow.model import (
        Escrow,
    )

S = EscrowState
SOON = NOON + timedelta(days=1)
SECOND = timedelta(seconds=1)
VERBS: dict[str, Callable[[Escrow], Escrow]] = {
    "request": lambda it: it.request(EscrowAction.REFUND, submission_id=SubmissionId("sub_01")),
    "dispute": lambda it: it.dispute(at=SOON),
    "release": lambda it: it.release(at=SOON),
    "refund": lambda it: it.refund(at=SOON),
    "resolve": lambda it: it.resolve(payer_amount=1, at=SOON),
}
ALLOWED = {
    (S.HELD, "request"): S.HELD,
    (S.HELD, "dispute"): S.DISPUTED,
    (S.HELD, "release"): S.RELEASED,
    (S.HELD, "refund"): S.REFUNDED,
    (S.DISPUTED, "resolve"): S.RESOLVED,
}
AT = {
    S.HELD: an_escrow(),
    S.DISPUTED: an_escrow().dispute(at=NOON),
    S.RELEASED: an_escrow().release(at=NOON),
    S.REFUNDED: an_escrow().refund(at=NOON),
    S.RESOLVED: an_escrow().dispute(at=NOON).resolve(payer_amount=5, at=NOON),
}


def escrow_of(amount: int, *, bps: int) -> Escrow:
    terms = attrs.evolve(terms_of(), money=usdt(amount), fees=FeeSchedule(bps))
    return an_escrow(terms=terms, fee=terms.fees.on(terms.money))


@pytest.mark.parametrize("state", EscrowState)
@pytest.mark.parametrize("verb", VERBS)
def test_an_escrow_goes_where_it_may_and_nowhere_else(state: EscrowState, verb: str) -> None:
    escrow = AT[state]
    after = ALLOWED.get((state, verb))
    if after is not None:
        assert VERBS[verb](escrow).state is after
        return
    with pytest.raises(EscrowTransitionRefused) as refusal:
        VERBS[verb](escrow)
    assert (refusal.value.id, refusal.value.state) == (escrow.id, state)


@given(st.integers(1, 2**128), st.integers(0, PLATFORM_BPS_MAX), st.data())
def test_every_end_pays_out_all_that_was_held(amount: int, bps: int, data: st.DataObject) -> None:
    escrow = escrow_of(amount, bps=bps)
    payer_amount = data.draw(st.integers(0, amount))

    released = escrow.release(at=SOON)
    refunded = escrow.refund(at=SOON)
    resolved = escrow.dispute(at=NOON).resolve(payer_amount=payer_amount, at=SOON)

    assert released.payer_amount == 0
    assert released.merchant_amount + released.fee.fee.amount == amount
    assert (refunded.payer_amount, refunded.merchant_amount) == (amount, 0)
    assert resolved.payer_amount == payer_amount
    assert payer_amount + resolved.merchant_amount + resolved.fee.fee.amount == amount
    assert resolved.fee.fee.amount * 10_000 <= (amount - payer_amount) * bps


@pytest.mark.parametrize("payer_amount", [-1, 1_001])
def test_a_split_of_more_than_there_is_is_refused(payer_amount: int) -> None:
    disputed = escrow_of(1_000, bps=100).dispute(at=NOON)

    with pytest.raises(SplitExceedsAmount):
        disputed.resolve(payer_amount=payer_amount, at=SOON)


def test_one_request_at_a_time() -> None:
    asked = VERBS["request"](an_escrow())
    with pytest.raises(EscrowActionInProgress) as refusal:
        asked.request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_02"))
    assert refusal.value.action is EscrowAction.REFUND

    again = asked.request_failed(reason="not held", at=NOON)
    assert again.failure == FailedRequest(EscrowAction.REFUND, "not held", NOON)
    assert attrs.evolve(again, failure=None) == an_escrow()
    again.request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_02"))


@pytest.mark.parametrize("end", ["dispute", "release", "refund"])
def test_the_chain_has_the_last_word_over_a_request(end: str) -> None:
    asked = VERBS["request"](an_escrow())

    assert VERBS[end](asked).requested is None


def test_an_undecided_dispute_goes_back_to_the_payer_after_its_time() -> None:
    disputed = an_escrow().dispute(at=SOON)

    with pytest.raises(EscrowTransitionRefused):
        disputed.refund(at=SOON + ARBITER_TIMEOUT - SECOND)
    assert not disputed.arbiter_timed_out(at=SOON + ARBITER_TIMEOUT - SECOND)
    refunded = disputed.refund(at=SOON + ARBITER_TIMEOUT)
    assert refunded.payer_amount == disputed.terms.money.amount


def test_auto_release_is_of_what_is_held_and_not_asked_for() -> None:
    due = terms_of().auto_release_at

    assert an_escrow().may_auto_release(at=due)
    assert not an_escrow().may_auto_release(at=due - SECOND)
    assert not VERBS["request"](an_escrow()).may_auto_release(at=due)
    for state in set(EscrowState) - {S.HELD}:
        assert not AT[state].may_auto_release(at=due)


def test_the_payer_may_reclaim_what_is_still_held_in_the_end() -> None:
    # The contract's reclaim() opens in the second of refundUntil itself.
    opens = terms_of().refund_until

    assert an_escrow().may_reclaim(at=opens)
    assert not an_escrow().may_reclaim(at=opens - SECOND)
    for state in set(EscrowState) - {S.HELD}:
        assert not AT[state].may_reclaim(at=opens)


@pytest.mark.parametrize(
    ("pay_by", "auto_release_at", "refund_until"), [(2, 1, 3), (1, 2, 2), (1, 3, 2), (3, 1, 2)]
)
def test_clocks_run_out_in_order(pay_by: int, auto_release_at: int, refund_until: int) -> None:
    with pytest.raises(ClocksOutOfOrder):
        terms_of(
            pay_by=NOON + pay_by * SECOND,
            auto_release_at=NOON + auto_release_at * SECOND,
            refund_until=NOON + refund_until * SECOND,
        )


def test_release_may_open_with_the_last_second_of_paying() -> None:
    terms_of(pay_by=NOON, auto_release_at=NOON, refund_until=NOON + SECOND)


def test_each_time_in_vain_the_next_try_waits_twice_as_long_and_a_day_at_most() -> None:
    escrow, at = an_escrow(), an_escrow().terms.auto_release_at
    waited = []
    for _ in range(40):
        assert escrow.may_auto_release(at=at)
        asked = escrow.request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_01"))
        escrow = asked.request_failed(reason="left alone", at=at)
        assert escrow.failure is not None
        again = escrow.failure.try_again_at
        assert not escrow.may_auto_release(at=again - timedelta(seconds=1))
        waited.append(again - at)
        at = again

    assert waited[:3] == [TRY_AGAIN_AFTER, 2 * TRY_AGAIN_AFTER, 4 * TRY_AGAIN_AFTER]
    assert waited[-1] == max(waited) == timedelta(days=1)
    assert escrow.failure is not None
    assert escrow.failure.times == 40
    assert escrow.release(at=at).failure is None


def test_a_failure_of_nothing_asked_for_is_none() -> None:
    assert an_escrow().request_failed(reason="late", at=NOON) == an_escrow()


def test_what_is_not_pushed_is_its_owners_claim_until_he_takes_it() -> None:
    disputed = escrow_of(1_000, bps=100).dispute(at=NOON)
    split = disputed.resolve(payer_amount=400, at=SOON)
    kept = split.keep_credits(merchant_pushed=False, payer_pushed=False, at=SOON)
    merchant, payer = split.terms.merchant, split.payer

    assert [(it.side, it.account, it.amount) for it in kept.claims] == [
        (Side.MERCHANT, merchant, 594),
        (Side.PAYER, payer, 400),
    ]
    taken = kept.withdraw(account=payer, to=merchant, at=SOON)
    assert [it.is_open for it in taken.claims] == [True, False]
    assert (taken.claims[1].withdrawn_at, taken.claims[1].withdrawn_to) == (SOON, merchant)
    assert taken.open_claim_of(Side.MERCHANT) == merchant
    assert taken.open_claim_of(Side.PAYER) is None
    # A later withdrawal takes another credit out.
    assert taken.withdraw(account=payer, to=payer, at=NOON + timedelta(days=9)) == taken


@pytest.mark.parametrize(("merchant", "payer"), [(True, False), (False, True), (True, True)])
def test_what_is_pushed_or_nothing_is_no_claim(merchant: bool, payer: bool) -> None:  # noqa: FBT001 (the two sides)
    released = an_escrow().release(at=SOON)

    kept = released.keep_credits(merchant_pushed=merchant, payer_pushed=payer, at=SOON)

    assert [it.side for it in kept.claims] == ([] if merchant else [Side.MERCHANT])
