"""Payment intents and quotes in PostgreSQL."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, any_, bindparam, select

from adapters.postgres.intent_lists import listing
from adapters.postgres.intent_rows import intent_of, quote_of, row_of_intent, row_of_quote
from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    select_named,
    update_by_id,
)
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.intents import DEPOSIT_INDEX, PAYMENT_INTENT, QUOTE
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from adapters.postgres.statements import Statement
    from domain.intents.listing import Place, Wanted
    from domain.intents.model import PaymentIntent
    from domain.intents.quotes import Quote
    from domain.shared.ids import IntentId, MerchantId, QuoteId
    from domain.shared.money import AssetId, ChainId

_C = PAYMENT_INTENT.c
_ADD = insertion(PAYMENT_INTENT)
_SAVE = update_by_id(
    PAYMENT_INTENT,
    fixed=[
        "merchant_id", "price_amount", "price_asset", "due_amount", "due_asset", "quote_id",
        "method", "pay_to", "fees", "created_at", "memo",
    ],
)  # fmt: skip
_GET = select_by_id(PAYMENT_INTENT)
_LOCK = select_by_id(PAYMENT_INTENT, lock=True)
_OWNERS = compiled(
    select(_C.deposit_address, _C.id).where(
        _C.chain == bindparam("chain"),
        _C.deposit_address == any_(bindparam("addresses", type_=ARRAY(NAME))),
    )
)
_OWNERS_BY_MEMO = compiled(
    select(_C.memo, _C.id).where(
        _C.chain == bindparam("chain"),
        _C.memo == any_(bindparam("memos", type_=ARRAY(NAME))),
    )
)
_AWAITED_AT = compiled(
    select(_C.deposit_address)
    .where(
        _C.chain == bindparam("chain"),
        _C.status == "requires_payment",
        _C.due_asset == bindparam("asset"),
        _C.deposit_address.is_not(None),
    )
    .order_by(_C.expires_at, _C.deposit_address)
    .limit(bindparam("limit"))
)
_OVERDUE = compiled(
    select(_C.id)
    .where(
        _C.chain == bindparam("chain"),
        _C.status == "requires_payment",
        _C.expires_at < bindparam("at"),
    )
    .order_by(_C.expires_at)
    .limit(bindparam("limit"))
)
_NEXT_BLOCK = compiled(select(DEPOSIT_INDEX.next_value().label("block")))
_ADDRESSES = compiled(
    select(_C.deposit_address).where(
        _C.chain == bindparam("chain"), _C.deposit_address.is_not(None)
    )
)
_ADD_QUOTE = insertion(QUOTE)
_GET_QUOTE = select_by_id(QUOTE)
_QUOTES_NAMED = select_named(QUOTE)


INDICES_PER_BLOCK = 16
"""How many deposit indices a process reserves at once, which saves it a round trip for each.

Those that it has not given out when it ends are left unused. There are fewer of them than the 20
unused addresses after which a wallet stops looking for more (BIP-44, address gap limit).
"""


@attrs.frozen
class PostgresIntents:
    """See ``ports.intents.Intents``."""

    _session: Session
    _indices: deque[int]
    """Deposit indices reserved and not given out yet; shared by the process's units of work."""
    _drawn: list[int] = attrs.field(factory=list, init=False)
    """Those given out here."""

    async def add(self, intent: PaymentIntent) -> None:
        """Store a new intent."""
        await self._session.write(_ADD, row_of_intent(intent), intent.id)

    async def save(self, intent: PaymentIntent) -> None:
        """Store an intent as it is now."""
        await self._session.write(_SAVE, row_of_intent(intent), intent.id)

    async def get(self, intent_id: IntentId, *, owner: MerchantId | None) -> PaymentIntent:
        """Return an intent, or raise NotFound."""
        return await self._one(_GET, intent_id, owner=owner)

    async def lock(self, intent_id: IntentId, *, owner: MerchantId | None) -> PaymentIntent:
        """Return an intent and lock its row, or raise NotFound."""
        return await self._one(_LOCK, intent_id, owner=owner)

    async def list(
        self,
        *,
        owner: MerchantId,
        before: Place | None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[PaymentIntent]:
        """Return a merchant's intents, newest first, from just before a place."""
        statement, parameters = listing(owner=owner, before=before, limit=limit, wanted=wanted)
        rows = await self._session.rows(statement, **parameters)
        return [intent_of(row) for row in rows[:limit]]

    async def owners_of(
        self, *, chain: ChainId, addresses: Sequence[str]
    ) -> Mapping[str, IntentId]:
        """Return which of the addresses are deposit addresses, and of which intents."""
        rows = await self._session.rows(_OWNERS, chain=chain, addresses=[*addresses])
        return {row["deposit_address"]: row["id"] for row in rows}

    async def owners_by_memo(
        self, *, chain: ChainId, memos: Sequence[str]
    ) -> Mapping[str, IntentId]:
        """Return which of the memos are of which intents."""
        rows = await self._session.rows(_OWNERS_BY_MEMO, chain=chain, memos=[*memos])
        return {row["memo"]: row["id"] for row in rows}

    async def awaited_at(self, *, chain: ChainId, asset: AssetId, limit: int) -> Sequence[str]:
        """Return deposit addresses at which an asset is waited for, the first to expire first."""
        rows = await self._session.rows(_AWAITED_AT, chain=chain, asset=asset, limit=limit)
        return [row["deposit_address"] for row in rows]

    async def overdue(self, *, chain: ChainId, at: datetime, limit: int) -> Sequence[IntentId]:
        """Return unpaid intents on a chain whose time was over before ``at``, oldest first."""
        rows = await self._session.rows(_OVERDUE, chain=chain, at=at, limit=limit)
        return [row["id"] for row in rows]

    async def next_deposit_index(self) -> int:
        """Return a number that no intent has, from a block that this process has reserved."""
        if not self._indices:
            [row] = await self._session.rows(_NEXT_BLOCK)
            first = row["block"] * INDICES_PER_BLOCK
            self._indices.extend(range(first, first + INDICES_PER_BLOCK))
        index = self._indices.popleft()
        self._drawn.append(index)
        return index

    def give_back(self) -> None:
        """Let the deposit indices drawn here be drawn again: no intent has got them."""
        self._indices.extendleft(reversed(self._drawn))

    async def deposit_addresses(self, *, chain: ChainId) -> Sequence[str]:
        """Return every deposit address ever issued on a chain."""
        rows = await self._session.rows(_ADDRESSES, chain=chain)
        return [row["deposit_address"] for row in rows]

    async def add_quote(self, quote: Quote) -> None:
        """Store a new quote."""
        await self._session.write(_ADD_QUOTE, row_of_quote(quote), quote.id)

    async def get_quote(self, quote_id: QuoteId, *, owner: MerchantId) -> Quote:
        """Return a quote, or raise NotFound."""
        row = await self._session.row(_GET_QUOTE, id=quote_id)
        if row is None or row["merchant_id"] != owner:
            raise NotFound("quote", quote_id)
        return quote_of(row)

    async def quotes_named(self, ids: Sequence[QuoteId], *, owner: MerchantId) -> Sequence[Quote]:
        """Return a merchant's quotes of these names, in any order; no others."""
        rows = await self._session.rows(_QUOTES_NAMED, ids=[*ids], owner=owner)
        return [quote_of(row) for row in rows]

    async def _one(
        self, statement: Statement, intent_id: IntentId, *, owner: MerchantId | None
    ) -> PaymentIntent:
        row = await self._session.row(statement, id=intent_id)
        if row is None or owner not in {None, row["merchant_id"]}:
            raise NotFound("intent", intent_id)
        return intent_of(row)
