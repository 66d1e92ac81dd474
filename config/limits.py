"""Settings of limits: how much may be asked with one API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from config.checks import positive
from domain.limits.model import Kind, Quota

if TYPE_CHECKING:
    from collections.abc import Mapping


@attrs.frozen(kw_only=True)
class Limits:
    """How much may be asked with one API key, all API processes together."""

    window_seconds: int = attrs.field(default=10, validator=positive)
    """How long requests are counted together."""
    reads: int = attrs.field(default=2_000, validator=positive)
    """Requests that change nothing, in each window."""
    writes: int = attrs.field(default=1_000, validator=positive)
    """All others."""
    at_once: int = attrs.field(default=128, validator=positive)
    """Requests under way at a time, in each process."""
    streams: int = attrs.field(default=64, validator=positive)
    """Event streams open at a time, in each process."""
    store_usage_every_seconds: float = attrs.field(default=5.0, validator=positive)
    """How often a process stores what it has counted. A crash forgets what it has not."""

    @property
    def quotas(self) -> Mapping[Kind, Quota]:
        """How many requests of each kind there may be."""
        return {
            Kind.READ: Quota(self.reads, self.window_seconds),
            Kind.WRITE: Quota(self.writes, self.window_seconds),
        }
