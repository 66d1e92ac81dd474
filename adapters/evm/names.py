"""The names of chains, coins, tokens and accounts on EVM chains; all lower case inside."""

from __future__ import annotations

import re
from typing import Final

import attrs

from domain.shared.money import AssetId, ChainId

ZERO_ADDRESS: Final = "0x" + "00" * 20
"""Stands for the native coin in the escrow contract, and for nobody in token transfers."""

_NAMESPACE = "eip155:"
_NATIVE = "/slip44:60"
_ERC20 = "/erc20:"
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


@attrs.frozen
class NotOnThisChain(ValueError):
    """The asset is no token or coin of the chain it is used on."""

    asset: str
    chain: str


@attrs.frozen
class MalformedAddress(ValueError):
    """The text is not an account's address: ``0x`` and 40 lower-case hex digits."""

    text: str


def chain_name(chain_id: int) -> ChainId:
    """Return the CAIP-2 name of a chain."""
    return ChainId(f"{_NAMESPACE}{chain_id}")


def chain_number(chain: ChainId) -> int:
    """Return the EIP-155 chain id in a CAIP-2 name.

    Raises:
        ValueError: it is no EVM chain's.
    """
    if not chain.startswith(_NAMESPACE):
        raise ValueError(f"{chain} is not an EVM chain")
    return int(chain[len(_NAMESPACE) :])


def native_asset(chain: ChainId) -> AssetId:
    """Return the id of a chain's native coin."""
    return AssetId(chain + _NATIVE)


def token_asset(chain: ChainId, address: str) -> AssetId:
    """Return the id of an ERC-20 token."""
    return AssetId(chain + _ERC20 + address)


def is_native(asset: AssetId, *, chain: ChainId) -> bool:
    """Tell whether an asset is the chain's native coin."""
    return asset == chain + _NATIVE


def token_of(asset: AssetId, *, chain: ChainId) -> str:
    """Return the contract address of an ERC-20 token of a chain.

    Raises:
        NotOnThisChain: it is something else, or its address is not written in lower case.
    """
    address = asset.removeprefix(chain + _ERC20)
    if not _ADDRESS.fullmatch(address):
        raise NotOnThisChain(asset, chain)
    return address


def check_address(text: str) -> str:
    """Return an address as it is.

    Raises:
        MalformedAddress: it is none, or has capital letters.
    """
    if not _ADDRESS.fullmatch(text):
        raise MalformedAddress(text)
    return text
