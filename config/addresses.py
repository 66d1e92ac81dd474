"""How addresses are written on each family of chains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from adapters.evm.recipients import EvmAddresses
from adapters.ton.recipients import TonAddresses
from ports.addresses import Addresses, AddressRefused

if TYPE_CHECKING:
    from domain.shared.money import ChainId


@attrs.frozen
class AddressesByChain:
    """Reads an address as its chain writes them."""

    families: Mapping[str, Addresses]
    """By the namespace of a chain's name: what comes before the colon."""

    def read(self, text: str, *, chain: ChainId) -> str:
        """Return an address in the form in which it is stored.

        Raises:
            AddressRefused: it is none, is mistyped, or is of another network.
        """
        family = self.families.get(chain.partition(":")[0])
        if family is None:
            raise AddressRefused(text, f"nobody here knows how addresses of {chain} are written")
        return family.read(text, chain=chain)


def addresses() -> AddressesByChain:
    """Return what reads the addresses of every chain that can be served."""
    return AddressesByChain({"eip155": EvmAddresses(), "ton": TonAddresses()})
