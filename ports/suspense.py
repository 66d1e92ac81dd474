"""Suspense, stored: its items, and what was decided of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.model import Finality, ObservationKey
    from domain.shared.ids import IntentId, PayoutId, SuspenseId
    from domain.suspense.model import Decision, SuspenseItem


class Suspense(Protocol):
    """Every item that ever lay in suspense, and every decision; none is ever deleted.

    Who locks intents and items locks the intents first.
    """

    async def add(self, item: SuspenseItem) -> None:
        """Store a new item.

        Raises:
            AlreadyExists: there is one of that name.
        """
        ...

    async def save(self, item: SuspenseItem) -> None:
        """Store an item as it is now; only one that was locked in this unit of work."""
        ...

    async def get(self, item_id: SuspenseId) -> SuspenseItem:
        """Return an item.

        Raises:
            NotFound: there is none.
        """
        ...

    async def lock(self, item_id: SuspenseId) -> SuspenseItem:
        """Return an item and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def lock_counted(self, *, by: IntentId) -> Sequence[SuspenseItem]:
        """Return the open items that an intent counts, oldest first, and lock them."""
        ...

    async def of_intent(self, intent_id: IntentId, *, limit: int) -> Sequence[SuspenseItem]:
        """Return what was paid to an intent or is counted by it, ended or not, oldest first."""
        ...

    async def lock_returning(self, payout_id: PayoutId) -> SuspenseItem:
        """Return the item that a payout gives back, and keep others from changing it.

        Raises:
            NotFound: it gives none back.
        """
        ...

    async def page(
        self, *, ended: bool, after: SuspenseItem | None = None, limit: int
    ) -> Sequence[SuspenseItem]:
        """Return items in the order in which they were paid, from just after one of them.

        Those that wait for a decision or are on their way back; with ``ended`` all others too.
        """
        ...

    async def record(self, decision: Decision) -> None:
        """Store a decision."""
        ...

    async def decisions(self, item_id: SuspenseId) -> Sequence[Decision]:
        """Return what was decided of an item, oldest first."""
        ...

    async def finality(self, key: ObservationKey) -> Finality | None:
        """Return how sure an observation is, or None where nothing like it was seen."""
        ...
