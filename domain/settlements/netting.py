"""Netting: what of the merchants' balances is paid out now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.money import chain_of

if TYPE_CHECKING:
    from domain.merchants.model import PayoutTerms
    from domain.shared.money import Money


def payable(available: Money, terms: PayoutTerms) -> Money | None:
    """Return what to settle of a balance, or None if it is too little or has nowhere to go."""
    chain = chain_of(available.asset)
    if chain is None or chain not in terms.destinations:
        return None
    if available.amount <= 0 or available < terms.minimum(available.asset):
        return None
    return available
