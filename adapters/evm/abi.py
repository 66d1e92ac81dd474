"""The contract ABI as far as the gateway speaks it: words of 32 bytes.

The layout is that of the Solidity ABI specification
(https://docs.soliditylang.org/en/latest/abi-spec.html). Everything here is of static types, so an
encoding is the words one after the other; packing them by hand costs microseconds.
"""

from __future__ import annotations

from typing import Final

from eth_hash.auto import keccak

WORD: Final = 32
_PADDING = bytes(12)
_HEX_WORD = 2 * WORD
_HEX_ADDRESS = 40


def selector(signature: str) -> bytes:
    """Return the first four bytes of call data or of a custom error: ``pay((bytes32,…))``."""
    return keccak(signature.encode("ascii"))[:4]


def topic(signature: str) -> str:
    """Return an event's first topic, as ``0x`` hex."""
    return "0x" + keccak(signature.encode("ascii")).hex()


def uint_word(value: int) -> bytes:
    """Encode an unsigned integer.

    Raises:
        OverflowError: it is negative or needs more than 256 bits.
    """
    return value.to_bytes(WORD, "big")


def address_word(address: str) -> bytes:
    """Encode an address given as ``0x`` and 40 hex digits."""
    return _PADDING + bytes.fromhex(address[2:])


def words_of(data: str) -> tuple[str, ...] | None:
    """Cut ``0x`` hex data into words of 64 digits, or return None where it is not whole words."""
    digits = len(data) - 2
    if digits < 0 or digits % _HEX_WORD or not data.startswith("0x"):
        return None
    return tuple(data[at : at + _HEX_WORD] for at in range(2, len(data), _HEX_WORD))


def address_of(word: str) -> str | None:
    """Decode an address from a word of 64 digits; None where the padding is not zero."""
    if word[:-_HEX_ADDRESS].strip("0"):
        return None
    return "0x" + word[-_HEX_ADDRESS:].lower()


def ascii_of(word: str) -> str:
    """Decode ASCII that is padded with zero bytes; what is no such text stays ``0x`` hex."""
    raw = bytes.fromhex(word).rstrip(b"\0")
    text = raw.decode("ascii", errors="replace")
    return text if raw.isascii() and text.isprintable() else "0x" + word
