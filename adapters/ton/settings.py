"""What a deployment says about TON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
from attrs.validators import deep_iterable, ge, gt, in_, instance_of, le, optional

from adapters.ton.fees import TETHER, JettonLimits
from adapters.ton.highload import TIMEOUT_SECONDS_MAX
from domain.shared.money import Asset, ChainId

if TYPE_CHECKING:
    from domain.shared.money import AssetId

MAINNET = -239
"""The network's global id (`global_id` of its blocks); the test network's is -3."""
TESTNET = -3


def _http(_: object, attribute: attrs.Attribute[Any], value: str) -> None:
    """Check an address without repeating it."""
    if not value.startswith(("http://", "https://")) or not value.isprintable() or " " in value:
        raise ValueError(f"{attribute.name} must be an HTTP address")


def _key(chain: TonChain, attribute: attrs.Attribute[Any], value: str) -> None:
    """Check that a header can hold the key, and that it is not sent for all to read."""
    if not value.isascii() or not value.isprintable() or not value or " " in value:
        raise ValueError(f"{attribute.name} must be printable, without spaces")
    if not (chain.toncenter_url or "").startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"{attribute.name} is sent to an HTTPS address only")


@attrs.frozen
class Jetton:
    """A token by its master contract: TEP-74, and nothing but the master says what is genuine."""

    asset: Asset
    master: str
    """Raw: ``0:`` and 64 hexadecimal digits, lower case."""
    limits: JettonLimits = TETHER
    """The most that the jetton's wallets take of gas and rent."""


@attrs.frozen(kw_only=True)
class TonChain:
    """The chain: its liteservers, its coin, and the jettons that exist for the gateway."""

    global_id: int = attrs.field(default=MAINNET, validator=in_((MAINNET, TESTNET)))
    config: Mapping[str, Any] = attrs.field(repr=False)
    """The network's global configuration, as it is published: ``liteservers`` are what counts."""
    native: Asset
    """The chain's coin; how it is called is data."""
    jettons: tuple[Jetton, ...] = attrs.field(
        default=(), validator=deep_iterable(instance_of(Jetton))
    )
    trust_level: int = attrs.field(default=1, validator=in_((1, 2)))
    """pytoniq's: 1 checks every proof against the masterchain block that a server names."""
    request_timeout_seconds: int = attrs.field(default=10, validator=gt(0))
    scan_blocks: int = attrs.field(default=100, validator=[ge(1), le(1_000)])
    """Most masterchain blocks of one scan."""

    stale_seconds: int = attrs.field(default=60, validator=gt(0))
    """The newest masterchain block of liteservers that stand still is older than that."""
    lag_blocks: int = attrs.field(default=50, validator=ge(1))
    """So many masterchain blocks one source may be behind another; there are two or three a second
    since April 2026 (docs.ton.org, sub-second finality)."""
    toncenter_url: str | None = attrs.field(default=None, repr=False, validator=optional(_http))
    """Who else is asked, as ``https://toncenter.com/api/v2``. It may hold a provider's key."""
    toncenter_key: str | None = attrs.field(default=None, repr=False, validator=optional(_key))
    toncenter_seconds: float = attrs.field(default=2.0, validator=gt(0))
    """How long its answer counts: twice as often it is asked at most, by each process."""
    toncenter_required: bool = False
    """Whether nothing is read while it is silent. It always stops all reading to disagree."""

    message_seconds: int = attrs.field(default=3_600, validator=[ge(60), le(TIMEOUT_SECONDS_MAX)])
    """How long a message of ours may come into a block. The hot wallet's address depends on it."""

    @property
    def chain(self) -> ChainId:
        """The chain's name: CAIP-2 for TON is the global id in its namespace."""
        return ChainId(f"ton:{self.global_id}")

    def jetton_of(self, asset: AssetId) -> Jetton | None:
        """Return the jetton that an asset is, or None where it is none of this chain's."""
        return next((each for each in self.jettons if each.asset.id == asset), None)
