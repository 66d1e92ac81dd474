"""When money goes to the cold wallet, and when a person has to bring some back.

All thresholds are hysteresis: what one of them starts ends at another, so that nothing is moved
or told twice for one unit that comes and goes.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import attrs

from domain.treasury.model import Condition

if TYPE_CHECKING:
    from datetime import datetime

    from domain.treasury.model import Spending

DAY = timedelta(days=1)

SPENT_ON = frozenset({"network_fee", "sweep_funding"})
"""The kinds of booking by which a gas tank pays the network: see ``domain.settlements.booking``
and ``domain.sweeps.booking``."""


@attrs.frozen
class ThresholdsCross(ValueError):
    """Thresholds are not in their order, so that what one starts another would not end."""

    order: str


@attrs.frozen(kw_only=True)
class HotThresholds:
    """How much of an asset the hot wallet may hold, smallest units."""

    minimum: int
    """Below this a person is told to bring money from the cold wallet."""
    target: int
    """Down to this money is moved away, and up to this it is asked for."""
    maximum: int
    """Above this money is moved away."""
    least: int
    """The smallest amount that is worth a transfer."""

    def __attrs_post_init__(self) -> None:
        if not (0 <= self.minimum < self.target < self.maximum and self.least > 0):
            raise ThresholdsCross("0 <= min < target < max, and the least transfer is above 0")


@attrs.frozen(kw_only=True)
class Position:
    """What there is of one asset, by the books; smallest units."""

    free: int
    """What the hot wallet holds, less what is promised or under way. It is less than nothing
    where more is promised than is there."""
    owed: int
    """What merchants can ask for at any time."""
    unswept: int
    """What lies at deposit addresses, and will come to the hot wallet by itself."""
    cold: int


def surplus(position: Position, thresholds: HotThresholds) -> int:
    """Return how much should be moved to the cold wallet now; 0 for nothing.

    All that is owed stays, wherever it came from: money at deposit addresses may take a while.
    """
    if position.free <= thresholds.maximum:
        return 0
    amount = position.free - max(thresholds.target, position.owed)
    return amount if amount >= thresholds.least else 0


def missing(position: Position, thresholds: HotThresholds) -> int:
    """Return how much a person should bring from the cold wallet; 0 for nothing.

    The hot wallet shall come to its target, and together with what is still to be swept to what
    is owed; never more than there is.
    """
    wanted = max(thresholds.target, position.owed - position.unswept)
    return max(min(wanted - position.free, position.cold), 0)


def hot_condition(position: Position, thresholds: HotThresholds, *, was: Condition) -> Condition:
    """Tell how well the hot wallet is filled: low below the minimum, until it is at its target.

    It is low as well where what is owed can only be paid with money from the cold wallet.
    """
    limit = thresholds.minimum if was is Condition.OK else thresholds.target
    short = position.owed > max(position.free, 0) + position.unswept and position.cold > 0
    return Condition.LOW if position.free < limit or short else Condition.OK


@attrs.frozen(kw_only=True)
class TankThresholds:
    """When a chain's gas tank is low or empty: in days, and in smallest units of its coin."""

    average_days: int
    """Over how many days spending is averaged."""
    empty_days: int
    low_days: int
    ok_days: int
    empty_below: int = 0
    low_below: int = 0
    ok_from: int = 0

    def __attrs_post_init__(self) -> None:
        days = 0 <= self.empty_days < self.low_days < self.ok_days and self.average_days > 0
        if not (days and 0 <= self.empty_below <= self.low_below <= self.ok_from):
            raise ThresholdsCross(
                "0 <= empty_days < low_days < ok_days, 0 <= empty_below <= low_below <= ok_from,"
                " and the average is over a day at least"
            )


@attrs.frozen
class Tank:
    """What pays the network's fees on a chain, and how fast it goes; smallest units."""

    held: int
    spent: int
    """What was spent in the last so many days."""
    days: Fraction

    @property
    def per_day(self) -> int:
        """What was spent in a day on average, rounded up."""
        return -(-self.spent * self.days.denominator // self.days.numerator)

    @property
    def days_left(self) -> int | None:
        """For how many whole days it lasts at this pace; None where nothing was spent."""
        return max(self.held, 0) // self.per_day if self.per_day else None

    def lasts(self, days: int) -> bool:
        """Tell whether it lasts for so many days."""
        return self.days_left is None or self.days_left >= days


def tank(held: int, spending: Spending, thresholds: TankThresholds, *, at: datetime) -> Tank:
    """Return a tank with the days that its spending was spread over.

    A gateway that began yesterday has spent in a day what it has spent; one that has never sent
    anything is not asked to have any number of days' worth.
    """
    since = timedelta(days=thresholds.average_days)
    if spending.first is not None:
        since = min(since, max(at - spending.first, DAY))
    return Tank(held, spending.amount, Fraction(since // timedelta(seconds=1), 86_400))


def tank_condition(tank: Tank, thresholds: TankThresholds, *, was: Condition) -> Condition:
    """Tell how well a gas tank is filled.

    Each condition ends one threshold above the one at which it begins: empty where it would not
    be low any more, low where it has enough for ``ok_days``.
    """
    it = thresholds
    empty = tank.held <= 0 or tank.held < it.empty_below or not tank.lasts(it.empty_days)
    low = empty or tank.held < it.low_below or not tank.lasts(it.low_days)
    fine = not low and tank.held >= it.ok_from and tank.lasts(it.ok_days)
    if fine or (was is Condition.OK and not low):
        return Condition.OK
    if empty or (was is Condition.EMPTY and low):
        return Condition.EMPTY
    return Condition.LOW
