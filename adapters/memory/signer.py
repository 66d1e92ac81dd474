"""A signer whose signatures are hashes: they prove nothing and are the same in every run."""

from __future__ import annotations

import hashlib

PREFIX = b"unsigned:"
"""What bytes must begin with to be a transaction that this signer understands."""


class InMemorySigner:
    """Holds a name in place of a private key."""

    def __init__(self, key: str = "hot") -> None:
        self._key = key
        self.address = "0x" + hashlib.sha256(f"address of {key}".encode()).hexdigest()[:40]

    def sign_transaction(self, unsigned: bytes) -> bytes:
        """Return a transaction with its signature; the same input, the same bytes."""
        if not unsigned.startswith(PREFIX):
            raise ValueError("not a transaction")
        signature = hashlib.sha256(self._key.encode() + unsigned).digest()
        return unsigned.removeprefix(PREFIX) + signature
