"""The escrow contract, as far as it can be known without asking the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.escrow.model import EscrowTerms
    from domain.shared.ids import EscrowId


class EscrowContracts(Protocol):
    """Pure computations over an escrow's terms."""

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        """Return the name under which the contract keeps a payment of these terms."""
        ...

    def payment_call(self, terms: EscrowTerms) -> str:
        """Return the call data with which a payer pays, as ``0x`` hex."""
        ...

    def approval_call(self, terms: EscrowTerms) -> str:
        """Return the call data with which a payer lets the contract take the token."""
        ...
