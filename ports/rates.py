"""Exchange rates, by source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.intents.quotes import RateObservation
    from domain.shared.money import Asset


class RateUnavailable(Exception):
    """The source has no rate for the pair, or did not answer."""


class RateSource(Protocol):
    """One place that says what assets are worth."""

    @property
    def name(self) -> str:
        """Under which it is shown in quotes."""
        ...

    async def observe(self, *, asset: Asset, currency: Asset) -> RateObservation:
        """Return what one whole unit of an asset is worth in whole units of a currency.

        Raises:
            RateUnavailable: there is no rate.
        """
        ...
