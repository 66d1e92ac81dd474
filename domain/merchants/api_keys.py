"""The text of an API key: ``sy_test_<secret><checksum>``.

The secret is 32 base-62 digits (190 bits); the checksum is the CRC-32 of all before it in six
more digits, so that a mistyped key is refused without a look into the database and secret
scanners can recognise a leaked one. The idea of prefix and checksum is GitHub's (2021).
"""

from __future__ import annotations

import hashlib
import string
import zlib

import attrs

PREFIX = "sy_test_"
ENTROPY_BYTES = 32

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_DIGITS = 32
_CHECKSUM_DIGITS = 6


@attrs.frozen
class MalformedApiKey(ValueError):
    """The text cannot be an API key: wrong shape or wrong checksum."""


def write(entropy: bytes) -> str:
    """Turn 32 random bytes into the text of a key."""
    unsigned = PREFIX + _base62(int.from_bytes(entropy), _SECRET_DIGITS)
    return unsigned + _checksum(unsigned)


def digest(text: str) -> bytes:
    """Return the SHA-256 by which a key is looked up.

    A fast hash is right here: the secret is random, so there is nothing to guess.

    Raises:
        MalformedApiKey: the text is not a key.
    """
    body, check = text[:-_CHECKSUM_DIGITS], text[-_CHECKSUM_DIGITS:]
    if len(body) != len(PREFIX) + _SECRET_DIGITS or check != _checksum(body):
        raise MalformedApiKey
    return hashlib.sha256(text.encode()).digest()


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, rest = divmod(number, 62)
        text = _DIGITS[rest] + text
    return text
