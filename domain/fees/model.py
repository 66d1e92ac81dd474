"""Fee schedules and the lines they produce."""

from __future__ import annotations

import attrs

from domain.shared.money import Money

BPS = 10_000
"""Basis points in one."""

PLATFORM_BPS_MAX = 1_000
"""The highest platform fee, 10 %; the escrow contract refuses more (``MAX_FEE_BPS``)."""


@attrs.frozen
class FeeSchedule:
    """What the platform takes of a payment, in basis points of it."""

    bps: int = attrs.field(
        validator=[attrs.validators.ge(0), attrs.validators.le(PLATFORM_BPS_MAX)]
    )

    def on(self, gross: Money) -> FeeLine:
        """Compute the fee of a payment, rounded down, in the payer of the fee's favour.

        The escrow contract rounds the same way (``amount * feeBps / 10000`` on integers), so the
        books and the chain agree to the last unit.
        """
        return FeeLine(
            gross=gross, fee=Money(gross.amount * self.bps // BPS, gross.asset), bps=self.bps
        )


@attrs.frozen
class FeeLine:
    """A fee once computed: kept and booked, never derived again."""

    gross: Money
    fee: Money
    bps: int

    @property
    def net(self) -> Money:
        """What is left for the merchant."""
        return self.gross - self.fee
