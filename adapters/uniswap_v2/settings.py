"""What a deployment says about one exchange: its contracts, its fee, and what gas may cost."""

from __future__ import annotations

import re
from typing import Final

import attrs
from attrs.validators import ge, gt, lt, matches_re, min_len

from domain.fees.model import BPS
from domain.shared.money import AssetId, ChainId

_ADDRESS: Final = r"0x[0-9a-f]{40}"
_ERC20: Final = "/erc20:"
_NATIVE: Final = "/slip44:60"


@attrs.frozen
class NotOnThisExchange(ValueError):
    """The asset is no token or coin of the exchange's chain, or the text no address of it."""

    name: str
    chain: ChainId


@attrs.frozen(kw_only=True)
class UniswapV2Exchange:
    """An exchange whose contracts are Uniswap v2's, or another's with the same interface.

    Addresses are lower case. Uniswap takes 30 basis points, PancakeSwap 25.
    """

    name: str = attrs.field(validator=min_len(1))
    chain_id: int = attrs.field(validator=gt(0))
    """The EIP-155 chain id."""
    router: str = attrs.field(validator=matches_re(_ADDRESS))
    """``UniswapV2Router02``."""
    factory: str = attrs.field(validator=matches_re(_ADDRESS))
    wrapped: str = attrs.field(validator=matches_re(_ADDRESS))
    """The token that stands for the native coin in pools (``WETH()`` of the router)."""
    fee_bps: int = attrs.field(validator=[ge(0), lt(BPS)])
    """What a pool takes of the input; the contracts do not say it anywhere."""
    fee_limit_wei: int = attrs.field(validator=gt(0))
    """The most that a swap's own transaction may cost in gas, in wei."""
    gas_margin_percent: int = attrs.field(default=25, validator=ge(0))
    """Added to the gas of a trial run: prices move between the trial and the block."""

    @property
    def chain(self) -> ChainId:
        """The CAIP-2 name, such as ``eip155:56``."""
        return ChainId(f"eip155:{self.chain_id}")

    @property
    def native(self) -> AssetId:
        """The chain's native coin."""
        return AssetId(self.chain + _NATIVE)

    def token_of(self, asset: AssetId) -> str:
        """Return the token that stands for an asset in pools: itself, or the wrapped coin.

        Raises:
            NotOnThisExchange: it is of another chain, or not written in lower case.
        """
        if asset == self.native:
            return self.wrapped
        return self.account(asset.removeprefix(self.chain + _ERC20))

    def account(self, text: str) -> str:
        """Return an address as it is.

        Raises:
            NotOnThisExchange: it is none, or has capital letters.
        """
        if not re.fullmatch(_ADDRESS, text):
            raise NotOnThisExchange(text, self.chain)
        return text
