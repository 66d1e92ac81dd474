"""Keys that sign. Only the worker's process has one; the API's never does."""

from __future__ import annotations

from typing import Protocol

from ports.chain import ChainUnavailable


class SigningRefused(ValueError):
    """What is to be signed is nothing that this signer may sign."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class SignerUnavailable(ChainUnavailable):
    """The signer gave no usable answer. Whether it signed is unknown; ask for the same again."""


class Signer(Protocol):
    """Holds one private key and signs transactions with it."""

    address: str
    """The address whose key this is."""

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return a serialised transaction with its signature; the same input, the same bytes.

        Raises:
            ValueError: the bytes are no transaction that this signer understands.
            SigningRefused: they are one that it must not sign.
            SignerUnavailable: it is a process of its own, and does not answer.
        """
        ...


class DigestSigner(Protocol):
    """A device that has one private key of secp256k1 and signs digests, whatever they are of.

    Whoever uses it reads what is signed, and takes the digest himself.
    """

    public_key: bytes
    """The point, uncompressed: 65 bytes, of which the first is 4."""

    def sign_digest(self, digest: bytes) -> bytes:
        """Return an ECDSA signature of 32 bytes: r and s, 32 bytes each.

        Raises:
            SignerUnavailable: the device does not sign.
        """
        ...


class DepositSigner(Protocol):
    """Holds the keys of all deposit addresses and signs one thing with them: their sweep."""

    def sign_sweep(self, unsigned: bytes, *, source: str, index: int) -> bytes:
        """Return a serialised transaction with the signature of the address at a place.

        On some chains a sweep is also an address's word that others may move its tokens to the
        hot wallet, and nowhere else.

        Raises:
            ValueError: it is no transfer of tokens to the hot wallet and nothing besides, no such
                word either, or the place's address is not ``source``.
            SignerUnavailable: it is a process of its own, and does not answer.
        """
        ...
