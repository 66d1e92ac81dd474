"""The escrow contract without a node: names of payments and call data for payers' wallets."""

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
class NothingToApprove(ValueError):
    """The terms are in the chain's native coin, which is sent with the call itself."""

    asset: str


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
        """Return the transactions with which a payer pays: an approval for tokens, the payment.

        Raises:
            UnpayableTerms: the contract cannot express the terms.
        """
        native = is_native(terms.money.asset, chain=terms.chain)
        value = terms.money.amount if native else 0
        pay = WalletCall("pay", terms.contract, self.payment_call(terms), value)
        if native:
            return (pay,)
        token = token_of(terms.money.asset, chain=terms.chain)
        return (WalletCall("approve", token, self.approval_call(terms), 0), pay)

    def payment_call(self, terms: EscrowTerms) -> str:
        """Return the call data of ``pay(terms)``.

        Raises:
            UnpayableTerms: the contract cannot express the terms.
        """
        return "0x" + call_with_terms(PAY, terms).hex()

    def approval_call(self, terms: EscrowTerms) -> str:
        """Return the call data of the token's ``approve(contract, amount)``.

        Raises:
            NothingToApprove: the terms are in the native coin.
        """
        if is_native(terms.money.asset, chain=terms.chain):
            raise NothingToApprove(terms.money.asset)
        return "0x" + approve_call(terms.contract, terms.money.amount).hex()
