"""AES-256-GCM (NIST SP 800-38D): a random nonce of 96 bits and a tag of 128 with every message."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Final

import attrs
from Crypto.Cipher import AES

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


@attrs.frozen
class NotAuthentic(Exception):
    """What was sealed, its tag or what it is bound to was changed, or the key is another."""


@attrs.frozen
class Sealed:
    """What is encrypted, and what it is opened with besides the key."""

    nonce: bytes
    ciphertext: bytes
    tag: bytes

    @property
    def packed(self) -> bytes:
        """Nonce, tag and ciphertext, one after the other."""
        return self.nonce + self.tag + self.ciphertext

    @classmethod
    def unpack(cls, packed: bytes) -> Sealed:
        """Read what `packed` has written; what is too short for it does not open."""
        behind = NONCE_BYTES + TAG_BYTES
        return cls(packed[:NONCE_BYTES], packed[behind:], packed[NONCE_BYTES:behind])


def seal(key: bytes, secret: bytes, *, bound_to: bytes) -> Sealed:
    """Encrypt a secret under a key of 32 bytes, which is used for few messages.

    Args:
        key: The key.
        secret: What nobody is to read.
        bound_to: What is no secret, and without which the rest does not open.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=TAG_BYTES)
    cipher.update(bound_to)
    ciphertext, tag = cipher.encrypt_and_digest(secret)
    return Sealed(nonce, ciphertext, tag)


def open_sealed(key: bytes, sealed: Sealed, *, bound_to: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        NotAuthentic: it was not sealed so. A shorter tag or another length of nonce is no way
            around it.
    """
    if len(sealed.nonce) != NONCE_BYTES or len(sealed.tag) != TAG_BYTES:
        raise NotAuthentic
    cipher = AES.new(key, AES.MODE_GCM, nonce=sealed.nonce, mac_len=TAG_BYTES)
    cipher.update(bound_to)
    try:
        return bytes(cipher.decrypt_and_verify(sealed.ciphertext, sealed.tag))
    except ValueError:
        # Not chained: it says no more, and this way nothing of the inside can be in it.
        raise NotAuthentic from None


def context_bytes(context: Mapping[str, str]) -> bytes:
    """Write a context so that no two contexts are written in one way."""
    return json.dumps(context, sort_keys=True, separators=(",", ":")).encode("ascii")
