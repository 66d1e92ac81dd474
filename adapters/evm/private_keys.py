"""Extended private keys (BIP-32): nodes of the tree whose children can be signed for."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import attrs
from coincurve import PrivateKey
from Crypto.Hash import RIPEMD160

from adapters.evm.addresses import (
    EXTERNAL_CHAIN,
    HARDENED,
    PRIVATE_VERSION,
    PUBLIC_VERSION,
    SERIALIZED_BYTES,
    ExtendedPublicKey,
)
from adapters.evm.base58 import MalformedBase58, decode_checked, encode_checked

_MASTER: Final = b"Bitcoin seed"
_PURPOSE, _COIN = 44, 60
"""BIP-44 and, for every EVM chain, Ethereum's number (SLIP-44)."""


class NotAnExtendedPrivateKey(ValueError):
    """The text is no ``xprv``. It is not repeated."""


@attrs.frozen
class ExtendedPrivateKey:
    """A node of the tree, and its place there, which only its written form needs."""

    key: PrivateKey = attrs.field(repr=False)
    chain_code: bytes = attrs.field(repr=False)
    depth: int = 0
    parent: bytes = bytes(4)
    """The parent's fingerprint."""
    index: int = 0

    @classmethod
    def master(cls, seed: bytes) -> ExtendedPrivateKey:
        """Return the root of a seed's tree."""
        digest = hmac.digest(_MASTER, seed, "sha512")
        return cls(PrivateKey(digest[:32]), digest[32:])

    @classmethod
    def parse(cls, xprv: str) -> ExtendedPrivateKey:
        """Read base58check text; for its layout see `ExtendedPublicKey.parse`.

        In place of the point there is a zero byte and the key.

        Raises:
            NotAnExtendedPrivateKey: it is none.
        """
        try:
            raw = decode_checked(xprv)
        except MalformedBase58:
            # Not chained, nor are the next ones: an inner error may quote the text.
            raise NotAnExtendedPrivateKey("not base58 with a checksum") from None
        if len(raw) != SERIALIZED_BYTES or raw[:4] != PRIVATE_VERSION or raw[45]:
            raise NotAnExtendedPrivateKey("not an xprv")
        try:
            key = PrivateKey(raw[46:])
        except ValueError:
            raise NotAnExtendedPrivateKey("its key is not one of secp256k1") from None
        index = int.from_bytes(raw[9:13], "big")
        return cls(key, raw[13:45], depth=raw[4], parent=raw[5:9], index=index)

    def child(self, index: int) -> ExtendedPrivateKey:
        """Derive a child (``CKDpriv``); indexes from `HARDENED` on are hardened."""
        public = self.key.public_key.format()
        seed = public if index < HARDENED else b"\0" + self.key.secret
        digest = hmac.digest(self.chain_code, seed + index.to_bytes(4, "big"), "sha512")
        return ExtendedPrivateKey(
            key=self.key.add(digest[:32]),
            chain_code=digest[32:],
            depth=self.depth + 1,
            parent=RIPEMD160.new(hashlib.sha256(public).digest()).digest()[:4],
            index=index,
        )

    def account(self, number: int) -> ExtendedPrivateKey:
        """Return the account ``m/44'/60'/number'`` of a root."""
        account = self
        for index in (_PURPOSE, _COIN, number):
            account = account.child(HARDENED + index)
        return account

    def deposit_key(self, index: int) -> bytes:
        """Return an account's 32-byte private key of the deposit address at an index."""
        return self.child(EXTERNAL_CHAIN).child(index).key.secret

    def neutered(self) -> ExtendedPublicKey:
        """Return the public key whose addresses this one signs for."""
        return ExtendedPublicKey(self.key.public_key, self.chain_code)

    def xpub(self) -> str:
        """Return the extended public key, as `XpubAddresses` takes it."""
        return self._written(PUBLIC_VERSION, self.key.public_key.format())

    def xprv(self) -> str:
        """Return the extended private key, as `parse` takes it."""
        return self._written(PRIVATE_VERSION, b"\0" + self.key.secret)

    def _written(self, version: bytes, key: bytes) -> str:
        place = bytes([self.depth]) + self.parent + self.index.to_bytes(4, "big")
        return encode_checked(version + place + self.chain_code + key)
