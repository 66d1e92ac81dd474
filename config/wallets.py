"""Settings of hot and cold wallets, and of gas tanks. Without them nothing goes cold."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import attrs

from config.checks import positive
from domain.shared.money import ChainId, asset_id
from domain.treasury.policy import HotThresholds, TankThresholds
from ports.addresses import AddressRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.chains import ChainSetting
    from config.settings import Settings
    from domain.chains.places import Places
    from domain.shared.money import AssetId


@attrs.frozen(kw_only=True)
class ColdWallet:
    """The one address on a chain to which money is moved away: a multisig's, or any.

    Who changes it brings all money back first: what is booked there is looked for here alone.
    """

    chain: str
    address: str


@attrs.frozen(kw_only=True)
class HotWallet:
    """How much of a token the hot wallet may hold, in whole units."""

    asset: str
    hot_min: str
    """Below this a person is told to bring money from the cold wallet."""
    hot_target: str
    """Down to this money is moved away, and up to this it is asked for."""
    hot_max: str
    """Above this money is moved away."""
    least_transfer: str = "1"


@attrs.frozen(kw_only=True)
class GasTank:
    """When somebody is told that the coin for fees runs out: in days, and in whole coins."""

    chain: str
    average_days: int = attrs.field(default=14, validator=positive)
    """Over how many days spending is averaged."""
    empty_days: int = attrs.field(default=1, validator=attrs.validators.ge(0))
    low_days: int = attrs.field(default=7, validator=positive)
    ok_days: int = attrs.field(default=14, validator=positive)
    """For how many days there must be enough for all to be well again."""
    empty_below: str = "0"
    low_below: str = "0"
    ok_from: str = "0"


@attrs.frozen(kw_only=True)
class Wallets:
    """What is kept hot, what goes cold, and when a person is told."""

    cold: tuple[ColdWallet, ...] = ()
    hot: tuple[HotWallet, ...] = ()
    gas: tuple[GasTank, ...] = ()
    """Chains that are not named have the thresholds that stand above, in days alone."""


class _Listed(Protocol):
    """An asset as the settings list it."""

    @property
    def id(self) -> str: ...

    @property
    def decimals(self) -> int: ...


def check_wallets(
    wallets: Wallets, *, chains: Iterable[ChainSetting], assets: Iterable[_Listed]
) -> None:
    """See to it that every wallet is on a chain there is, and can be used as it says.

    Raises:
        ValueError: one cannot, or is named twice; the message says which, and why.
    """
    by_chain = {chain.id: chain for chain in chains}
    decimals = {asset.id: asset.decimals for asset in assets}
    _once("wallets.cold", [each.chain for each in wallets.cold])
    _once("wallets.hot", [each.asset for each in wallets.hot])
    _once("wallets.gas", [each.chain for each in wallets.gas])
    for cold in wallets.cold:
        _check_cold(cold, by_chain.get(cold.chain))
    kept_cold = {cold.chain for cold in wallets.cold}
    for hot in wallets.hot:
        if hot.asset not in decimals:
            raise ValueError(f"wallets.hot: {hot.asset} is not one of the assets")
        chain, _, name = hot.asset.partition("/")
        if chain not in kept_cold:
            raise ValueError(f"wallets.hot: {hot.asset} has no cold wallet on its chain")
        if name.startswith("slip44:"):
            raise ValueError(f"wallets.hot: {hot.asset} pays for fees; only tokens go cold")
        hot_thresholds(hot, decimals=decimals[hot.asset])
    for tank in wallets.gas:
        if tank.chain not in by_chain:
            raise ValueError(f"wallets.gas: {tank.chain} is not one of the chains")
        tank_thresholds(tank, decimals=_coin_decimals(tank.chain, decimals))


def hot_thresholds(hot: HotWallet, *, decimals: int) -> HotThresholds:
    """Return a token's thresholds in smallest units.

    Raises:
        ValueError: one is no amount, or they are not in their order.
    """
    names = ("hot_min", "hot_target", "hot_max", "least_transfer")
    amounts = {name: _smallest(getattr(hot, name), decimals, of=name) for name in names}
    try:
        return HotThresholds(
            minimum=amounts["hot_min"],
            target=amounts["hot_target"],
            maximum=amounts["hot_max"],
            least=amounts["least_transfer"],
        )
    except ValueError as error:
        raise ValueError(f"wallets.hot: {hot.asset} needs {_why(error)}") from error


def tank_thresholds(tank: GasTank, *, decimals: int) -> TankThresholds:
    """Return a gas tank's thresholds, amounts in smallest units.

    Raises:
        ValueError: one is no amount, or they are not in their order.
    """
    names = ("empty_below", "low_below", "ok_from")
    amounts = {name: _smallest(getattr(tank, name), decimals, of=name) for name in names}
    try:
        return TankThresholds(
            average_days=tank.average_days,
            empty_days=tank.empty_days,
            low_days=tank.low_days,
            ok_days=tank.ok_days,
            **amounts,
        )
    except ValueError as error:
        raise ValueError(f"wallets.gas: {tank.chain} needs {_why(error)}") from error


def all_hot(settings: Settings) -> Mapping[AssetId, HotThresholds]:
    """Return the thresholds of every token that may go cold."""
    decimals = {asset.id: asset.decimals for asset in settings.assets}
    return {
        asset_id(hot.asset): hot_thresholds(hot, decimals=decimals[hot.asset])
        for hot in settings.wallets.hot
    }


def all_tanks(settings: Settings) -> Mapping[ChainId, TankThresholds]:
    """Return the thresholds of every chain's gas tank."""
    decimals = {asset.id: asset.decimals for asset in settings.assets}
    named = {tank.chain: tank for tank in settings.wallets.gas}
    return {
        ChainId(chain.id): tank_thresholds(
            named.get(chain.id, GasTank(chain=chain.id)),
            decimals=_coin_decimals(chain.id, decimals),
        )
        for chain in settings.chains
    }


def with_cold_wallets(
    places: Mapping[ChainId, Places], settings: Settings
) -> Mapping[ChainId, Places]:
    """Return where the gateway's money lies, cold wallets included."""
    cold = {ChainId(each.chain): _read(each.address, each.chain) for each in settings.wallets.cold}
    return {
        chain: attrs.evolve(place, cold_wallet=cold.get(chain)) for chain, place in places.items()
    }


def _check_cold(cold: ColdWallet, chain: ChainSetting | None) -> None:
    if chain is None:
        raise ValueError(f"wallets.cold: {cold.chain} is not one of the chains")
    address = _read(cold.address, cold.chain)
    ours = (getattr(chain, name, None) for name in ("hot_wallet", "escrow_contract", "treasury"))
    if address in {_as_stored(each, chain.id) for each in ours if each}:
        raise ValueError(f"wallets.cold: {cold.address} has another purpose on {cold.chain}")


def _read(address: str, chain: str) -> str:
    # What reads addresses is slow to import, and most who read settings have no cold wallet.
    from config.addresses import addresses  # noqa: PLC0415 (as said)

    return addresses().read(address, chain=ChainId(chain))


def _as_stored(address: str, chain: str) -> str:
    try:
        return _read(address, chain)
    except AddressRefused:
        return address  # Whoever needs it says what is wrong with it.


def _coin_decimals(chain: str, decimals: Mapping[str, int]) -> int:
    """Return the decimals of a chain's coin; amounts of one that is not listed must be 0."""
    return next((n for id, n in decimals.items() if id.startswith(f"{chain}/slip44:")), 0)


def _smallest(units: str, decimals: int, *, of: str) -> int:
    """Return whole units in smallest ones, a fraction of one rounded up."""
    try:
        amount = Decimal(units)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{of} must be a decimal number, not {units!r}")
    in_one: int = 10**decimals
    return math.ceil(Fraction(amount) * in_one)


def _once(table: str, names: list[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{table}: {', '.join(sorted(twice))} more than once")


def _why(error: ValueError) -> str:
    return str(error.args[0])
