"""Requests by key, day and status class: counted in memory, and handed over now and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import attrs

from domain.shared.ids import KeyId

USED_EVERY = timedelta(minutes=1)
"""How much newer a last use is than the one that is noted, for it to be noted."""


@attrs.frozen(order=True)
class Requests:
    """How many requests with a key were answered on a day (UTC) with a status of a class."""

    key_id: KeyId
    day: date
    status_class: int
    """The first digit of the status, from 1 to 5."""
    count: int


@attrs.frozen
class Counted:
    """What was counted since it was last asked for."""

    requests: tuple[Requests, ...]
    used: Mapping[KeyId, datetime]


@attrs.define(eq=False)
class Meter:
    """Counts in this process's memory. What it holds is lost if the process is killed."""

    _counts: Counter[tuple[KeyId, date, int]] = attrs.field(factory=Counter, init=False)
    _used: dict[KeyId, datetime] = attrs.field(factory=dict, init=False)

    def count(self, key_id: KeyId, *, status: int, at: datetime) -> None:
        """Count one request."""
        self._counts[key_id, at.date(), status // 100] += 1
        self._used[key_id] = at

    def take(self) -> Counted:
        """Hand over what was counted, and begin anew."""
        counts, self._counts = self._counts, Counter()
        used, self._used = self._used, {}
        # In an order that is everybody's, so that two processes cannot wait for each other.
        found = sorted(Requests(*which, count) for which, count in counts.items())
        return Counted(tuple(found), used)

    def put_back(self, counted: Counted) -> None:
        """Take back what could not be stored."""
        for it in counted.requests:
            self._counts[it.key_id, it.day, it.status_class] += it.count
        self._used = {**counted.used, **self._used}
