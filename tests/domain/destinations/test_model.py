"""Changes of destinations: which state follows which, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.destinations.model import (
    APPROVE_WITHIN,
    ChangeState,
    ChangeTransitionRefused,
    CoolDowns,
)
from domain.shared.modes import Mode
from tests.builders import NOON
from tests.contracts.payout_destinations import DAY, KEY, OLIVE, a_change

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.destinations.model import DestinationChange

INSTANT = timedelta(microseconds=1)
APPROVED = a_change().approve(by=OLIVE, at=NOON, cool_down=DAY)

VERBS: dict[ChangeState, Callable[[DestinationChange], DestinationChange]] = {
    ChangeState.COOLING_DOWN: lambda it: it.approve(by=OLIVE, at=NOON, cool_down=DAY),
    ChangeState.EFFECTIVE: lambda it: it.take_effect(at=NOON + DAY),
    ChangeState.CANCELED: lambda it: it.cancel(by=KEY, at=NOON, reason=None),
    ChangeState.REFUSED: lambda it: it.refuse(by=OLIVE, at=NOON, reason=None),
}
WAYS = {
    ChangeState.AWAITING_APPROVAL: {
        *(ChangeState.COOLING_DOWN, ChangeState.CANCELED, ChangeState.REFUSED)
    },
    ChangeState.COOLING_DOWN: {
        *(ChangeState.EFFECTIVE, ChangeState.CANCELED, ChangeState.REFUSED)
    },
}


@pytest.mark.parametrize("after", VERBS)
@pytest.mark.parametrize("before", ChangeState)
def test_from_one_state_to_the_other(before: ChangeState, after: ChangeState) -> None:
    change = attrs.evolve(APPROVED, state=before)
    if after in WAYS.get(before, ()):
        assert VERBS[after](change).state is after
        return
    with pytest.raises(ChangeTransitionRefused) as refusal:
        VERBS[after](change)
    assert (refusal.value.state, refusal.value.wanted) == (before, after)


def test_it_is_approved_before_it_lapses_and_never_after() -> None:
    last = NOON + APPROVE_WITHIN - INSTANT
    approved = a_change().approve(by=OLIVE, at=last, cool_down=DAY)
    assert (approved.approved_at, approved.effective_at) == (last, last + DAY)
    with pytest.raises(ChangeTransitionRefused):
        a_change().approve(by=OLIVE, at=last + INSTANT, cool_down=DAY)


def test_it_is_effective_when_it_has_cooled_down_and_not_before() -> None:
    with pytest.raises(ChangeTransitionRefused):
        APPROVED.take_effect(at=NOON + DAY - INSTANT)
    late = APPROVED.take_effect(at=NOON + DAY + INSTANT)
    assert late.effective_at == late.ended_at == NOON + DAY + INSTANT


def test_every_open_state_has_a_deadline_and_no_other_has() -> None:
    assert a_change().deadline == a_change().lapses_at
    assert APPROVED.deadline == NOON + DAY
    for state in set(ChangeState) - set(WAYS):
        assert attrs.evolve(APPROVED, state=state).deadline is None


@pytest.mark.parametrize(
    ("mode", "first", "waits"),
    [
        (Mode.LIVE, True, 2 * DAY),
        (Mode.LIVE, False, 2 * DAY),
        (Mode.TEST, True, timedelta(0)),
        (Mode.TEST, False, DAY),
    ],
)
def test_only_test_money_that_had_nowhere_to_go_does_not_wait(
    mode: Mode, waits: timedelta, *, first: bool
) -> None:
    assert CoolDowns(live=2 * DAY, test=DAY).of(mode, first=first) == waits


def test_live_accounts_always_wait() -> None:
    assert CoolDowns(test=timedelta(0)).of(Mode.TEST, first=False) == timedelta(0)
    for wrong in ({"live": timedelta(0)}, {"test": -DAY}):
        with pytest.raises(ValueError, match="must be"):
            CoolDowns(**wrong)
