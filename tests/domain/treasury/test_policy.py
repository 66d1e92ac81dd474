"""Thresholds: what one of them starts ends at another, whatever comes and goes."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.treasury.model import Condition, Spending
from domain.treasury.policy import (
    HotThresholds,
    Position,
    Tank,
    TankThresholds,
    ThresholdsCross,
    hot_condition,
    missing,
    surplus,
    tank,
    tank_condition,
)
from tests.builders import NOON

HOT = HotThresholds(minimum=20, target=40, maximum=100, least=5)
TANKS = TankThresholds(
    average_days=10, empty_days=1, low_days=5, ok_days=8, empty_below=2, low_below=10, ok_from=20
)
AMOUNTS = st.integers(0, 500)


def position(**changes: Any) -> Position:  # noqa: ANN401 (of any type)
    return attrs.evolve(Position(free=0, owed=0, unswept=0, cold=0), **changes)


@st.composite
def thresholds(draw: st.DrawFn) -> HotThresholds:
    minimum, target, maximum = sorted(
        draw(st.lists(st.integers(0, 300), min_size=3, max_size=3, unique=True))
    )
    least = draw(st.integers(1, 50))
    return HotThresholds(minimum=minimum, target=target, maximum=maximum, least=least)


class TestSurplus:
    @pytest.mark.parametrize(
        ("free", "owed", "amount"),
        [
            (100, 0, 0),
            (101, 0, 61),
            (101, 40, 61),
            (101, 60, 41),
            (101, 96, 5),
            (101, 97, 0),
            (101, 300, 0),
            (-5, 0, 0),
        ],
    )
    def test_it_is_what_is_above_the_target_and_above_what_is_owed(
        self, free: int, owed: int, amount: int
    ) -> None:
        assert surplus(position(free=free, owed=owed), HOT) == amount

    @given(
        thresholds(),
        st.builds(Position, free=AMOUNTS, owed=AMOUNTS, unswept=AMOUNTS, cold=AMOUNTS),
    )
    def test_what_is_left_is_enough_and_asks_for_nothing(
        self, limits: HotThresholds, before: Position
    ) -> None:
        amount = surplus(before, limits)
        after = attrs.evolve(before, free=before.free - amount, cold=before.cold + amount)

        assert amount == 0 or amount >= limits.least
        if not amount:
            return
        assert after.free >= max(limits.target, before.owed)
        # Neither is more moved at once, nor is any of it asked for again.
        assert after.free <= limits.maximum or surplus(after, limits) == 0
        assert missing(after, limits) == 0
        assert hot_condition(after, limits, was=Condition.OK) is Condition.OK

    @given(
        thresholds(),
        st.lists(st.tuples(st.integers(-120, 120), AMOUNTS), min_size=1, max_size=40),
    )
    def test_it_never_swings(self, limits: HotThresholds, days: list[tuple[int, int]]) -> None:
        """Between two transfers there came in what was missing to the maximum, and more."""
        free, came, moved = 0, 0, 0
        last: tuple[int, int] | None = None
        for change, owed in days:
            came += max(change, 0)
            free = max(free + change, 0)
            amount = surplus(position(free=free, owed=owed), limits)
            if not amount:
                continue
            free, moved = free - amount, moved + amount
            if last is not None:
                came_before, left = last
                assert came - came_before > limits.maximum - left
            last = came, free
            assert free >= max(limits.target, owed)
            assert moved <= came


class TestMissing:
    @pytest.mark.parametrize(
        ("changes", "amount"),
        [
            ({"cold": 100}, 40),
            ({"cold": 7}, 7),
            ({"free": 40, "cold": 100}, 0),
            ({"free": 90, "cold": 100, "owed": 150}, 60),
            ({"free": 90, "cold": 100, "owed": 150, "unswept": 30}, 30),
            ({"free": -10, "cold": 100}, 50),
        ],
    )
    def test_it_is_asked_for_up_to_the_target_and_what_is_owed(
        self, changes: dict[str, int], amount: int
    ) -> None:
        assert missing(position(**changes), HOT) == amount


class TestHotCondition:
    def test_it_is_low_below_the_minimum_until_it_is_at_its_target(self) -> None:
        was = Condition.OK
        told = []
        for free in (20, 19, 20, 39, 40, 20, 19):
            was = hot_condition(position(free=free), HOT, was=was)
            told.append(was)

        ok, low = Condition.OK, Condition.LOW
        assert told == [ok, low, low, low, ok, ok, low]

    @pytest.mark.parametrize(
        ("cold", "unswept", "condition"),
        [(1, 0, Condition.LOW), (0, 0, Condition.OK), (1, 10, Condition.OK)],
    )
    def test_it_is_low_where_what_is_owed_lies_in_the_cold_wallet(
        self, cold: int, unswept: int, condition: Condition
    ) -> None:
        there = position(free=50, owed=60, cold=cold, unswept=unswept)

        assert hot_condition(there, HOT, was=Condition.OK) is condition

    @given(thresholds(), st.lists(AMOUNTS, min_size=1, max_size=40))
    def test_between_two_changes_it_has_gone_all_the_way(
        self, limits: HotThresholds, days: list[int]
    ) -> None:
        was = Condition.OK
        for free in days:
            now = hot_condition(position(free=free), limits, was=was)
            if now is not was:
                low = now is Condition.LOW
                assert free < limits.minimum if low else free >= limits.target
            was = now


class TestTank:
    def test_days_left_are_at_the_pace_of_so_many_days(self) -> None:
        first = NOON - timedelta(days=300)
        found = tank(99, Spending(50, first), TANKS, at=NOON)

        assert found.days == Fraction(10)
        assert (found.per_day, found.days_left) == (5, 19)

    @pytest.mark.parametrize(
        ("hours", "per_day"), [(0, 50), (1, 50), (24, 50), (36, 34), (240, 5), (999, 5)]
    )
    def test_who_began_lately_has_spent_it_since_then(self, hours: int, per_day: int) -> None:
        first = NOON - timedelta(hours=hours)

        assert tank(99, Spending(50, first), TANKS, at=NOON).per_day == per_day

    def test_who_has_spent_nothing_can_go_on_for_ever(self) -> None:
        found = tank(1, Spending(0, None), TANKS, at=NOON)

        assert (found.per_day, found.days_left, found.lasts(10**6)) == (0, None, True)

    @pytest.mark.parametrize(
        ("held", "spent", "was", "now"),
        [
            (100, 100, "ok", "ok"),
            (100, 100, "low", "ok"),
            (79, 100, "low", "low"),
            (79, 100, "ok", "ok"),
            (50, 100, "ok", "ok"),
            (49, 100, "ok", "low"),
            (50, 100, "empty", "low"),
            (49, 100, "empty", "empty"),
            (9, 100, "low", "empty"),
            (9, 0, "ok", "low"),
            (19, 0, "low", "low"),
            (20, 0, "low", "ok"),
            (1, 0, "ok", "empty"),
            (0, 0, "low", "empty"),
            (-7, 0, "ok", "empty"),
        ],
    )
    def test_each_condition_ends_one_threshold_higher(
        self, held: int, spent: int, was: str, now: str
    ) -> None:
        found = Tank(held, spent, Fraction(10))

        assert tank_condition(found, TANKS, was=Condition(was)) is Condition(now)

    def test_with_days_alone_nothing_in_it_is_empty(self) -> None:
        days = TankThresholds(average_days=10, empty_days=1, low_days=5, ok_days=8)

        assert tank_condition(Tank(0, 0, Fraction(1)), days, was=Condition.OK) is Condition.EMPTY
        assert tank_condition(Tank(1, 0, Fraction(1)), days, was=Condition.OK) is Condition.OK

    @given(st.lists(AMOUNTS, min_size=1, max_size=40), st.integers(0, 300))
    def test_one_unit_that_comes_and_goes_is_told_once(self, days: list[int], spent: int) -> None:
        was = Condition.OK
        for held in days:
            was = tank_condition(Tank(held, spent, Fraction(10)), TANKS, was=was)
        told = []
        for held in (days[-1], days[-1] + 1) * 3:
            now = tank_condition(Tank(held, spent, Fraction(10)), TANKS, was=was)
            told += [now] if now is not was else []
            was = now
        assert len(told) <= 1


@pytest.mark.parametrize(
    "changes",
    [{"minimum": -1}, {"minimum": 40}, {"target": 100}, {"maximum": 40}, {"least": 0}],
)
def test_thresholds_that_cross_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ThresholdsCross):
        attrs.evolve(HOT, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"empty_days": 5},
        {"low_days": 8},
        {"ok_days": 5},
        {"average_days": 0},
        {"low_below": 21},
        {"empty_below": 11},
        {"empty_below": -1},
    ],
)
def test_thresholds_of_a_tank_that_cross_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ThresholdsCross):
        attrs.evolve(TANKS, **changes)
