"""Base58Check, the alphabet and checksum of Bitcoin (BIP-32 writes its keys with it)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CHECKSUM_BYTES: Final = 4
TEXT_MAX: Final = 200
"""Decoding takes time in the square of the length; keys have 111 characters."""

_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}


class MalformedBase58(ValueError):
    """The text has characters outside the alphabet or a wrong checksum. It is not repeated."""


def encode_checked(raw: bytes) -> str:
    """Return bytes with their checksum as text."""
    whole = raw + _checksum(raw)
    number = int.from_bytes(whole, "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    zeros = len(whole) - len(whole.lstrip(b"\0"))
    return ALPHABET[0] * zeros + "".join(reversed(digits))


def decode_checked(text: str) -> bytes:
    """Return the bytes in a text, without their checksum.

    Raises:
        MalformedBase58: the text is none, or was altered.
    """
    if len(text) > TEXT_MAX or any(character not in _VALUES for character in text):
        raise MalformedBase58("not base58")
    number = 0
    for character in text:
        number = number * len(ALPHABET) + _VALUES[character]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    whole = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    raw, checksum = whole[:-CHECKSUM_BYTES], whole[-CHECKSUM_BYTES:]
    if checksum != _checksum(raw):
        raise MalformedBase58("wrong checksum")
    return raw


def _checksum(raw: bytes) -> bytes:
    return sha256(sha256(raw).digest()).digest()[:CHECKSUM_BYTES]
