"""Addresses of chains in memory: any word without spaces, in whichever case it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from ports.addresses import AddressRefused

if TYPE_CHECKING:
    from domain.shared.money import ChainId

_ADDRESS = re.compile(r"[!-~]{1,128}")


@attrs.frozen
class InMemoryAddresses:
    """Reads what a chain in memory would take."""

    def read(self, text: str, *, chain: ChainId) -> str:
        """Return an address in lower case.

        Raises:
            AddressRefused: it is empty, or has spaces in it.
        """
        if not _ADDRESS.fullmatch(text):
            raise AddressRefused(text, f"no address of {chain}")
        return text.lower()
