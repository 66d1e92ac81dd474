"""Settings of assets: which the gateway works with, and from how much on something is done."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import attrs


@attrs.frozen
class AssetSetting:
    """An asset the gateway works with."""

    id: str
    symbol: str
    decimals: int = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(36)])
    peg: str | None = None
    sweep_from: str = "5"
    """From how many whole units on what lies at a deposit address is moved to the hot wallet."""
    deposit_from: str | None = None
    """From how many whole units on a payment to a customer's address is credited; less waits in
    suspense. Without it everything is."""

    @property
    def sweep_minimum(self) -> int:
        """``sweep_from`` in smallest units, a fraction of one rounded up.

        Raises:
            InvalidOperation: it is no number.
        """
        return self._smallest(self.sweep_from)

    @property
    def deposit_minimum(self) -> int | None:
        """``deposit_from`` in smallest units, a fraction of one rounded up.

        Raises:
            InvalidOperation: it is no number.
        """
        return None if self.deposit_from is None else self._smallest(self.deposit_from)

    def __attrs_post_init__(self) -> None:
        for name, units in (("sweep_from", self.sweep_from), ("deposit_from", self.deposit_from)):
            if units is not None and not self._is_amount(units):
                raise ValueError(f"{name} of {self.symbol} must be a decimal number above 0")

    def _is_amount(self, units: str) -> bool:
        try:
            return Decimal(units).is_finite() and self._smallest(units) > 0
        except InvalidOperation:
            return False

    def _smallest(self, units: str) -> int:
        one: int = 10**self.decimals
        return math.ceil(Fraction(Decimal(units)) * one)
