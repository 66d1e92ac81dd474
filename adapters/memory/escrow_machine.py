"""The escrow contract of the in-memory chain: the rules of ``SwitchyardEscrow``, in short.

Money is pushed to merchant and payer; what a receiver rejects becomes a credit in the contract.
Fees are always credited, to the treasury.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from adapters.memory.chain_state import Reverted
from adapters.memory.tables import Table
from domain.chains.model import (
    CreditWithdrawn,
    EscrowDisputed,
    EscrowPaid,
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
)
from domain.escrow.model import ARBITER_TIMEOUT
from domain.shared.money import Money

if TYPE_CHECKING:
    from adapters.memory.chain_state import ChainState
    from domain.escrow.model import EscrowTerms
    from domain.shared.ids import EscrowId
    from domain.shared.money import AssetId
    from ports.escrow_contract import EscrowContracts


class Status(enum.Enum):
    """Where a payment stands in the contract."""

    HELD = "held"
    DISPUTED = "disputed"
    OVER = "over"


@attrs.frozen
class Payment:
    """What the contract keeps of a payment."""

    payer: str
    status: Status
    disputed_at: datetime | None = None


class EscrowMachine:
    """The contract: each verb is a transaction by somebody at a time, or is reverted."""

    def __init__(
        self,
        state: ChainState,
        *,
        contracts: EscrowContracts,
        address: str,
        operator: str,
        arbiter: str,
        treasury: str,
    ) -> None:
        self.address = address
        self.operator = operator
        self.arbiter = arbiter
        self.treasury = treasury
        self._state = state
        self._contracts = contracts
        self._payments: Table[EscrowId, Payment] = Table(state.journal)
        self._credits: Table[tuple[str, AssetId], int] = Table(state.journal)

    def credit_of(self, account: str, asset: AssetId) -> int:
        """Return what an account can withdraw, in the smallest unit."""
        return self._credits.get((account, asset)) or 0

    def pay(self, terms: EscrowTerms, *, by: str, at: datetime) -> None:
        """Take in a payment of these terms."""
        id = self._contracts.escrow_id(terms)
        if terms.contract != self.address or terms.money.amount <= 0:
            raise Reverted("terms of another contract, or over nothing")
        if id in self._payments:
            raise Reverted("paid before")
        if at > terms.pay_by:
            raise Reverted("too late to pay")
        self._payments.put(id, Payment(by, Status.HELD))
        self._state.facts.append(EscrowPaid(id, terms.reference, by, terms.money))
        self._state.move(by, self.address, terms.money)

    def release(self, terms: EscrowTerms, *, by: str, at: datetime) -> None:
        """Pay the merchant: for payer and operator at any time, for all from auto-release on."""
        id, payment = self._find(terms, Status.HELD)
        if by not in {payment.payer, self.operator} and at < terms.auto_release_at:
            raise Reverted("too early to release")
        self._payments.put(id, attrs.evolve(payment, status=Status.OVER))
        line = terms.fees.on(terms.money)
        place = self._log_place()
        pushed = self._push(terms.merchant, line.net)
        self._credit(self.treasury, line.fee)
        self._state.facts.insert(
            place, EscrowReleased(id, line.net.amount, line.fee.amount, pushed)
        )

    def refund(self, terms: EscrowTerms, *, by: str) -> None:
        """Pay the payer back, by the merchant or the operator."""
        _, payment = self._find(terms, Status.HELD)
        if by not in {terms.merchant, self.operator}:
            raise Reverted("not allowed to refund")
        self._refund(terms, payment)

    def reclaim(self, terms: EscrowTerms, *, by: str, at: datetime) -> None:
        """Pay the payer back, who asks for it after the refund window."""
        _, payment = self._find(terms, Status.HELD)
        if by != payment.payer or at < terms.refund_until:
            raise Reverted("too early to reclaim, or not the payer")
        self._refund(terms, payment)

    def dispute(self, terms: EscrowTerms, *, by: str, at: datetime) -> None:
        """Stop a held payment for the arbiter to decide."""
        id, payment = self._find(terms, Status.HELD)
        if by not in {payment.payer, terms.merchant, self.operator}:
            raise Reverted("not allowed to dispute")
        if at >= terms.refund_until:
            raise Reverted("too late to dispute")
        self._payments.put(id, Payment(payment.payer, Status.DISPUTED, disputed_at=at))
        self._state.facts.append(EscrowDisputed(id))

    def resolve(self, terms: EscrowTerms, *, payer_amount: int, by: str) -> None:
        """Split a disputed payment, by the arbiter; the merchant's part pays the fee."""
        id, payment = self._find(terms, Status.DISPUTED)
        if by != self.arbiter or not 0 <= payer_amount <= terms.money.amount:
            raise Reverted("not the arbiter, or a split of more than there is")
        self._payments.put(id, attrs.evolve(payment, status=Status.OVER))
        back = Money(payer_amount, terms.money.asset)
        line = terms.fees.on(terms.money - back)
        place = self._log_place()
        payer_pushed = self._push(payment.payer, back)
        merchant_pushed = self._push(terms.merchant, line.net)
        self._credit(self.treasury, line.fee)
        self._state.facts.insert(
            place,
            EscrowResolved(
                escrow_id=id,
                payer_amount=payer_amount,
                merchant_amount=line.net.amount,
                fee=line.fee.amount,
                payer_pushed=payer_pushed,
                merchant_pushed=merchant_pushed,
            ),
        )

    def claim_unresolved(self, terms: EscrowTerms, *, at: datetime) -> None:
        """Pay the payer back, because the arbiter has not decided in time."""
        _, payment = self._find(terms, Status.DISPUTED)
        if payment.disputed_at is None or at < payment.disputed_at + ARBITER_TIMEOUT:
            raise Reverted("the arbiter still has time")
        self._refund(terms, payment)

    def withdraw(self, asset: AssetId, *, by: str, to: str) -> None:
        """Take out all of somebody's credit."""
        amount = self.credit_of(by, asset)
        if not amount:
            raise Reverted("nothing to withdraw")
        money = Money(amount, asset)
        self._credits.put((by, asset), 0)
        self._state.facts.append(CreditWithdrawn(by, to, money))
        self._state.move(self.address, to, money)

    def _find(self, terms: EscrowTerms, status: Status) -> tuple[EscrowId, Payment]:
        id = self._contracts.escrow_id(terms)
        payment = self._payments.get(id)
        if payment is None or payment.status is not status:
            raise Reverted(f"not {status.value}")
        return id, payment

    def _refund(self, terms: EscrowTerms, payment: Payment) -> None:
        id = self._contracts.escrow_id(terms)
        self._payments.put(id, attrs.evolve(payment, status=Status.OVER))
        place = self._log_place()
        pushed = self._push(payment.payer, terms.money)
        self._state.facts.insert(place, EscrowRefunded(id, terms.money.amount, pushed))

    def _log_place(self) -> int:
        """Return where an event goes that the contract logs before it pushes money."""
        return len(self._state.facts)

    def _push(self, target: str, money: Money) -> bool:
        pushed = self._state.push(self.address, target, money)
        if not pushed:
            self._credit(target, money)
        return pushed

    def _credit(self, account: str, money: Money) -> None:
        if money:
            key = account, money.asset
            self._credits.put(key, self.credit_of(*key) + money.amount)
