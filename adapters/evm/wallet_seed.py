"""The private side of deposit addresses: phrases, seeds, and the accounts under them.

Only provisioning imports this. The sweeping worker is given one account's extended private key;
the API works from the extended public key.
"""

from __future__ import annotations

from typing import Final

from eth_account.hdaccount import generate_mnemonic, seed_from_mnemonic
from eth_account.types import Language

from adapters.evm.private_keys import ExtendedPrivateKey

PHRASE_WORDS: Final = 24
"""256 bits (BIP-39)."""


class MalformedPhrase(ValueError):
    """The words are no BIP-39 phrase, or one of them is wrong. They are not repeated."""


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


def account_xprv(seed: bytes, *, account: int = 0) -> str:
    """Return the extended private key of ``m/44'/60'/account'``, to sweep its addresses."""
    return ExtendedPrivateKey.master(seed).account(account).xprv()


def deposit_key(seed: bytes, index: int, *, account: int = 0) -> bytes:
    """Return the 32-byte private key of the deposit address at an index."""
    return ExtendedPrivateKey.master(seed).account(account).deposit_key(index)
