"""How network fees look, in the API and on the command line alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_money

if TYPE_CHECKING:
    from domain.network_fees.model import Kind, Offer, ValuedFees
    from domain.shared.events import Json
    from domain.shared.money import Assets, Money


def view_fees(valued: ValuedFees, assets: Assets) -> dict[str, Json]:
    """Show a chain's fees, with what each amount is worth where that is known."""
    fees = valued.fees
    return {
        "object": "network_fees",
        "chain": fees.chain,
        "block": fees.block,
        "congestion_percent": fees.congestion_percent,
        "offers": [_offer(offer, valued, assets) for offer in fees.offers],
    }


def _offer(offer: Offer, valued: ValuedFees, assets: Assets) -> dict[str, Json]:
    return {
        "name": offer.name,
        "wait_seconds": offer.wait_seconds,
        "costs": [_cost(kind, cost, valued, assets) for kind, cost in offer.costs.items()],
    }


def _cost(kind: Kind, cost: Money, valued: ValuedFees, assets: Assets) -> dict[str, Json]:
    value = valued.values.get(cost)
    return {
        "kind": str(kind),
        "cost": render_money(cost, assets),
        "value": None if value is None else render_money(value, assets),
    }
