"""How much may be asked in a time: quotas, and blocks of them that processes take in advance."""

from __future__ import annotations

import enum

import attrs

BLOCKS = 20
"""In how many blocks a quota is taken, at least: a request in each waits for the storage."""


class Kind(enum.StrEnum):
    """What requests are limited together."""

    READ = "read"
    WRITE = "write"


@attrs.frozen
class Quota:
    """How many requests of a kind may be made with a key in each window of time."""

    requests: int
    window_seconds: int

    @property
    def block(self) -> int:
        """How many a process takes at once."""
        return max(1, self.requests // BLOCKS)


@attrs.frozen
class Lease:
    """What a process was given of a window's quota."""

    window: int
    granted: int
    left: int
    """What is left of it for all processes."""


@attrs.frozen
class Standing:
    """Where a key stands in a window, as this process knows it."""

    remaining: int
    resets_in_seconds: int


@attrs.frozen
class QuotaExceeded(Exception):
    """As many requests were made in this window as may be."""

    kind: Kind
    standing: Standing


@attrs.frozen
class TooManyAtOnce(Exception):
    """As many requests with this key are under way as may be."""

    limit: int


@attrs.define(eq=False)
class Purse:
    """What a process has of one key's quota of one kind."""

    window: int = -1
    own: int = 0
    """Requests that may be let through without asking."""
    others: int = 0
    """What was left for all processes when this one last asked."""

    def turn_to(self, window: int, *, quota: Quota) -> None:
        """Begin a window: what was taken in the one before is worth nothing."""
        if window > self.window:
            self.window, self.own, self.others = window, 0, quota.requests

    def receive(self, lease: Lease) -> None:
        """Take in what was leased for this window, or for one that other clocks are at."""
        if lease.window >= self.window:
            own = self.own if lease.window == self.window else 0
            self.window, self.own, self.others = lease.window, own + lease.granted, lease.left

    @property
    def is_spent(self) -> bool:
        """Tell whether there is nothing here, and nothing to be had."""
        return self.own == 0 and self.others == 0
