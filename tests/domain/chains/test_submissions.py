from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.submissions import (
    ISSUES_MAX,
    UNKNOWN_AFTER,
    SubmissionState,
    SubmissionTransitionRefused,
)
from domain.shared.ids import SubmissionId
from tests.builders import NOON
from tests.chain_builders import a_submission, an_inclusion, signed_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.chains.submissions import SignedBytes, Submission

S = SubmissionState
FLEETING = attrs.evolve(signed_bytes(), valid_until=NOON)
LATER = NOON + timedelta(seconds=1)
VERBS: dict[str, Callable[[Submission], Submission]] = {
    "sign": lambda it: it.sign(signed_bytes(), at=NOON),
    "refuse": lambda it: it.refuse(reason="reverts"),
    "broadcast": lambda it: it.broadcast(),
    "lose": lambda it: it.lose(reason="no answer"),
    "conclude": lambda it: it.conclude(an_inclusion()),
    "join": lambda it: it.join(SubmissionId("sub_02")),
    "expire": lambda it: attrs.evolve(it, signed=FLEETING).expire(at=LATER),
    "conclude without effect": lambda it: it.conclude(an_inclusion(succeeded=False)),
}
ALLOWED = {
    (S.QUEUED, "sign"): S.SIGNED,
    (S.QUEUED, "refuse"): S.REFUSED,
    (S.QUEUED, "join"): S.BATCHED,
    (S.SIGNED, "broadcast"): S.BROADCAST,
    (S.SIGNED, "lose"): S.UNKNOWN,
    (S.BROADCAST, "lose"): S.UNKNOWN,
    (S.UNKNOWN, "broadcast"): S.BROADCAST,
    **{(state, "conclude"): S.CONFIRMED for state in (S.SIGNED, S.BROADCAST, S.UNKNOWN)},
    **{(state, "expire"): S.EXPIRED for state in (S.SIGNED, S.BROADCAST, S.UNKNOWN)},
    **{
        (state, "conclude without effect"): S.REVERTED
        for state in (S.SIGNED, S.BROADCAST, S.UNKNOWN)
    },
}


@pytest.mark.parametrize("state", SubmissionState)
@pytest.mark.parametrize("verb", VERBS)
def test_a_submission_goes_where_it_may_and_nowhere_else(
    state: SubmissionState, verb: str
) -> None:
    submission = a_submission(state=state)
    after = ALLOWED.get((state, verb))
    if after is not None:
        assert VERBS[verb](submission).state is after
        return
    with pytest.raises(SubmissionTransitionRefused) as refusal:
        VERBS[verb](submission)
    assert (refusal.value.id, refusal.value.state) == (submission.id, state)


def test_bytes_once_signed_are_the_bytes_for_ever() -> None:
    signed = a_submission().sign(signed_bytes(), at=NOON)

    with pytest.raises(SubmissionTransitionRefused):
        signed.sign(signed_bytes("other"), at=NOON)
    lost = signed.broadcast().lose(reason="no answer").broadcast()
    assert lost.signed == signed_bytes()
    assert lost.signed_at == NOON


@pytest.mark.parametrize("state", SubmissionState)
def test_what_is_in_flight_too_long_is_overdue(state: SubmissionState) -> None:
    submission = attrs.evolve(a_submission(), state=state, signed_at=NOON)
    watched = state in {S.SIGNED, S.BROADCAST}

    assert submission.overdue(at=NOON + UNKNOWN_AFTER) == watched
    assert not submission.overdue(at=NOON + UNKNOWN_AFTER - timedelta(seconds=1))


def in_flight(signed: SignedBytes = FLEETING) -> Submission:
    return a_submission(issue=2).sign(signed, at=NOON)


def test_nothing_expires_before_its_time_is_over_nor_without_one() -> None:
    assert in_flight().expire(at=LATER).state is S.EXPIRED
    for submission, at in ((in_flight(), NOON), (in_flight(signed_bytes()), LATER)):
        with pytest.raises(SubmissionTransitionRefused):
            submission.expire(at=at)


def test_only_what_has_expired_is_followed_by_another() -> None:
    for state in SubmissionState:
        submission = attrs.evolve(in_flight(), state=state)
        if state is S.EXPIRED:
            again = submission.again(id=SubmissionId("sub_02"), at=LATER)
            assert again is not None
            assert (again.state, again.signed, again.issue) == (S.QUEUED, None, 3)
            assert (again.purpose, again.instruction) == ("po_01", submission.instruction)
            continue
        with pytest.raises(SubmissionTransitionRefused):
            submission.again(id=SubmissionId("sub_02"), at=LATER)


def test_a_purpose_is_tried_so_often_and_no_more() -> None:
    last = attrs.evolve(in_flight().expire(at=LATER), issue=ISSUES_MAX)

    assert last.again(id=SubmissionId("sub_02"), at=LATER) is None
    for part in last.parts:
        assert last.again(id=SubmissionId("sub_02"), at=LATER, part=part) is None
        fresh = attrs.evolve(part, issue=1)
        assert last.again(id=SubmissionId("sub_02"), at=LATER, part=fresh) is not None


def test_bytes_are_handed_over_until_their_last_moment() -> None:
    assert in_flight().wants_broadcast(at=NOON)
    assert not in_flight().wants_broadcast(at=LATER)
    assert in_flight(signed_bytes()).wants_broadcast(at=LATER)


def test_what_is_under_way_on_the_chain_is_not_concluded() -> None:
    with pytest.raises(SubmissionTransitionRefused):
        in_flight().conclude(an_inclusion(settled=False))


def test_signed_bytes_are_not_shown() -> None:
    assert "raw" not in repr(signed_bytes())
