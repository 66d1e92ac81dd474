"""Asking for rates: what is heard of those who answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ports.rates import RateUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.intents.quotes import RateObservation
    from domain.shared.money import Asset
    from ports.rates import RateSource


async def observe(
    sources: Iterable[RateSource], asset: Asset, currency: Asset
) -> list[RateObservation]:
    """Return what an asset costs by each source that answers."""
    observations = []
    for source in sources:
        try:
            observations.append(await source.observe(asset=asset, currency=currency))
        except RateUnavailable:
            continue
    return observations
