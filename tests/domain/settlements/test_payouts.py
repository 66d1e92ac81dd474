from __future__ import annotations

import pytest

from domain.settlements.payouts import PayoutState, PayoutTransitionRefused
from domain.shared.ids import HoldId, SubmissionId
from tests.builders import a_payout

S = PayoutState
ALLOWED = {
    (S.SCHEDULED, S.APPROVED),
    (S.SCHEDULED, S.REFUSED),
    (S.APPROVED, S.SIGNED),
    (S.APPROVED, S.REFUSED),
    (S.SIGNED, S.BROADCAST),
    (S.SIGNED, S.UNKNOWN),
    (S.SIGNED, S.CONFIRMED),
    (S.SIGNED, S.REFUSED),
    (S.SIGNED, S.APPROVED),
    (S.BROADCAST, S.UNKNOWN),
    (S.BROADCAST, S.CONFIRMED),
    (S.BROADCAST, S.REFUSED),
    (S.BROADCAST, S.APPROVED),
    (S.UNKNOWN, S.BROADCAST),
    (S.UNKNOWN, S.CONFIRMED),
    (S.UNKNOWN, S.REFUSED),
    (S.UNKNOWN, S.APPROVED),
}


@pytest.mark.parametrize("state", PayoutState)
@pytest.mark.parametrize("wanted", PayoutState)
def test_a_payout_goes_where_it_may_and_nowhere_else(
    state: PayoutState, wanted: PayoutState
) -> None:
    payout = a_payout(state=state)
    if (state, wanted) in ALLOWED:
        assert payout.become(wanted).state is wanted
        return
    with pytest.raises(PayoutTransitionRefused) as refusal:
        payout.become(wanted)
    assert (refusal.value.state, refusal.value.wanted) == (state, wanted)


def test_a_payout_keeps_what_it_was_sent_as_and_why_it_ended() -> None:
    approved = a_payout().approve(submission_id=SubmissionId("sub_01"))
    signed = approved.sign(transaction="0xabc", submission_id=SubmissionId("sub_01"))
    refused = signed.refuse(reason="reverted")

    assert (refused.submission_id, refused.transaction, refused.reason) == (
        "sub_01",
        "0xabc",
        "reverted",
    )
    assert refused.state is PayoutState.REFUSED


def test_a_payout_that_expired_is_set_aside_and_named_anew() -> None:
    approved = a_payout().approve(submission_id=SubmissionId("sub_01"))
    signed = approved.sign(transaction="0xabc", submission_id=SubmissionId("sub_02"))
    assert signed.submission_id == "sub_02"

    again = signed.approve_again(submission_id=SubmissionId("sub_03"), hold_id=HoldId("hold_02"))

    assert (again.state, again.submission_id) == (PayoutState.APPROVED, "sub_03")
    assert (again.hold_id, again.transaction) == ("hold_02", None)


def test_an_ended_payout_never_moves_again() -> None:
    for end in (PayoutState.CONFIRMED, PayoutState.REFUSED):
        with pytest.raises(PayoutTransitionRefused):
            a_payout(state=end).refuse(reason="again")
