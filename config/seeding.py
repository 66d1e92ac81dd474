"""Where the demo merchant is paid out: a wallet on the devnet whose key everybody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.evm.devnet.accounts import devnet_accounts
from config.demo.parts import MERCHANT
from config.modes import mode_of
from domain.shared.modes import Mode
from domain.shared.money import ChainId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Settings

DEVNETS: Final = frozenset({"eip155:1337", "eip155:31337"})
"""Chains that a node of one's own is taken to run."""


def devnet_destinations(settings: Settings) -> Mapping[ChainId, str]:
    """Return a wallet on each devnet of the settings, by chain."""
    wallet = devnet_accounts()[MERCHANT].address.lower()
    return {
        ChainId(chain.id): wallet
        for chain in settings.evm_chains
        if chain.id in DEVNETS and mode_of(chain) is Mode.TEST
    }
