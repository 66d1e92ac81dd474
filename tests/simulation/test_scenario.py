"""Acts are numbered once and for all, and a scenario can be said in one command."""

from __future__ import annotations

import pytest

from config.simulation.rails import RAILS
from config.simulation.scenario import FAULTS, Scenario, chosen_faults, chosen_rails


def test_numbers_do_not_depend_on_what_is_played() -> None:
    whole = {act.number: act for act in Scenario(seed=5, days=3, merchants=4).acts()}
    for part in (
        Scenario(seed=5, days=2, merchants=4),
        Scenario(seed=5, days=3, merchants=4, faults=("crash",)),
        Scenario(seed=5, days=3, merchants=4, only=(7, 19, 20)),
        Scenario(seed=5, days=3, merchants=4, rails=("evm",)),
        Scenario(seed=5, days=3, merchants=4, rails=("stars",)),
        Scenario(seed=5, days=3, merchants=4, rails=("customers",)),
    ):
        acts = part.acts()
        assert acts
        assert all(whole[act.number] == act for act in acts)


def test_acts_come_in_the_order_of_their_time_and_after_what_they_are_about() -> None:
    acts = Scenario(seed=6, days=3, merchants=4).acts()
    assert [act.at for act in acts] == sorted(act.at for act in acts)
    place = {act.number: place for place, act in enumerate(acts)}
    about = [(place[act.of], place[act.number]) for act in acts if act.of is not None]
    assert about
    assert all(first < second for first, second in about)


def test_only_the_faults_that_were_chosen_are_played() -> None:
    kinds = {act.kind for act in Scenario(5, 5, 4, chosen_faults("reorg, crash")).acts()}
    assert kinds == {"", "crash", "reorg"}
    assert {act.kind for act in Scenario(5, 5, 4, chosen_faults("none")).acts()} == {""}
    assert {act.kind for act in Scenario(5, 5, 4, chosen_faults("all")).acts()} == {"", *FAULTS}


def test_an_unknown_fault_is_named() -> None:
    with pytest.raises(ValueError, match="no faults of kind 'rain'"):
        chosen_faults("crash,rain")


def test_each_rail_has_acts_and_numbers_of_its_own() -> None:
    played = {
        rail: {act.number for act in Scenario(seed=5, days=3, merchants=4, rails=(rail,)).acts()}
        for rail in RAILS
    }
    assert all(played.values())
    whole = [act.number for act in Scenario(seed=5, days=3, merchants=4).acts()]
    assert sorted(whole) == sorted(number for numbers in played.values() for number in numbers)
    assert chosen_rails("stars, evm") == ("evm", "stars")
    with pytest.raises(ValueError, match="no rail 'hawala'"):
        chosen_rails("hawala")


@pytest.mark.parametrize(
    ("scenario", "command"),
    [
        (Scenario(5, 3), "switchyard simulate --seed 5 --days 3"),
        (
            Scenario(5, 3, 2, ("rpc",), (1, 4)),
            "switchyard simulate --seed 5 --days 3 --merchants 2 --faults rpc --only 1,4",
        ),
        (
            Scenario(5, 3, 10, (), ()),
            "switchyard simulate --seed 5 --days 3 --faults none --only none",
        ),
        (
            Scenario(5, 3, only=(4,), rails=("evm", "ton")),
            "switchyard simulate --seed 5 --days 3 --rails evm,ton --only 4",
        ),
    ],
)
def test_the_command_plays_it_again(scenario: Scenario, command: str) -> None:
    assert scenario.command() == command
