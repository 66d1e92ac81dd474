from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.submissions import (
    UNKNOWN_AFTER,
    SubmissionState,
    SubmissionTransitionRefused,
)
from tests.builders import NOON, a_submission, an_inclusion, signed_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.chains.submissions import (
        Submission,
    )

S = SubmissionState
VERBS: dict[str, Callable[[Submission], Submission]] = {
    "sign": lambda it: it.sign(signed_bytes(), at=NOON),
    "refuse": lambda it: it.refuse(reason="reverts"),
    "broadcast": lambda it: it.broadcast(),
    "lose": lambda it: it.lose(reason="no answer"),
    "conclude": lambda it: it.conclude(an_inclusion()),
    "conclude without effect": lambda it: it.conclude(an_inclusion(succeeded=False)),
}
ALLOWED = {
    (S.QUEUED, "sign"): S.SIGNED,
    (S.QUEUED, "refuse"): S.REFUSED,
    (S.SIGNED, "broadcast"): S.BROADCAST,
    (S.SIGNED, "lose"): S.UNKNOWN,
    (S.BROADCAST, "lose"): S.UNKNOWN,
    (S.UNKNOWN, "broadcast"): S.BROADCAST,
    **{(state, "conclude"): S.CONFIRMED for state in (S.SIGNED, S.BROADCAST, S.UNKNOWN)},
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


def test_signed_bytes_are_not_shown() -> None:
    assert "raw" not in repr(signed_bytes())
