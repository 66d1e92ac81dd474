"""The text of an API key: ``sy_test_<secret><checksum>``, or ``sy_live_…``.

The secret is 32 base-62 digits (190 bits); the checksum is the CRC-32 of all before it in six
more digits, so that a mistyped key is refused without a look into the database and secret
scanners can recognise a leaked one. The idea of prefix and checksum is GitHub's (2021).
"""

from __future__ import annotations

import hashlib
import string
import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.modes import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIXES: Final[Mapping[Mode, str]] = MappingProxyType(
    {Mode.TEST: "sy_test_", Mode.LIVE: "sy_live_"}
)
"""How a key begins; all are of one length."""
ENTROPY_BYTES = 32

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PREFIX_LETTERS = 8
_SECRET_DIGITS = 32
_CHECKSUM_DIGITS = 6
_SHOWN_DIGITS = 4
_BODY_LETTERS = _PREFIX_LETTERS + _SECRET_DIGITS


@attrs.frozen
class MalformedApiKey(ValueError):
    """The text cannot be an API key: wrong shape or wrong checksum."""


def write(entropy: bytes, mode: Mode = Mode.TEST) -> str:
    """Turn 32 random bytes into the text of a key."""
    unsigned = PREFIXES[mode] + _base62(int.from_bytes(entropy), _SECRET_DIGITS)
    return unsigned + _checksum(unsigned)


def mask(text: str) -> str:
    """Return of a key's text what its owner knows it by: ``sy_live_abcd…wxyz``.

    What is shown leaves more than 140 bits of the secret unknown.
    """
    return f"{text[: _PREFIX_LETTERS + _SHOWN_DIGITS]}…{text[-_SHOWN_DIGITS:]}"


def digest(text: str) -> bytes:
    """Return the SHA-256 by which a key is looked up.

    A fast hash is right here: the secret is random, so there is nothing to guess. How long the
    look-up takes tells of the hash alone, from which nobody gets to a key.

    Raises:
        MalformedApiKey: the text is not a key.
    """
    body, check = text[:-_CHECKSUM_DIGITS], text[-_CHECKSUM_DIGITS:]
    if len(body) != _BODY_LETTERS or check != _checksum(body):
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
