"""EVM chains that are known: what settings need not say of them, and must not contradict."""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

import attrs
import cattrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.assets import AssetSetting

EVM_COIN_DECIMALS: Final = 18
"""What JSON-RPC counts a chain's coin in, also where the chain itself has fewer."""

_COIN: Final = "/slip44:60"
_OF_CONTRACT: Final = "/erc20:"


@attrs.frozen(kw_only=True)
class KnownToken:
    """A token by the contract that is generally meant by its symbol."""

    symbol: str
    address: str
    """As it is written, with the checksum of EIP-55."""
    decimals: int
    silent: bool = False
    """True where the contract does not tell its decimals."""


@attrs.frozen(kw_only=True)
class Network:
    """One chain. See ``networks.toml`` for what each word means, and the sources."""

    id: str
    name: str
    coin: str
    test: bool = False
    explorer: str | None = None
    gas_model: Literal["eip1559", "legacy"] | None = None
    price_step_wei: int = 1
    data_fee_oracle: str | None = None
    tokens: tuple[KnownToken, ...] = ()

    def token_at(self, address: str) -> KnownToken | None:
        """Return the token of a contract, whatever the case of its address."""
        found = (each for each in self.tokens if each.address.lower() == address.lower())
        return next(found, None)

    def is_silent(self, asset: str) -> bool:
        """Tell whether an asset's contract does not tell its decimals."""
        token = self.token_at(asset.partition(_OF_CONTRACT)[2])
        return token is not None and token.silent

    def token_called(self, symbol: str) -> KnownToken | None:
        """Return the token that is meant by a symbol."""
        return next((each for each in self.tokens if each.symbol == symbol), None)


@functools.cache
def networks() -> Mapping[str, Network]:
    """Return all networks that are known, by their ids."""
    text = resources.files(__package__).joinpath("networks.toml").read_text("utf-8")
    converter = cattrs.Converter(forbid_extra_keys=True)
    known = converter.structure(tomllib.loads(text)["networks"], list[Network])
    return {network.id: network for network in known}


def check_assets(assets: Iterable[AssetSetting]) -> None:
    """See that assets of known networks are what is known of them.

    A wrong number of decimals would misstate every amount by powers of ten, and a contract that
    only bears a known token's symbol is how people are paid with nothing.

    Raises:
        ValueError: an asset has other decimals, or another contract is known by its symbol.
    """
    for asset in assets:
        chain = asset.id.partition("/")[0]
        if asset.id.lower().endswith(_COIN) and asset.decimals != EVM_COIN_DECIMALS:
            raise ValueError(f"{asset.id} has {EVM_COIN_DECIMALS} decimals, not {asset.decimals}")
        network = networks().get(chain)
        if network is None or _OF_CONTRACT not in asset.id:
            continue
        address = asset.id.partition(_OF_CONTRACT)[2]
        token, meant = network.token_at(address), network.token_called(asset.symbol)
        if token is not None and token.decimals != asset.decimals:
            raise ValueError(
                f"{token.symbol} on {network.name} has {token.decimals} decimals, "
                f"not {asset.decimals}"
            )
        if meant is not None and meant is not token:
            raise ValueError(
                f"{asset.symbol} on {network.name} is {meant.address}, not {address}: "
                "another token needs another symbol"
            )
