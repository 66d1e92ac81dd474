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


class DepositSigner(Protocol):
    """Holds the keys of all deposit addresses and signs one thing with them: their sweep."""

    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        """Return a serialised transaction with the signature of the address at a place.

        Raises:
            ValueError: it is no transfer of tokens to the hot wallet and nothing besides, or the
                place's address is not ``source``.
        """
        ...
