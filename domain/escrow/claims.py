"""Claims: what the contract could not push, and keeps for its owner to withdraw."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Final

import attrs

WITHDRAW: Final = "withdraw(address token)"
WITHDRAW_TO: Final = "withdrawTo(address token, address to)"
"""The contract's calls by which an owner takes out all that it keeps for him in a token, the zero
address being the native coin (``SwitchyardEscrow.sol``). The second helps whom a token blocks."""


class Side(enum.StrEnum):
    """Whose money it was when it was to be pushed."""

    MERCHANT = "merchant"
    """To the address that the terms name: the gateway's, which pays merchants out."""
    PAYER = "payer"


@attrs.frozen
class Claim:
    """Money that has ended in the contract as somebody's credit instead of with him."""

    side: Side
    account: str
    """Who alone can withdraw it."""
    amount: int
    """Smallest units of the escrow's asset."""
    since: datetime
    withdrawn_at: datetime | None = None
    withdrawn_to: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the contract still keeps it."""
        return self.withdrawn_at is None

    def withdraw(self, *, to: str, at: datetime) -> Claim:
        """Note that its owner has taken it out; what has been taken out before stays as it is."""
        return attrs.evolve(self, withdrawn_at=at, withdrawn_to=to) if self.is_open else self
