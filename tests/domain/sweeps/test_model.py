from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.shared.ids import SubmissionId
from domain.sweeps.model import OPEN, SweepState, SweepTransitionRefused
from tests.builders import NOON, usdt
from tests.chain_builders import a_sweep

if TYPE_CHECKING:
    from domain.sweeps.model import Sweep

LATER = NOON + timedelta(minutes=1)


def moved(sweep: Sweep) -> Sweep:
    return sweep.move(usdt(120), submission_id=SubmissionId("sub_02"), at=LATER)


def test_a_sweep_is_funded_moved_and_done() -> None:
    moving = moved(a_sweep())
    assert moving == attrs.evolve(
        a_sweep(),
        state=SweepState.MOVING,
        money=usdt(120),
        submission_id=SubmissionId("sub_02"),
        changed_at=LATER,
    )

    done = moving.finish(at=LATER + timedelta(minutes=1))
    assert (done.state, done.is_open) == (SweepState.DONE, False)
    assert done.changed_at == LATER + timedelta(minutes=1)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_open_sweep_can_be_refused_with_a_reason(state: SweepState) -> None:
    sweep = a_sweep(state=state)
    assert sweep.is_open

    refused = sweep.refuse(reason="reverted", at=LATER)

    assert (refused.state, refused.reason, refused.is_open) == (
        SweepState.REFUSED,
        "reverted",
        False,
    )


@pytest.mark.parametrize("state", sorted(set(SweepState) - OPEN))
def test_what_has_ended_never_changes(state: SweepState) -> None:
    ended = a_sweep(state=state)

    with pytest.raises(SweepTransitionRefused):
        moved(ended)
    with pytest.raises(SweepTransitionRefused):
        ended.finish(at=LATER)
    with pytest.raises(SweepTransitionRefused):
        ended.refuse(reason="again", at=LATER)


def test_nothing_is_moved_twice_and_nothing_is_done_that_was_not_moved() -> None:
    with pytest.raises(SweepTransitionRefused) as twice:
        moved(moved(a_sweep()))
    assert (twice.value.state, twice.value.wanted) == (SweepState.MOVING, SweepState.MOVING)
    with pytest.raises(SweepTransitionRefused):
        a_sweep().finish(at=LATER)
