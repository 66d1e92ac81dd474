"""Points of secp256k1 as Ethereum names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eth_hash.auto import keccak

if TYPE_CHECKING:
    from coincurve import PublicKey


def address_of_point(key: PublicKey) -> str:
    """Return the account of a public key: the hash of its point, the last 20 bytes, in hex."""
    return "0x" + keccak(key.format(compressed=False)[1:])[-20:].hex()
