"""An escrow as its merchant sees it, in the API and in events alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.escrow.claims import WITHDRAW, WITHDRAW_TO
from domain.shared.money import Money
from domain.shared.rendering import render_money, render_time, render_time_or_none

if TYPE_CHECKING:
    from domain.escrow.claims import Claim
    from domain.escrow.model import Escrow, EscrowTerms, FailedRequest
    from domain.shared.events import Json
    from domain.shared.money import Assets


def view_terms(terms: EscrowTerms) -> dict[str, Json]:
    """Show the terms of an escrow: what the contract's payment id is the hash of."""
    return {
        "reference": terms.reference,
        "merchant": terms.merchant,
        "asset": terms.money.asset,
        "amount": str(terms.money.amount),
        "fee_bps": terms.fees.bps,
        "pay_by": render_time(terms.pay_by),
        "auto_release_at": render_time(terms.auto_release_at),
        "refund_until": render_time(terms.refund_until),
    }


def view_escrow(escrow: Escrow, assets: Assets) -> dict[str, Json]:
    """Show an escrow."""

    def show(amount: int) -> dict[str, Json]:
        return render_money(Money(amount, escrow.terms.money.asset), assets)

    return {
        "id": escrow.id,
        "object": "escrow",
        "payment_intent": escrow.intent_id,
        "state": escrow.state.value,
        "requested": None if escrow.requested is None else escrow.requested.value,
        "payer": escrow.payer,
        "amount": show(escrow.terms.money.amount),
        "fee": show(escrow.fee.fee.amount),
        "payer_amount": show(escrow.payer_amount),
        "merchant_amount": show(escrow.merchant_amount),
        "terms": view_terms(escrow.terms),
        "held_at": render_time(escrow.held_at),
        "disputed_at": render_time_or_none(escrow.disputed_at),
        "ended_at": render_time_or_none(escrow.ended_at),
        "failure": None if escrow.failure is None else _view_failure(escrow.failure),
        "claims": [_view_claim(claim, escrow, assets) for claim in escrow.claims],
    }


def _view_failure(failure: FailedRequest) -> dict[str, Json]:
    return {
        "action": failure.action.value,
        "reason": failure.reason,
        "at": render_time(failure.at),
        "times": failure.times,
    }


def _view_claim(claim: Claim, escrow: Escrow, assets: Assets) -> dict[str, Json]:
    """Show what waits in the contract: for whom, and by which of its calls he takes it out."""
    return {
        "side": claim.side.value,
        "account": claim.account,
        "amount": render_money(Money(claim.amount, escrow.terms.money.asset), assets),
        "contract": escrow.terms.contract,
        "calls": [WITHDRAW, WITHDRAW_TO],
        "since": render_time(claim.since),
        "withdrawn_at": render_time_or_none(claim.withdrawn_at),
        "withdrawn_to": claim.withdrawn_to,
    }
