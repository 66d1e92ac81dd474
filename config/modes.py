"""Which money lies on a chain: real, or of a network that is there to try things on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.modes import Mode

if TYPE_CHECKING:
    from config.chains import ChainSetting

TEST_CHAINS: Final = frozenset(
    {
        "eip155:97",  # BNB Smart Chain Testnet
        "eip155:1337",  # a node of one's own
        "eip155:31337",  # a node of one's own: anvil, Hardhat, the demo's
        "eip155:17000",  # Holesky
        "eip155:43113",  # Avalanche Fuji
        "eip155:80002",  # Polygon Amoy
        "eip155:84532",  # Base Sepolia
        "eip155:421614",  # Arbitrum Sepolia
        "eip155:560048",  # Hoodi
        "eip155:11155111",  # Sepolia
        "eip155:11155420",  # OP Sepolia
        "ton:-3",  # TON's test network
    }
)
"""Chains whose coins are worth nothing, by https://chainlist.org.

Any other is taken for one of real money: to take that for test money would be the worse mistake.
"""

mode_validator = attrs.validators.optional(attrs.validators.in_([mode.value for mode in Mode]))
"""Lets the setting be a mode, or be left out."""


def mode_of(chain: ChainSetting) -> Mode:
    """Return which accounts are paid on a chain: what the settings say, or what is known of it."""
    if chain.mode is not None:
        return Mode(chain.mode)
    return Mode.TEST if chain.id in TEST_CHAINS else Mode.LIVE
