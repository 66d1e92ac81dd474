"""Deposit addresses under an extended public key (BIP-32), derived without any private key.

The key given is an account's, ``m/44'/60'/0'``; addresses are those of its external chain,
``m/44'/60'/0'/0/index``, as every wallet finds them.

An extended public key together with one private key below it gives away all keys below it: it is
no secret for spending by itself, but is kept like one.
"""

from __future__ import annotations

import hmac
from typing import Final

import attrs
from coincurve import PublicKey

from adapters.evm.base58 import MalformedBase58, decode_checked
from adapters.evm.curve import address_of_point

PUBLIC_VERSION: Final = bytes.fromhex("0488b21e")
PRIVATE_VERSION: Final = bytes.fromhex("0488ade4")
"""The versions of ``xpub`` and ``xprv`` (BIP-32, serialization format)."""

SERIALIZED_BYTES: Final = 78
HARDENED: Final = 1 << 31
"""Indexes from here on need the private key."""

EXTERNAL_CHAIN: Final = 0
"""The branch for addresses that are shown to others (BIP-44)."""


class NotAnExtendedPublicKey(ValueError):
    """The text is no ``xpub``. The text is not repeated: it may have been a secret by mistake."""


class PrivateKeyGiven(ValueError):
    """The text is an ``xprv``, an extended *private* key. It must not be in this process."""


@attrs.frozen
class IndexOutOfRange(ValueError):
    """There is no address at this place under a public key."""

    index: int


@attrs.frozen
class ExtendedPublicKey:
    """A node of the tree: a point, and the chain code that its children are derived with."""

    point: PublicKey = attrs.field(repr=False)
    chain_code: bytes = attrs.field(repr=False)

    @classmethod
    def parse(cls, xpub: str) -> ExtendedPublicKey:
        """Read base58check text.

        Layout (BIP-32): version 4, depth 1, parent's fingerprint 4, child number 4, chain code
        32, compressed point 33 bytes.

        Raises:
            PrivateKeyGiven: it is an extended private key.
            NotAnExtendedPublicKey: it is something else.
        """
        try:
            raw = decode_checked(xpub)
        except MalformedBase58:
            # Not chained: the inner error may quote the text.
            raise NotAnExtendedPublicKey("not base58 with a checksum") from None
        if raw[:4] == PRIVATE_VERSION:
            raise PrivateKeyGiven("an extended private key was given for a public one")
        if len(raw) != SERIALIZED_BYTES or raw[:4] != PUBLIC_VERSION:
            raise NotAnExtendedPublicKey("not an xpub")
        try:
            return cls(PublicKey(raw[45:]), raw[13:45])
        except ValueError:
            raise NotAnExtendedPublicKey("its point is not on the curve") from None

    def child(self, index: int) -> ExtendedPublicKey:
        """Derive a child without the private key (BIP-32, ``CKDpub``).

        Raises:
            IndexOutOfRange: the index is negative, hardened, or one in 2^127 without a key.
        """
        if not 0 <= index < HARDENED:
            raise IndexOutOfRange(index)
        seed = self.point.format() + index.to_bytes(4, "big")
        digest = hmac.digest(self.chain_code, seed, "sha512")
        try:
            return ExtendedPublicKey(self.point.add(digest[:32]), digest[32:])
        except ValueError as error:
            raise IndexOutOfRange(index) from error


class XpubAddresses:
    """The deposit addresses of one account; implements `ports.deposit_addresses`."""

    def __init__(self, xpub: str) -> None:
        """Read the account's extended public key.

        Raises:
            PrivateKeyGiven: it is a private one.
            NotAnExtendedPublicKey: it is none.
        """
        self._external: Final = ExtendedPublicKey.parse(xpub).child(EXTERNAL_CHAIN)

    def derive(self, index: int) -> str:
        """Return the address at a place, lower case.

        Raises:
            IndexOutOfRange: there is none; places count from 0 up to 2^31 - 1.
        """
        return address_of_point(self._external.child(index).point)
