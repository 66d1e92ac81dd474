"""What has once found a defect finds none any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.simulation.pinned import PINNED
from config.simulation.run import simulate

if TYPE_CHECKING:
    from config.simulation.pinned import Pinned


@pytest.mark.parametrize("pinned", PINNED, ids=lambda pinned: pinned.scenario.command())
def test_a_pinned_scenario_breaks_nothing(pinned: Pinned) -> None:
    outcome = simulate(pinned.scenario)
    assert outcome.ok, f"{pinned.found}: {outcome.broken}: {outcome.what}"


def test_what_is_pinned_is_small_enough_to_be_read() -> None:
    assert PINNED
    assert all(len(pinned.scenario.acts()) <= 30 for pinned in PINNED)
