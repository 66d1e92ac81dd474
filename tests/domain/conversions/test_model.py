from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from domain.conversions.model import (
    UNKNOWN_AFTER,
    ConversionState,
    ConversionTransitionRefused,
    LimitsNotOfQuote,
    LockLapsed,
)
from domain.conversions.pools import Path
from domain.conversions.swaps import Cause, SwapFailure
from domain.intents.quotes import LOCK_MAX
from domain.shared.ids import SubmissionId
from domain.shared.money import Money
from tests.builders import NOON, USDT
from tests.domain.conversions.builders import (
    ONE,
    TWO,
    a_conversion,
    a_quote,
    a_swap,
    failed,
    swapped,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.conversions.model import Conversion

LATER = NOON + timedelta(minutes=1)
SUBMISSION = SubmissionId("sub_01")
NO_POOL = SwapFailure(Cause.NO_ROUTE, "there is no pool")
S = ConversionState

MOVES: dict[str, Callable[[Conversion], Conversion]] = {
    "lock": lambda c: c.lock(a_swap(), at=LATER),
    "execute": lambda c: c.execute(submission_id=SUBMISSION, at=LATER),
    "complete": lambda c: c.complete(swapped(), at=LATER),
    "fail": lambda c: c.fail(failed(), at=LATER),
    "refuse": lambda c: c.refuse(NO_POOL, at=LATER),
    "lose": lambda c: c.lose(at=LATER),
    "resolve": lambda c: c.resolve(swapped(), at=LATER, resolved_by="op_01"),
}
WAYS = {
    (S.QUOTED, "lock"): S.LOCKED,
    (S.QUOTED, "refuse"): S.REFUSED,
    (S.LOCKED, "execute"): S.EXECUTING,
    (S.LOCKED, "refuse"): S.REFUSED,
    (S.EXECUTING, "complete"): S.COMPLETED,
    (S.EXECUTING, "fail"): S.REFUSED,
    (S.EXECUTING, "refuse"): S.REFUSED,
    (S.EXECUTING, "lose"): S.UNKNOWN,
    (S.UNKNOWN, "resolve"): S.RESOLVED,
}


def in_state(state: ConversionState) -> Conversion:
    return a_conversion(state=state, swap=None if state == S.QUOTED else a_swap())


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", ConversionState)
def test_there_is_no_other_way(state: ConversionState, move: str) -> None:
    wanted = WAYS.get((state, move))
    if wanted is None:
        with pytest.raises(ConversionTransitionRefused) as caught:
            MOVES[move](in_state(state))
        assert (caught.value.id, caught.value.state) == ("cnv_01", state)
    else:
        moved = MOVES[move](in_state(state))
        assert (moved.state, moved.changed_at, moved.created_at) == (wanted, LATER, NOON)


def test_a_conversion_keeps_what_it_was_decided_by() -> None:
    locked = a_conversion().lock(a_swap(), at=LATER)
    executing = locked.execute(submission_id=SUBMISSION, at=LATER)
    assert (executing.swap, executing.submission_id) == (a_swap(), SUBMISSION)
    assert executing.complete(swapped(), at=LATER).outcome == swapped()

    refused = executing.fail(failed(), at=LATER)
    assert (refused.outcome, refused.refusal) == (failed(), failed().failure)
    assert locked.refuse(NO_POOL, at=LATER).refusal == NO_POOL

    unknown = executing.lose(at=LATER)
    assert unknown.resolve(swapped(), at=LATER).refusal is None
    decided = unknown.resolve(failed(), at=LATER, resolved_by="op_01")
    assert (decided.refusal, decided.resolved_by) == (failed().failure, "op_01")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"money_in": Money(10**6 + 1, ONE)}, "money_in"),
        ({"path": Path((ONE, USDT.id, TWO))}, "path"),
        ({"minimum_out": a_quote().money_out + Money(1, TWO)}, "minimum_out"),
        ({"deadline": NOON + LOCK_MAX + timedelta(microseconds=1)}, "deadline"),
    ],
)
def test_only_what_was_quoted_is_locked(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(LimitsNotOfQuote) as caught:
        a_conversion().lock(a_swap(**changes), at=LATER)
    assert caught.value.field == field


def test_nothing_begins_after_its_time() -> None:
    with pytest.raises(LockLapsed):
        a_conversion().lock(a_swap(), at=NOON + LOCK_MAX)
    locked = a_conversion().lock(a_swap(), at=LATER)
    with pytest.raises(LockLapsed):
        locked.execute(submission_id=SUBMISSION, at=a_swap().deadline)


def test_every_state_that_does_not_last_has_a_deadline_or_is_up_to_a_person() -> None:
    assert {state: in_state(state).due for state in ConversionState} == {
        S.QUOTED: NOON + LOCK_MAX,
        S.LOCKED: a_swap().deadline,
        S.EXECUTING: a_swap().deadline + UNKNOWN_AFTER,
        S.UNKNOWN: None,
        S.COMPLETED: None,
        S.REFUSED: None,
        S.RESOLVED: None,
    }


def test_less_than_the_least_is_told() -> None:
    executing = in_state(S.EXECUTING)
    assert not executing.is_short
    assert not executing.complete(swapped(), at=LATER).is_short
    least = a_swap().minimum_out
    assert not executing.complete(swapped(received=least), at=LATER).is_short
    less = swapped(received=least - Money(1, TWO))
    assert executing.complete(less, at=LATER).is_short
