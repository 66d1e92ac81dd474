"""How well a provider serves: whether it is asked at all, and how fast it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES_MAX: Final = 3
"""So many in a row, and a provider rests."""

REST_SECONDS, REST_SECONDS_MAX = 5.0, 300.0
"""The first rest, and the longest: each rest that ends in a failure doubles the next."""

LACKS_SECONDS: Final = 600.0
"""How long a provider is not asked for what it does not serve; plans and versions change."""

_WEIGHT = 0.2
"""Of a new measurement in the mean: the last five or so count."""


class Health:
    """A circuit breaker, a mean latency, a lag, and a list of what a provider does not serve."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock: Final = clock
        self._failures = 0
        self._rests = 0
        self._rests_until = 0.0
        self._lacks_until: dict[str, float] = {}
        self.latency_seconds = 0.0
        self.lags = False
        """True while it is far behind the best head that was seen with it."""

    @property
    def rests_until(self) -> float:
        """The moment from which it may be probed again, on the clock's scale."""
        return self._rests_until

    def serves(self, what: str) -> bool:
        """Tell whether it is asked for something now."""
        now = self._clock()
        return not self.lags and now >= max(self._rests_until, self._lacks_until.get(what, 0.0))

    def took(self, seconds: float) -> None:
        """Note how long it took for a question that all are asked."""
        if self.latency_seconds:
            seconds = self.latency_seconds + _WEIGHT * (seconds - self.latency_seconds)
        self.latency_seconds = seconds

    def succeeded(self) -> None:
        """Close the circuit."""
        self._failures = self._rests = 0
        self._rests_until = 0.0

    def failed(self) -> bool:
        """Note a failure; return whether it should rest now.

        After a rest a single failure is enough: the first question was the probe.
        """
        self._failures += 1
        return self._failures >= FAILURES_MAX or self._rests > 0

    def rest(self) -> None:
        """Open the circuit: it is not asked for a while, and then once."""
        seconds = min(REST_SECONDS * 2**self._rests, REST_SECONDS_MAX)
        self._rests += 1
        self._failures = 0
        self._rests_until = self._clock() + seconds

    def lacks(self, what: str) -> None:
        """Note that it does not serve something."""
        self._lacks_until[what] = self._clock() + LACKS_SECONDS
