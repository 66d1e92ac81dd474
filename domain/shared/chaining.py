"""Chains of hashes: each is over the one before it and a text, so no text can be changed unseen.

A chain shows that what it was made over is as it was; only its newest hash, published where nobody
who can write to the database has a hand, shows that the chain itself was not made anew.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

GENESIS: Final = bytes(32)
"""What the first link continues."""


def linked(before: bytes, texts: Iterable[bytes]) -> bytes:
    """Return the hash that continues a chain over texts, one after the other.

    Each step is the SHA-256 of the hash before it (32 bytes) and one text.
    """
    for text in texts:
        before = hashlib.sha256(before + text).digest()
    return before
