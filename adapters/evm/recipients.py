"""Addresses of EVM accounts as people write them: with or without the checksum of EIP-55."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
from eth_utils.address import is_checksum_address

from adapters.evm.names import ZERO_ADDRESS
from ports.addresses import AddressRefused

if TYPE_CHECKING:
    from domain.shared.money import ChainId

_HEX = re.compile(r"0[xX][0-9a-fA-F]{40}")


@attrs.frozen
class EvmAddresses:
    """Reads addresses to which somebody wants money sent."""

    def read(self, text: str, *, chain: ChainId) -> str:
        """Return an address in lower case, as it is stored.

        Capitals among small letters are a checksum, which has to be right. An address in one case
        has none, and nobody can tell whether it is mistyped.

        Raises:
            AddressRefused: it is none, its checksum is wrong, or money sent there is burnt.
        """
        if not _HEX.fullmatch(text):
            raise AddressRefused(
                text, f"not 0x and 40 hexadecimal digits, as addresses of {chain}"
            )
        digits, address = text[2:], text.lower()
        one_case = digits in {digits.lower(), digits.upper()}
        if not one_case and not is_checksum_address("0x" + digits):
            raise AddressRefused(text, "its checksum (EIP-55) is wrong")
        if address == ZERO_ADDRESS:
            raise AddressRefused(text, "it is nobody's")
        return address
