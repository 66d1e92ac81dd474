"""Escrows, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.escrow.model import DueRelease, Escrow
    from domain.shared.ids import EscrowId, IntentId, MerchantId
    from domain.shared.money import AssetId, ChainId


class Escrows(Protocol):
    """Payments held by an escrow contract."""

    async def add(self, escrow: Escrow) -> None:
        """Store a new escrow."""
        ...

    async def save(self, escrow: Escrow) -> None:
        """Store an escrow as it is now; only one that was locked in this unit of work."""
        ...

    async def of_intent(self, intent_id: IntentId, *, owner: MerchantId) -> Escrow:
        """Return the escrow of an intent.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def of_intents(
        self, intent_ids: Sequence[IntentId], *, owner: MerchantId
    ) -> Sequence[Escrow]:
        """Return the escrows of a merchant's intents of these names, in any order; no others."""
        ...

    async def lock_of_intent(self, intent_id: IntentId, *, owner: MerchantId) -> Escrow:
        """Return the escrow of an intent and keep others from changing it.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def lock(self, escrow_id: EscrowId) -> Escrow | None:
        """Return an escrow and keep others from changing it, or None if it is not ours."""
        ...

    async def due_for_release(self, *, at: datetime, limit: int) -> Sequence[DueRelease]:
        """Return held escrows with no request under way whose auto-release time has come.

        Those whose last request has come to nothing only when it is time to try again. What has
        been due for longest comes first.
        """
        ...

    async def with_open_claims(
        self, *, chain: ChainId, contract: str, account: str, asset: AssetId
    ) -> Sequence[EscrowId]:
        """Return the escrows of which a contract keeps a part for an account, in an asset."""
        ...
