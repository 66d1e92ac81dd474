"""Settings of what large amounts need to be final, beyond what is final by a chain's own rule."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import attrs

from config.checks import positive
from domain.chains.finality import Ladder, Rung
from domain.shared.money import ChainId, MalformedAssetId, asset_id, chain_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.assets import AssetSetting
    from config.chains import ChainSetting
    from config.settings import Settings
    from domain.shared.money import AssetId, Assets

CONFIRMATIONS_MAX: Final = 10_000
AGE_SECONDS_MAX: Final = 7 * 86_400
"""Longer than any chain takes; all blocks of that time are kept."""

_COIN = "/slip44:"


def _decimal(_: object, attribute: attrs.Attribute[str], value: str) -> None:
    try:
        usable = Decimal(value).is_finite() and Decimal(value) > 0
    except InvalidOperation:
        usable = False
    if not usable:
        raise ValueError(f"{attribute.name} of large_amounts must be a decimal number above 0")


@attrs.frozen(kw_only=True)
class LargeAmount:
    """From how much of an asset on which evidence is wanted, on one chain."""

    asset: str
    at_least: str = attrs.field(validator=_decimal)
    """In whole units: of all that is not that certain yet, not of each payment."""
    confirmations: int = attrs.field(
        default=0,
        validator=[attrs.validators.ge(0), attrs.validators.le(CONFIRMATIONS_MAX)],
    )
    """Blocks on top."""
    age_seconds: int = attrs.field(
        default=0, validator=[attrs.validators.ge(0), attrs.validators.le(AGE_SECONDS_MAX)]
    )
    """How much later the newest block has to be, by the chain's own time."""
    quorum: int = attrs.field(default=1, validator=positive)
    """How many providers must name the block alike."""

    def __attrs_post_init__(self) -> None:
        if not self.confirmations and not self.age_seconds and self.quorum == 1:
            raise ValueError(
                f"large_amounts of {self.asset} ask for nothing: "
                "set confirmations, age_seconds or quorum"
            )

    def rung(self, assets: Assets) -> Rung:
        """Return it as the rule takes it, a fraction of the smallest unit rounded up."""
        asset = assets.find(asset_id(self.asset))
        return Rung(
            at_least=asset.round_up(Fraction(Decimal(self.at_least))),
            confirmations=self.confirmations,
            age=timedelta(seconds=self.age_seconds),
            quorum=self.quorum,
        )


def check_large_amounts(chains: Iterable[ChainSetting], *, assets: Iterable[AssetSetting]) -> None:
    """Check that large amounts are of assets there are, and ask for what can be had.

    Raises:
        ValueError: they are not, or do not.
    """
    known = {asset_id(asset.id) for asset in assets}
    for chain in chains:
        for each in chain.large_amounts:
            where = f"large_amounts of {chain.id}: {each.asset}"
            asset = _read(each.asset)
            if asset is None or asset not in known:
                raise ValueError(f"{where} is not one of the assets")
            if chain_of(asset) != chain.id:
                raise ValueError(f"{where} is an asset of another chain")
            if chain.id.startswith("eip155:") and _COIN in asset:
                # What contracts send shows in balances alone, and is found when it is final.
                raise ValueError(f"{where} is a coin; only tokens can be waited for by amount")
            if each.quorum > chain.providers:
                raise ValueError(f"{where} has a quorum of more than there are providers")


def _read(asset: str) -> AssetId | None:
    try:
        return asset_id(asset)
    except MalformedAssetId:
        return None


def ladders(settings: Settings, assets: Assets) -> Mapping[ChainId, Ladder]:
    """Return what large amounts need, of each chain for which anything is said about that."""
    return {
        ChainId(chain.id): Ladder(tuple(each.rung(assets) for each in chain.large_amounts))
        for chain in settings.chains
        if chain.large_amounts
    }
