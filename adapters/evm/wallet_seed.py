"""The private side of deposit addresses: phrases, seeds, and the keys of single addresses.

Only provisioning and the sweeping worker import this; the API works from the extended public key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import attrs
from coincurve import PrivateKey
from Crypto.Hash import RIPEMD160
from eth_account.hdaccount import generate_mnemonic, seed_from_mnemonic
from eth_account.types import Language

from adapters.evm.addresses import EXTERNAL_CHAIN, HARDENED, PUBLIC_VERSION
from adapters.evm.base58 import encode_checked

PHRASE_WORDS: Final = 24
"""256 bits (BIP-39)."""

_MASTER = b"Bitcoin seed"
_PURPOSE, _COIN = 44, 60
"""BIP-44 and, for every EVM chain, Ethereum's number (SLIP-44)."""


class MalformedPhrase(ValueError):
    """The words are no BIP-39 phrase, or one of them is wrong. They are not repeated."""


@attrs.frozen
class ExtendedPrivateKey:
    """A node of the tree whose children can be signed for (BIP-32)."""

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

    def xpub(self) -> str:
        """Return the extended public key, as `XpubAddresses` takes it."""
        return encode_checked(
            PUBLIC_VERSION
            + bytes([self.depth])
            + self.parent
            + self.index.to_bytes(4, "big")
            + self.chain_code
            + self.key.public_key.format()
        )


def new_phrase() -> str:
    """Return new random words, from which everything else here follows."""
    return str(generate_mnemonic(PHRASE_WORDS, Language.ENGLISH))


def seed_of(phrase: str, *, passphrase: str = "") -> bytes:
    """Stretch a phrase into a seed (BIP-39: PBKDF2, 2,048 rounds of HMAC-SHA-512).

    Raises:
        MalformedPhrase: the words are no phrase.
    """
    try:
        return seed_from_mnemonic(phrase, passphrase)
    except Exception:  # noqa: BLE001 - whatever is wrong, its message quotes the words
        raise MalformedPhrase("not a BIP-39 phrase") from None


def account_xpub(seed: bytes, *, account: int = 0) -> str:
    """Return the extended public key of ``m/44'/60'/account'``."""
    return ExtendedPrivateKey.master(seed).account(account).xpub()


def deposit_key(seed: bytes, index: int, *, account: int = 0) -> bytes:
    """Return the 32-byte private key of the deposit address at an index, to sweep it."""
    node = ExtendedPrivateKey.master(seed).account(account)
    return node.child(EXTERNAL_CHAIN).child(index).key.secret
