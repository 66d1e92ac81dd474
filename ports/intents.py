"""Payment intents and the quotes they were made from, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.intents.listing import Place, Wanted
    from domain.intents.model import PaymentIntent
    from domain.intents.quotes import Quote
    from domain.shared.ids import IntentId, MerchantId, QuoteId
    from domain.shared.money import AssetId, ChainId


class Intents(Protocol):
    """Payment intents.

    ``owner`` is the merchant who asks; None is the gateway itself, for whom nothing is hidden.
    """

    async def add(self, intent: PaymentIntent) -> None:
        """Store a new intent.

        Raises:
            AlreadyExists: its id, its deposit address or its memo on the chain is taken.
            AssetParked: its asset moves no money at the moment.
        """
        ...

    async def save(self, intent: PaymentIntent) -> None:
        """Store an intent as it is now; only one that was locked in this unit of work."""
        ...

    async def get(self, intent_id: IntentId, *, owner: MerchantId | None) -> PaymentIntent:
        """Return an intent.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def lock(self, intent_id: IntentId, *, owner: MerchantId | None) -> PaymentIntent:
        """Return an intent and keep others from changing it until this unit of work ends.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def list(
        self,
        *,
        owner: MerchantId,
        before: Place | None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[PaymentIntent]:
        """Return a merchant's intents, newest first, from just before a place."""
        ...

    async def owners_of(
        self, *, chain: ChainId, addresses: Sequence[str]
    ) -> Mapping[str, IntentId]:
        """Return which of the addresses are deposit addresses, and of which intents."""
        ...

    async def owners_by_memo(
        self, *, chain: ChainId, memos: Sequence[str]
    ) -> Mapping[str, IntentId]:
        """Return which of the memos, as they were issued, are of which intents."""
        ...

    async def awaited_at(self, *, chain: ChainId, asset: AssetId, limit: int) -> Sequence[str]:
        """Return deposit addresses at which an asset is waited for, the first to expire first."""
        ...

    async def overdue(self, *, chain: ChainId, at: datetime, limit: int) -> Sequence[IntentId]:
        """Return unpaid intents on a chain whose time was over before ``at``, oldest first."""
        ...

    async def next_deposit_index(self) -> int:
        """Return a number, from 0, without waiting for anybody.

        No unit of work under way has it, nor any that was committed or may have been; one that
        was certainly undone may leave it to another.
        """
        ...

    async def deposit_addresses(self, *, chain: ChainId) -> Sequence[str]:
        """Return every deposit address ever issued on a chain."""
        ...

    async def add_quote(self, quote: Quote) -> None:
        """Store a new quote."""
        ...

    async def get_quote(self, quote_id: QuoteId, *, owner: MerchantId) -> Quote:
        """Return a quote.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def quotes_named(self, ids: Sequence[QuoteId], *, owner: MerchantId) -> Sequence[Quote]:
        """Return a merchant's quotes of these names, in any order; no others."""
        ...
