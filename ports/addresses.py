"""Addresses as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.shared.money import ChainId


class AddressRefused(ValueError):
    """The text is no address to which money could be sent on the chain."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text[:80]!r}: {why}")
        self.text = text
        self.why = why


class Addresses(Protocol):
    """Reads addresses of every chain that is served."""

    def read(self, text: str, *, chain: ChainId) -> str:
        """Return an address in the form in which it is stored, sent to and compared.

        Raises:
            AddressRefused: it is none, is mistyped, or is of another network.
        """
        ...
