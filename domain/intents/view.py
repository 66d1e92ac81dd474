"""A payment intent as its merchant sees it, in the API and in events alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.chains.addresses import shown
from domain.escrow.model import EscrowTerms
from domain.escrow.view import view_terms
from domain.intents.model import DepositAddress, SharedAddress, StarsInvoice
from domain.shared.rendering import render_amount, render_money, render_time

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent, PayTo
    from domain.intents.quotes import Quote
    from domain.shared.events import Json
    from domain.shared.money import Assets


def view_intent(intent: PaymentIntent, assets: Assets) -> dict[str, Json]:
    """Show a payment intent."""
    asset = assets.find(intent.due.asset)
    return {
        "id": intent.id,
        "object": "payment_intent",
        "status": intent.status.value,
        "exception": intent.exception.value,
        "method": intent.method.value,
        "price": render_money(intent.price, assets),
        "due": render_amount(intent.due.amount, asset),
        "amount_received": render_amount(intent.received, asset),
        "amount_final": render_amount(intent.final, asset),
        "amount_captured": render_amount(intent.captured, asset),
        "amount_remaining": render_amount(intent.remaining, asset),
        "fee_bps": intent.fees.bps,
        "quote": intent.quote_id,
        "pay_to": _view_pay_to(intent.pay_to),
        "description": intent.description,
        "metadata": dict(intent.metadata),
        "created_at": render_time(intent.created_at),
        "expires_at": render_time(intent.expires_at),
    }


def _view_pay_to(pay_to: PayTo) -> dict[str, Json]:
    address, memo, terms = "", None, None
    match pay_to:
        case EscrowTerms():
            address, terms = pay_to.contract, view_terms(pay_to)
        case DepositAddress():
            address = pay_to.address
        case SharedAddress():
            address, memo = pay_to.wallet, pay_to.memo
        case StarsInvoice():
            memo = pay_to.payload
        case _:
            assert_never(pay_to)
    return {
        "chain": pay_to.chain,
        "address": shown(address, chain=pay_to.chain),
        "memo": memo,
        "escrow_terms": terms,
    }


def view_quote(quote: Quote, assets: Assets) -> dict[str, Json]:
    """Show a quote with all that it was computed from."""
    return {
        "id": quote.id,
        "object": "quote",
        "price": render_money(quote.price, assets),
        "due": render_money(quote.due, assets),
        "rate": format(quote.rate, "f"),
        "spread_bps": quote.spread_bps,
        "sources": [
            {
                "source": source.source,
                "rate": format(source.rate, "f"),
                "observed_at": render_time(source.observed_at),
            }
            for source in quote.sources
        ],
        "created_at": render_time(quote.created_at),
        "expires_at": render_time(quote.expires_at),
    }
