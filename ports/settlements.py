"""Settlements and payouts, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.settlements.listing import Place, Wanted
    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.ids import MerchantId, PayoutId, SettlementId


class Settlements(Protocol):
    """Settlements, and the payouts that carry them out."""

    async def add(self, settlement: Settlement) -> None:
        """Store a new settlement."""
        ...

    async def save(self, settlement: Settlement) -> None:
        """Store a settlement as it is now; only one that was locked in this unit of work."""
        ...

    async def lock(self, settlement_id: SettlementId) -> Settlement:
        """Return a settlement and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def list(
        self, *, owner: MerchantId, before: SettlementId | None = None, limit: int
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements, newest first: later ids sort after earlier ones.

        ``before`` is the last of the page before.
        """
        ...

    async def named(
        self, ids: Sequence[SettlementId], *, owner: MerchantId
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements of these names, in any order; no others."""
        ...

    async def add_payout(self, payout: Payout) -> None:
        """Store a new payout."""
        ...

    async def save_payout(self, payout: Payout) -> None:
        """Store a payout as it is now; only one that was locked in this unit of work."""
        ...

    async def get_payout(self, payout_id: PayoutId, *, owner: MerchantId) -> Payout:
        """Return a payout.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def payouts_named(
        self, ids: Sequence[PayoutId], *, owner: MerchantId
    ) -> Sequence[Payout]:
        """Return a merchant's payouts of these names, in any order; no others."""
        ...

    async def list_payouts(
        self,
        *,
        owner: MerchantId,
        before: Place | None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[Payout]:
        """Return a merchant's payouts, newest first, from just before a place."""
        ...

    async def lock_payout(self, payout_id: PayoutId) -> Payout:
        """Return a payout and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...
