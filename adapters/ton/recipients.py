"""Addresses of TON accounts as people write them, for money to be sent there."""

from __future__ import annotations

import attrs

from adapters.ton.addresses import FriendlyAddress, NotATonAddress, TonAddress
from adapters.ton.settings import MAINNET
from domain.shared.money import ChainId
from ports.addresses import AddressRefused

_MAINNET = ChainId(f"ton:{MAINNET}")


@attrs.frozen
class TonAddresses:
    """Reads addresses to which somebody wants money sent."""

    def read(self, text: str, *, chain: ChainId) -> str:
        """Return an address in its raw form, as it is stored.

        Raises:
            AddressRefused: it is none, its checksum is wrong, it is of a test network although
                the chain is none, or it is nobody's.
        """
        try:
            if ":" in text:
                address, of_test = TonAddress.parse_raw(text), False
            else:
                friendly = FriendlyAddress.parse(text)
                address, of_test = friendly.address, friendly.is_test_only
        except NotATonAddress as error:
            raise AddressRefused(text, error.why) from error
        if of_test and chain == _MAINNET:
            raise AddressRefused(text, "it is of a test network")
        if not any(address.account):
            raise AddressRefused(text, "it is nobody's")
        return address.raw
