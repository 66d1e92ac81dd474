"""What can be known of the in-memory escrow contract without asking its chain."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import attrs

from domain.escrow.model import WalletCall
from domain.shared.ids import EscrowId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.escrow.model import EscrowTerms


@attrs.frozen
class InMemoryEscrowContracts:
    """Pure computations over an escrow's terms: hashes of all that is in them."""

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        """Return the name under which the contract keeps a payment of these terms."""
        return EscrowId(_hash("id", terms))

    def wallet_calls(self, terms: EscrowTerms) -> Sequence[WalletCall]:
        """Return the transactions with which a payer pays: a token is approved first."""
        asset, amount = terms.money.asset, terms.money.amount
        _, _, token = asset.partition("/erc20:")
        pay = WalletCall("pay", terms.contract, _hash("pay", terms), 0 if token else amount)
        if not token:
            return [pay]
        return [WalletCall("approve", token, _hash("approve", terms), 0), pay]


def _hash(what: str, terms: EscrowTerms) -> str:
    fields = (
        terms.chain, terms.contract, terms.reference, terms.merchant, terms.money.asset,
        terms.money.amount, terms.fees.bps, *(
            int(clock.timestamp())
            for clock in (terms.pay_by, terms.auto_release_at, terms.refund_until)
        ),
    )  # fmt: skip
    return "0x" + hashlib.sha256(repr((what, *fields)).encode()).hexdigest()
