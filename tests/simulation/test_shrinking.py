"""A failing scenario is shrunk to the acts that it needs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from config.simulation.run import Outcome
from config.simulation.scenario import Scenario
from config.simulation.shrinking import shrink

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE = Scenario(seed=3, days=4, merchants=3)
FAILED = Outcome(
    scenario=WHOLE,
    broken="planted",
    what="",
    after=timedelta(days=1, hours=23),
    digest="",
    counts={},
    tail=(),
)


def planted(*needed: int, played: list[Scenario]) -> Callable[[Scenario], Outcome]:
    """Return what plays scenarios that fail wherever these acts are played."""

    def play(scenario: Scenario) -> Outcome:
        played.append(scenario)
        fails = set(needed) <= {act.number for act in scenario.acts()}
        return attrs.evolve(FAILED, scenario=scenario, broken="planted" if fails else None)

    return play


def early(*places: int) -> list[int]:
    """Return the numbers of acts of the first days, by their places."""
    acts = Scenario(seed=3, days=2, merchants=3).acts()
    return sorted(acts[place].number for place in places)


def test_what_is_not_needed_is_left_out() -> None:
    needed, played = early(5, 30, 60), list[Scenario]()
    shrunk = shrink(FAILED, play=planted(*needed, played=played))
    assert shrunk.broken == "planted"
    assert sorted(shrunk.scenario.only or ()) == needed
    assert shrunk.scenario.days == 2
    assert len(played) < 250


def test_another_failure_is_not_taken_for_the_same() -> None:
    def play(scenario: Scenario) -> Outcome:
        few = scenario.only is not None and len(scenario.only) < 10
        return attrs.evolve(FAILED, scenario=scenario, broken="another" if few else "planted")

    shrunk = shrink(FAILED, play=play)
    assert shrunk.broken == "planted"
    assert len(shrunk.scenario.only or ()) >= 10


def test_a_failure_that_needs_all_is_kept_as_it_was() -> None:
    def play(scenario: Scenario) -> Outcome:
        return attrs.evolve(FAILED, scenario=scenario, broken=None)

    assert shrink(FAILED, play=play) == FAILED


def test_it_gives_up_after_so_many_tries() -> None:
    played: list[Scenario] = []
    shrink(FAILED, play=planted(*early(5, 60), played=played), tries=3)
    assert len(played) == 4
