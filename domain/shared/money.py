"""Money: whole numbers of an asset's smallest unit, and the assets they are counted in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, NewType

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

AssetId = NewType("AssetId", str)
"""A CAIP-19-like name: ``eip155:56/erc20:0x55d3…``, ``ton:mainnet/jetton:EQCx…``, ``iso4217:USD``.

``slip44`` names a chain's own coin, whatever it is called at the time.
"""

ChainId = NewType("ChainId", str)
"""A CAIP-2-like name of a chain: ``eip155:56``, ``ton:mainnet``."""

AMOUNT_MAX = 2**256 - 1
"""The largest amount any rail can express (a uint256)."""

_ASSET_ID = re.compile(
    r"iso4217:[A-Z]{3}"
    r"|[a-z0-9]{3,12}:[A-Za-z0-9_-]{1,32}/[a-z0-9]{3,12}:[A-Za-z0-9._-]{1,128}"
    r"|[a-z0-9]{3,12}/[a-z0-9]{3,12}"
)


@attrs.frozen
class MalformedAssetId(ValueError):
    """The text is not a name an asset can have."""

    text: str


@attrs.frozen
class UnknownAsset(LookupError):
    """This deployment does not know the asset."""

    asset: str


@attrs.frozen
class AssetMismatch(ValueError):
    """Two amounts of different assets met in one sum or comparison."""

    expected: AssetId
    got: AssetId


@attrs.frozen
class AmountOutOfRange(ValueError):
    """The amount is not a whole number that the asset can carry."""

    amount: object


def asset_id(text: str) -> AssetId:
    """Read an asset id. On EVM chains capitals are a checksum for people and no part of a name.

    Raises:
        MalformedAssetId: the text does not have the shape of one.
    """
    if text.startswith("eip155:"):
        text = text.lower()
    if not _ASSET_ID.fullmatch(text):
        raise MalformedAssetId(text)
    return AssetId(text)


def chain_of(asset: AssetId) -> ChainId | None:
    """Return the chain an asset lives on, or None for assets of no chain (fiat, Stars)."""
    chain, slash, _ = asset.partition("/")
    return ChainId(chain) if slash and ":" in chain else None


@attrs.frozen(order=False)
class Money:
    """A signed whole number of an asset's smallest unit."""

    amount: int
    asset: AssetId

    def __attrs_post_init__(self) -> None:
        if type(self.amount) is not int or abs(self.amount) > AMOUNT_MAX:
            raise AmountOutOfRange(self.amount)

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.asset)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.asset)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.asset)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _same(self, other: Money) -> int:
        if other.asset != self.asset:
            raise AssetMismatch(expected=self.asset, got=other.asset)
        return other.amount


def zero(asset: AssetId) -> Money:
    """Return no money, of an asset."""
    return Money(0, asset)


@attrs.frozen
class Asset:
    """What is known of an asset: data, never its identity."""

    id: AssetId
    symbol: str
    decimals: int = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(36)])
    peg: AssetId | None = None
    """The fiat currency a stablecoin promises to be worth, if it promises one."""

    def units(self, amount: int) -> Fraction:
        """Return an amount of smallest units in whole units, exactly."""
        return Fraction(amount, 10**self.decimals)

    def render(self, amount: int) -> str:
        """Return an amount as people read it, all decimals shown: ``25.000000``."""
        sign = "-" if amount < 0 else ""
        digits = str(abs(amount)).rjust(self.decimals + 1, "0")
        cut = len(digits) - self.decimals
        return f"{sign}{digits[:cut]}" + (f".{digits[cut:]}" if self.decimals else "")

    def round_up(self, units: Fraction) -> Money:
        """Return whole units as money, a fraction of the smallest unit rounded up."""
        return Money(ceil(units * 10**self.decimals), self.id)


@attrs.frozen
class Assets:
    """The allow-list of assets a deployment works with."""

    by_id: Mapping[AssetId, Asset]

    @classmethod
    def of(cls, assets: Iterable[Asset]) -> Assets:
        """Index assets by id."""
        return cls({asset.id: asset for asset in assets})

    def find(self, name: str) -> Asset:
        """Return what is known of the asset named.

        Raises:
            UnknownAsset: it is not on the list.
        """
        asset = self.by_id.get(AssetId(name))
        if asset is None:
            raise UnknownAsset(name)
        return asset
