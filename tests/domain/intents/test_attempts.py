from __future__ import annotations

from datetime import timedelta

import pytest

from domain.intents.attempts import AttemptState, AttemptTransitionRefused
from tests.builders import NOON, an_attempt

S = AttemptState
ALLOWED = {
    (S.AWAITING_PAYER, S.SUBMITTED),
    (S.AWAITING_PAYER, S.SUCCEEDED),
    (S.AWAITING_PAYER, S.REFUSED),
    (S.SUBMITTED, S.UNKNOWN),
    (S.SUBMITTED, S.SUCCEEDED),
    (S.SUBMITTED, S.REFUSED),
    (S.UNKNOWN, S.SUCCEEDED),
    (S.UNKNOWN, S.REFUSED),
    (S.SUCCEEDED, S.UNKNOWN),
    (S.REFUSED, S.SUBMITTED),
}
LATER = NOON + timedelta(minutes=1)


@pytest.mark.parametrize("state", AttemptState)
@pytest.mark.parametrize("wanted", AttemptState)
def test_an_attempt_goes_where_it_may_and_nowhere_else(
    state: AttemptState, wanted: AttemptState
) -> None:
    attempt = an_attempt(state=state)
    if state is wanted:
        assert attempt.become(wanted, at=LATER) is attempt
    elif (state, wanted) in ALLOWED:
        moved = attempt.become(wanted, at=LATER)
        assert (moved.state, moved.changed_at, moved.begun_at) == (wanted, LATER, NOON)
    else:
        with pytest.raises(AttemptTransitionRefused) as refusal:
            attempt.become(wanted, at=LATER)
        assert (refusal.value.state, refusal.value.wanted) == (state, wanted)
