"""Payment intents and the quotes they are made from."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import attrs

from domain.explaining.service import ExplainingService
from domain.explaining.view import view_beside
from domain.intents.issuing import AssetNotAccepted, ChainOfOtherMode, MethodNotOffered
from domain.intents.listing import Place
from domain.intents.model import IntentTransitionRefused
from domain.intents.prices import NotACurrency, PriceOutOfRange
from domain.intents.quotes import NoRate, QuoteExpired
from domain.intents.service import IntentService, PriceIn
from domain.intents.view import view_intent, view_quote
from domain.ledger.parking import AssetParked
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import IntentId, QuoteId
from domain.shared.metadata import TooMuchMetadata
from domain.shared.money import (
    AmountOutOfRange,
    Assets,
    MalformedAssetId,
    Money,
    UnknownAsset,
    asset_id,
)
from entrypoints.http.answers import answer, answer_once, answer_page
from entrypoints.http.endpoint import Call, RawJson, get, post
from entrypoints.http.intent_lists import (
    Expandable,
    ExpandedIntentView,
    Expansion,
    IntentPaging,
)
from entrypoints.http.metadata import ChangeMetadata
from entrypoints.http.pagination import After, Cursors, Page
from entrypoints.http.schema import Text
from entrypoints.http.views import (
    CreatePaymentIntent,
    CreateQuote,
    PaymentIntentView,
    QuoteView,
    WalletCallsView,
)
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.intents.model import PaymentIntent
    from domain.intents.quotes import Quote
    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency
    from entrypoints.http.views import (
        MoneyIn,
    )

Name = Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")]

_WISHES = (
    UnknownAsset,
    MalformedAssetId,
    NotACurrency,
    AssetNotAccepted,
    ChainOfOtherMode,
    PriceOutOfRange,
    AmountOutOfRange,
    NoRate,
)
_KEYS = (KeyInFlight, KeyReused)


@attrs.frozen
class UnclearOffer(ValueError):
    """An intent is made either from a quote, or from a price and an asset."""


@attrs.frozen(kw_only=True)
class PaymentIntents:
    """What a merchant wants to be paid."""

    service: IntentService
    explaining: ExplainingService
    assets: Assets
    cursors: Cursors

    @post(
        "/v1/quotes",
        summary="Promise an amount of an asset for a price",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=(*_WISHES, *_KEYS),
    )
    async def create_quote(self, call: Call[Merchant], body: CreateQuote) -> QuoteView | RawJson:
        """The rate is locked for a few minutes; every source that counted is shown."""
        price, asset = _money(body.price), asset_id(body.asset)

        async def act(idempotency: Idempotency[Quote] | None) -> Quote:
            return await self.service.quote(
                merchant=call.principal, price=price, asset=asset, idempotency=idempotency
            )

        return await answer_once(call, act, lambda made: view_quote(made, self.assets))

    @post(
        "/v1/payment_intents",
        summary="Create a payment intent",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=(
            *_WISHES,
            MethodNotOffered,
            AssetParked,
            UnclearOffer,
            NotFound,
            QuoteExpired,
            *_KEYS,
        ),
    )
    async def create(
        self, call: Call[Merchant], body: CreatePaymentIntent
    ) -> PaymentIntentView | RawJson:
        """Made from a quote, or from a price and an asset at the rate of the moment."""
        within = body.pay_within_seconds
        offer = _offer(body)
        return await answer_once(
            call,
            lambda idempotency: self.service.create(
                merchant=call.principal,
                method=body.method,
                offer=offer,
                description=body.description,
                metadata=body.metadata,
                pay_within=None if within is None else timedelta(seconds=within),
                idempotency=idempotency,
            ),
            self._view,
        )

    @get(
        "/v1/payment_intents",
        summary="List payment intents, newest first",
        scope=Scope.PAYMENT_INTENTS_READ,
        problems=(MalformedAssetId,),
    )
    async def list(
        self, call: Call[Merchant], query: IntentPaging
    ) -> Page[ExpandedIntentView] | RawJson:
        """Pages are stable: new intents do not move the ones that follow a cursor.

        Filters hold together. A cursor is good for the filters it was given out with.
        """
        found = await self.service.page(
            owner=call.principal.id,
            before=None if query.cursor is None else self._place(query.cursor),
            limit=query.limit + 1,
            wanted=query.wanted(),
        )
        views = await self._expanded(call, found, query.expand)
        shown = {intent.id: view for intent, view in zip(found, views, strict=True)}
        page = self.cursors.page(
            found,
            limit=query.limit,
            view=lambda intent: shown[intent.id],
            position=lambda intent: After(created_at=intent.created_at, id=intent.id),
        )
        return answer_page(call, page)

    @get(
        "/v1/payment_intents/{intent}",
        summary="Show a payment intent",
        scope=Scope.PAYMENT_INTENTS_READ,
        problems=(NotFound,),
    )
    async def show(
        self, call: Call[Merchant], intent: Name, query: Expansion
    ) -> ExpandedIntentView | RawJson:
        """With the money seen, final and captured so far."""
        found = await self.service.get(owner=call.principal.id, intent_id=IntentId(intent))
        [shown] = await self._expanded(call, [found], query.expand)
        return answer(call, shown)

    @get(
        "/v1/payment_intents/{intent}/wallet_calls",
        summary="Show the transactions a payer's wallet is asked for",
        scope=Scope.PAYMENT_INTENTS_READ,
        problems=(NotFound,),
    )
    async def wallet_calls(self, call: Call[Merchant], intent: Name) -> WalletCallsView | RawJson:
        """For payment into escrow: let the contract take the token, then have it take it."""
        calls = await self.service.wallet_calls(
            owner=call.principal.id, intent_id=IntentId(intent)
        )
        data = [
            {
                "purpose": each.purpose,
                "target": each.target,
                "data": each.data,
                "value": str(each.value),
            }
            for each in calls
        ]
        return answer(call, {"object": "wallet_calls", "data": data})

    @post(
        "/v1/payment_intents/{intent}/cancel",
        status=200,
        summary="Cancel a payment intent",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=(NotFound, IntentTransitionRefused, *_KEYS),
    )
    async def cancel(self, call: Call[Merchant], intent: Name) -> PaymentIntentView | RawJson:
        """Only while no money has been seen."""

        async def act(idempotency: Idempotency[PaymentIntent] | None) -> PaymentIntent:
            return await self.service.cancel(
                owner=call.principal.id, intent_id=IntentId(intent), idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    @post(
        "/v1/payment_intents/{intent}",
        status=200,
        summary="Change a payment intent's metadata",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=(NotFound, TooMuchMetadata, *_KEYS),
    )
    async def annotate(
        self, call: Call[Merchant], intent: Name, body: ChangeMetadata
    ) -> PaymentIntentView | RawJson:
        """At any time, also when it has ended. No event tells of it; later ones show it."""

        async def act(idempotency: Idempotency[PaymentIntent] | None) -> PaymentIntent:
            return await self.service.annotate(
                owner=call.principal.id,
                intent_id=IntentId(intent),
                metadata=body.metadata,
                idempotency=idempotency,
            )

        return await answer_once(call, act, self._view)

    @post(
        "/v1/payment_intents/{intent}/accept",
        status=200,
        summary="Accept late or short money that waits for a decision",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=(NotFound, IntentTransitionRefused, *_KEYS),
    )
    async def accept(self, call: Call[Merchant], intent: Name) -> PaymentIntentView | RawJson:
        """The money is in suspense until then; the intent is ``needs_review``."""

        async def act(idempotency: Idempotency[PaymentIntent] | None) -> PaymentIntent:
            return await self.service.accept(
                owner=call.principal.id, intent_id=IntentId(intent), idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    def _place(self, cursor: str) -> Place:
        after = self.cursors.open(cursor)
        return Place(after.created_at, IntentId(after.id))

    async def _expanded(
        self, call: Call[Merchant], intents: Sequence[PaymentIntent], wanted: Sequence[Expandable]
    ) -> Sequence[dict[str, Json]]:
        if not wanted:
            return [self._view(intent) for intent in intents]
        beside = await self.explaining.beside(
            intents,
            owner=call.principal.id,
            quotes=Expandable.QUOTE in wanted,
            escrows=Expandable.ESCROW in wanted,
        )
        return [
            {**self._view(intent), "expanded": view_beside(each, self.assets)}
            for intent, each in zip(intents, beside, strict=True)
        ]

    def _view(self, intent: PaymentIntent) -> dict[str, Json]:
        return view_intent(intent, self.assets)


def _money(given: MoneyIn) -> Money:
    return Money(int(given.amount), asset_id(given.asset))


def _offer(body: CreatePaymentIntent) -> QuoteId | PriceIn:
    if body.quote is not None and body.price is None and body.asset is None:
        return QuoteId(body.quote)
    if body.quote is None and body.price is not None and body.asset is not None:
        return PriceIn(_money(body.price), asset_id(body.asset))
    raise UnclearOffer
