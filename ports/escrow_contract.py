"""The escrow contract, as far as it can be known without asking the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.escrow.model import EscrowTerms, WalletCall
    from domain.shared.ids import EscrowId


class EscrowContracts(Protocol):
    """Pure computations over an escrow's terms."""

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        """Return the name under which the contract keeps a payment of these terms."""
        ...

    def wallet_calls(self, terms: EscrowTerms) -> Sequence[WalletCall]:
        """Return the transactions with which a payer pays, in order."""
        ...
