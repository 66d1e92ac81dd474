"""Deposit addresses that are hashes of their place."""

from __future__ import annotations

import hashlib

import attrs


@attrs.frozen
class InMemoryDepositAddresses:
    """The addresses under one key, which is a mere name here."""

    key: str = "deposits"

    def derive(self, index: int) -> str:
        """Return the address at a place; the same place gives the same address for ever.

        Raises:
            ValueError: the place is below zero or beyond what a key has (2^31).
        """
        if not 0 <= index < 2**31:
            raise ValueError(f"no place {index}")
        return "0x" + hashlib.sha256(f"{self.key}/{index}".encode()).hexdigest()[:40]
