"""The escrow contract without a node: names of payments and calls for payers' wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.evm.escrow_abi import PAY, approve_call, call_with_terms, payment_id
from adapters.evm.names import is_native, token_of
from domain.escrow.model import WalletCall
from domain.shared.ids import EscrowId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.escrow.model import EscrowTerms


@attrs.frozen
class EvmEscrowContracts:
    """Every SwitchyardEscrow on every EVM chain: the terms say which one they are for."""

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        """Return the contract's payment id, ``0x`` and 64 hex digits.

        Raises:
            UnpayableTerms: the contract cannot express the terms.
        """
        return EscrowId("0x" + payment_id(terms).hex())

    def wallet_calls(self, terms: EscrowTerms) -> Sequence[WalletCall]:
        """Return a token's ``approve(contract, amount)`` and the contract's ``pay(terms)``.

        The native coin is sent along with the payment and needs no approval.

        Raises:
            UnpayableTerms: the contract cannot express the terms.
        """
        asset, amount = terms.money.asset, terms.money.amount
        payment = "0x" + call_with_terms(PAY, terms).hex()
        if is_native(asset, chain=terms.chain):
            return (WalletCall("pay", terms.contract, payment, amount),)
        token = token_of(asset, chain=terms.chain)
        approval = "0x" + approve_call(terms.contract, amount).hex()
        return (
            WalletCall("approve", token, approval, 0),
            WalletCall("pay", terms.contract, payment, 0),
        )
