"""Deposit addresses, derived without a private key."""

from __future__ import annotations

from typing import Protocol


class DepositAddresses(Protocol):
    """The addresses under one extended public key."""

    def derive(self, index: int) -> str:
        """Return the address at a place; the same place gives the same address for ever."""
        ...
