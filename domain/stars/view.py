"""Payments in Stars as merchants see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_money, render_time

if TYPE_CHECKING:
    from domain.shared.events import Json
    from domain.shared.ids import IntentId
    from domain.shared.money import Assets
    from domain.stars.model import StarPayment


def view_payment(payment: StarPayment, assets: Assets) -> dict[str, Json]:
    """Show a charge, without the payer: Telegram's users are nobody's business here."""
    return {
        "id": payment.id,
        "object": "star_payment",
        "payment_intent": payment.intent_id,
        "state": payment.state.value,
        "amount": render_money(payment.money, assets),
        "paid_at": render_time(payment.paid_at),
        "matures_at": render_time(payment.matures_at),
        "reason": payment.reason,
    }


def view_link(link: str, intent_id: IntentId) -> dict[str, Json]:
    """Show a link to an invoice."""
    return {"object": "stars_invoice_link", "payment_intent": intent_id, "url": link}
