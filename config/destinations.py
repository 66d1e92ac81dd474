"""Settings of payout destinations: how long a change of one waits after its approval."""

from __future__ import annotations

from datetime import timedelta

import attrs

from config.checks import positive
from domain.destinations.model import CoolDowns

DAY_SECONDS = 86_400


@attrs.frozen(kw_only=True)
class PayoutDestinations:
    """How long payouts go to the old destination still, once a change of it is approved."""

    cool_down_seconds: int = attrs.field(default=DAY_SECONDS, validator=positive)
    """Of live accounts, for their first destination too."""
    test_cool_down_seconds: int = attrs.field(
        default=DAY_SECONDS, validator=attrs.validators.ge(0)
    )
    """Of test accounts; their first destination on a chain counts at once."""

    @property
    def cool_downs(self) -> CoolDowns:
        """The same as lengths of time."""
        return CoolDowns(
            live=timedelta(seconds=self.cool_down_seconds),
            test=timedelta(seconds=self.test_cool_down_seconds),
        )
