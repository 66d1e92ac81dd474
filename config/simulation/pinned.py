"""Scenarios that once found a defect, played again in every campaign."""

from __future__ import annotations

import attrs

from config.simulation.scenario import Scenario

FIRST = ("evm",)
"""What was drawn before there were other rails: acts for them would tell other stories."""


@attrs.frozen
class Pinned:
    """A scenario and what it found."""

    scenario: Scenario
    found: str


PINNED: tuple[Pinned, ...] = (
    Pinned(
        Scenario(seed=1, days=2, merchants=3, only=(57, 162, 164), rails=FIRST),
        "Blocks that a stuck node had shown were called final by their number, not by their name.",
    ),
    Pinned(
        Scenario(seed=1, days=1, merchants=3, only=(27, 28, 29), rails=FIRST),
        "Accepting what was overpaid changed a succeeded intent and told nobody.",
    ),
    Pinned(
        Scenario(
            seed=1,
            days=2,
            merchants=2,
            only=(57, 58, 62, 63, 66, 75, 77, 89, 93, 94, 95, 97, 100, 102, 103, 104),
            rails=FIRST,
        ),
        "A delivery whose job ran on a machine with a slow clock was never tried again.",
    ),
    Pinned(
        Scenario(seed=25, days=2, merchants=4, only=(50, 51, 52, 102), rails=FIRST),
        "Where a release was turned away, a payout of the native coin took all the gas there was.",
    ),
    Pinned(
        Scenario(seed=5, days=2, merchants=3, only=(19, 20, 22, 160), rails=FIRST),
        "An intent that stayed paid was called retracted when money on top of it went away.",
    ),
    Pinned(
        Scenario(seed=22, days=2, merchants=3, only=(140, 141, 150), rails=FIRST),
        "Money of the wrong asset was never taken back when its block was.",
    ),
    Pinned(
        Scenario(seed=18, days=1, merchants=4, only=(), rails=FIRST),
        "A gas tank booked before the chain was read seemed to be missing: its asset was parked.",
    ),
    Pinned(
        Scenario(seed=5, days=2, merchants=2, only=(16, 17, 18, 40_000_001), rails=FIRST),
        "A payout's transaction was replaced by another one, and its merchant was not told.",
    ),
)
