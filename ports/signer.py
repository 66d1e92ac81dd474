"""Keys that sign. Only the worker's process has one; the API's never does."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """Holds one private key and signs transactions with it."""

    address: str
    """The address whose key this is."""

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return a serialised transaction with its signature; the same input, the same bytes.

        Raises:
            ValueError: the bytes are no transaction that this signer understands.
        """
        ...
