"""Payment intents and quotes, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from domain.intents.listing import ALL, Place
from domain.intents.model import DepositAddress, SharedAddress
from domain.ledger.parking import AssetParked
from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.intents.listing import Wanted
    from domain.intents.model import PaymentIntent
    from domain.intents.quotes import Quote
    from domain.shared.ids import IntentId, MerchantId, QuoteId
    from domain.shared.money import AssetId, ChainId


@attrs.frozen
class InMemoryIntents:
    """Payment intents, and the quotes they were made from."""

    _turn: Turn

    async def add(self, intent: PaymentIntent) -> None:
        """Store a new intent in an asset that moves, under an address that is nobody else's."""
        tables = await self._turn.tables()
        parked = tables.parked.get(intent.due.asset)
        if parked is not None:
            self._turn.refuse(AssetParked(parked.asset, parked.reason))
        to = intent.pay_to
        if isinstance(to, DepositAddress) and tables.intents.where(address=(to.chain, to.address)):
            self._turn.refuse(AlreadyExists("deposit address", to.address))
        if isinstance(to, SharedAddress) and tables.intents.where(memo=(to.chain, to.memo)):
            self._turn.refuse(AlreadyExists("memo", to.memo))
        add(self._turn, "intent", tables.intents, intent.id, intent)

    async def save(self, intent: PaymentIntent) -> None:
        """Store an intent as it is now; only one that was locked in this unit of work."""
        save(self._turn, "intent", (await self._turn.tables()).intents, intent.id, intent)

    async def get(self, intent_id: IntentId, *, owner: MerchantId | None) -> PaymentIntent:
        """Return an intent."""
        intent = find("intent", (await self._turn.tables()).intents, intent_id)
        return _shown_to(owner, intent)

    async def lock(self, intent_id: IntentId, *, owner: MerchantId | None) -> PaymentIntent:
        """Return an intent and keep others from changing it until this unit of work ends."""
        intents = (await self._turn.tables()).intents
        return _shown_to(owner, lock(self._turn, "intent", intents, intent_id))

    async def list(
        self,
        *,
        owner: MerchantId,
        before: Place | None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[PaymentIntent]:
        """Return a merchant's intents, newest first, from just before a place."""
        mine = (await self._turn.tables()).intents.where(owner=owner)
        found = [it for it in mine if (wanted or ALL).includes(it)]
        older = [it for it in found if before is None or _place(it) < before]
        return sorted(older, key=_place, reverse=True)[:limit]

    async def owners_of(
        self, *, chain: ChainId, addresses: Sequence[str]
    ) -> Mapping[str, IntentId]:
        """Return which of the addresses are deposit addresses, and of which intents."""
        intents = (await self._turn.tables()).intents
        return {
            address: intent.id
            for address in addresses
            for intent in intents.where(address=(chain, address))
        }

    async def owners_by_memo(
        self, *, chain: ChainId, memos: Sequence[str]
    ) -> Mapping[str, IntentId]:
        """Return which of the memos are of which intents."""
        intents = (await self._turn.tables()).intents
        return {memo: it.id for memo in memos for it in intents.where(memo=(chain, memo))}

    async def awaited_at(self, *, chain: ChainId, asset: AssetId, limit: int) -> Sequence[str]:
        """Return deposit addresses at which an asset is waited for, the first to expire first."""
        unpaid = (await self._turn.tables()).intents.where(unpaid_on=chain)
        wanted = sorted(
            (it.expires_at, it.pay_to.address)
            for it in unpaid
            if isinstance(it.pay_to, DepositAddress) and it.due.asset == asset
        )
        return [address for _, address in wanted[:limit]]

    async def overdue(self, *, chain: ChainId, at: datetime, limit: int) -> Sequence[IntentId]:
        """Return unpaid intents on a chain whose time was over before ``at``, oldest first."""
        unpaid = (await self._turn.tables()).intents.where(unpaid_on=chain)
        over = [it for it in unpaid if it.expires_at < at]
        return [it.id for it in sorted(over, key=lambda it: (it.expires_at, it.id))[:limit]]

    async def next_deposit_index(self) -> int:
        """Return a number never returned before, from 0, without waiting for anybody."""
        return self._turn.next_deposit_index()

    async def deposit_addresses(self, *, chain: ChainId) -> Sequence[str]:
        """Return every deposit address ever issued on a chain."""
        intents = (await self._turn.tables()).intents
        issued = (it.pay_to for it in intents if isinstance(it.pay_to, DepositAddress))
        return [it.address for it in issued if it.chain == chain]

    async def add_quote(self, quote: Quote) -> None:
        """Store a new quote."""
        add(self._turn, "quote", (await self._turn.tables()).quotes, quote.id, quote)

    async def get_quote(self, quote_id: QuoteId, *, owner: MerchantId) -> Quote:
        """Return a quote."""
        quote = find("quote", (await self._turn.tables()).quotes, quote_id)
        if quote.merchant_id != owner:
            raise NotFound("quote", quote_id)
        return quote

    async def quotes_named(self, ids: Sequence[QuoteId], *, owner: MerchantId) -> Sequence[Quote]:
        """Return a merchant's quotes of these names, in any order; no others."""
        quotes = (await self._turn.tables()).quotes
        found = (quotes.get(id) for id in dict.fromkeys(ids))
        return [it for it in found if it is not None and it.merchant_id == owner]


def _place(intent: PaymentIntent) -> Place:
    return Place(intent.created_at, intent.id)


def _shown_to(owner: MerchantId | None, intent: PaymentIntent) -> PaymentIntent:
    if owner is not None and intent.merchant_id != owner:
        raise NotFound("intent", intent.id)
    return intent
