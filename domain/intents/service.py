"""Use cases of payment intents: quote, create, show, cancel, accept, expire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import attrs

from domain.chains.places import Places
from domain.escrow.model import EscrowTerms
from domain.intents import booking, events
from domain.intents.attempts import Attempt, AttemptState
from domain.intents.issuing import (
    AssetNotAccepted,
    ChainOfOtherMode,
    IntentRules,
    Wish,
    pay_to,
)
from domain.intents.model import IntentTransitionRefused, PaymentIntent, StarsInvoice
from domain.intents.observing import observe
from domain.intents.prices import must_be_currency, must_be_price
from domain.intents.quotes import NoRate, RateRules, quote
from domain.ledger.accounts import suspense
from domain.shared.idempotency import KeyTaken
from domain.shared.ids import AttemptId, IntentId, QuoteId
from domain.shared.metadata import merged
from domain.shared.money import Assets, ChainId, Money
from domain.stars.model import STARS_RAIL, rail_of
from domain.suspense import keeping
from ports.clock import Clock
from ports.deposit_addresses import DepositAddresses
from ports.escrow_contract import EscrowContracts
from ports.ids import Ids
from ports.rates import RateSource
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from domain.escrow.model import WalletCall
    from domain.intents.listing import Place, Wanted
    from domain.intents.model import Method
    from domain.intents.quotes import Quote
    from domain.ledger.accounts import Account
    from domain.merchants.model import Merchant
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class PriceIn:
    """A price, to be paid in an asset at the rate of the moment."""

    price: Money
    asset: str


@attrs.frozen
class IntentService:
    """What merchants do with payment intents, and what time does to them."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    rates: Sequence[RateSource]
    rate_rules: RateRules
    rules: IntentRules
    addresses: Mapping[ChainId, DepositAddresses]
    contracts: EscrowContracts
    places: Mapping[ChainId, Places]

    async def quote(
        self,
        *,
        merchant: Merchant,
        price: Money,
        asset: str,
        idempotency: Idempotency[Quote] | None = None,
    ) -> Quote:
        """Promise how much of an asset will be taken for a price, for a few minutes.

        Raises:
            UnknownAsset, NotACurrency, AssetNotAccepted, PriceOutOfRange, ChainOfOtherMode: the
                wish makes no sense here.
            NoRate: no rate can be trusted at the moment.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        made = await self._quote(merchant, price, asset, idempotency)
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=merchant.id)
            await work.intents.add_quote(made)
            if idempotency:
                await idempotency.keep(work, made, owner=merchant.id)
            await work.commit()
        return made

    async def create(
        self,
        *,
        merchant: Merchant,
        method: Method,
        offer: QuoteId | PriceIn,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        pay_within: timedelta | None = None,
        idempotency: Idempotency[PaymentIntent] | None = None,
    ) -> PaymentIntent:
        """Create an intent, from a quote made before or from a price and an asset.

        Raises:
            UnknownAsset, NotACurrency, AssetNotAccepted, PriceOutOfRange, MethodNotOffered,
                ChainOfOtherMode: the wish makes no sense here.
            NoRate: no rate can be trusted at the moment.
            NotFound: the merchant has no such quote.
            QuoteExpired: it was promised for a time that is over.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        made = None
        if isinstance(offer, PriceIn):
            made = await self._quote(merchant, offer.price, offer.asset, idempotency)

        async def make(*, claim: bool) -> PaymentIntent:
            async with self.begin() as work:
                if idempotency and claim:
                    await idempotency.claim(work, owner=merchant.id)
                now = self.clock.now()
                of = made or await work.intents.get_quote(QuoteId(str(offer)), owner=merchant.id)
                of.must_be_fresh(at=now)
                intent = await self._draw_up(
                    work, merchant, of, method, at=now, pay_within=pay_within
                )
                if made:
                    await work.intents.add_quote(made)
                intent = attrs.evolve(intent, description=description, metadata=metadata or {})
                await work.intents.add(intent)
                await work.events.record(
                    events.happened(events.CREATED, intent, at=now, assets=self.assets)
                )
                if idempotency:
                    await idempotency.keep(work, intent, owner=merchant.id)
                await work.commit()
            return intent

        if made:
            # Nothing is read for it, so that all can be written at once, and the key taken with
            # it; of a key that is not new, the claim tells what it has led to.
            with suppress(KeyTaken):
                return await make(claim=False)
        return await make(claim=True)

    async def get(self, *, owner: MerchantId, intent_id: IntentId) -> PaymentIntent:
        """Return an intent of a merchant's.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            return await work.intents.get(intent_id, owner=owner)

    async def wallet_calls(
        self, *, owner: MerchantId, intent_id: IntentId
    ) -> Sequence[WalletCall]:
        """Return the transactions a payer's wallet is asked for; none for a deposit address.

        Raises:
            NotFound: the merchant has none of that name.
        """
        intent = await self.get(owner=owner, intent_id=intent_id)
        if isinstance(intent.pay_to, EscrowTerms):
            return self.contracts.wallet_calls(intent.pay_to)
        return ()

    async def page(
        self,
        *,
        owner: MerchantId,
        before: Place | None = None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[PaymentIntent]:
        """Return a merchant's intents, newest first, from just before a place."""
        async with self.begin() as work:
            return await work.intents.list(owner=owner, before=before, limit=limit, wanted=wanted)

    async def cancel(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        idempotency: Idempotency[PaymentIntent] | None = None,
    ) -> PaymentIntent:
        """Withdraw an intent that nobody has begun to pay.

        Raises:
            NotFound: the merchant has none of that name.
            IntentTransitionRefused: money has been seen, or the intent has ended.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            now = self.clock.now()
            intent = await work.intents.lock(intent_id, owner=owner)
            canceled = intent.cancel(at=now)
            await self._save(work, intent, canceled, at=now)
            if idempotency:
                await idempotency.keep(work, canceled, owner=owner)
            await work.commit()
        return canceled

    async def accept(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        idempotency: Idempotency[PaymentIntent] | None = None,
    ) -> PaymentIntent:
        """Take late or short money that waits in suspense for what was asked.

        Raises:
            NotFound: the merchant has none of that name.
            IntentTransitionRefused: nothing waits for a decision, or nothing of it is final.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            now = self.clock.now()
            intent = await work.intents.lock(intent_id, owner=owner)
            accepted = intent.accept(at=now)
            await keeping.keep(work, intent, accepted, at=now)
            inbox = self._suspense(intent)
            await work.ledger.book(*booking.capture(intent, accepted, suspense=inbox, at=now))
            await self._save(work, intent, accepted, events.CAPTURED, at=now)
            if idempotency:
                await idempotency.keep(work, accepted, owner=owner)
            await work.commit()
        return accepted

    async def annotate(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        metadata: Mapping[str, str | None],
        idempotency: Idempotency[PaymentIntent] | None = None,
    ) -> PaymentIntent:
        """Change an intent's metadata, whatever has become of it; nobody is told of it.

        Raises:
            NotFound: the merchant has none of that name.
            TooMuchMetadata: more would be left than there may be.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            intent = await work.intents.lock(intent_id, owner=owner)
            annotated = attrs.evolve(intent, metadata=merged(intent.metadata, metadata))
            await work.intents.save(annotated)
            if idempotency:
                await idempotency.keep(work, annotated, owner=owner)
            await work.commit()
        return annotated

    async def expire_due(self, *, chain: ChainId, limit: int = 100) -> int:
        """End intents whose time was over in a block that has been read and is final.

        The wall clock ends nothing: while the chain has not been read, a payment may be there.
        """
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is None or not cursor.may_decide:
                return 0
            covered = cursor.final.time
            due = await work.intents.overdue(chain=chain, at=covered, limit=limit)
        ended = 0
        for intent_id in due:
            async with self.begin() as work:
                intent = await work.intents.lock(intent_id, owner=None)
                try:
                    expired = intent.expire(at=covered)
                except IntentTransitionRefused:
                    continue
                await self._save(work, intent, expired, at=self.clock.now())
                await work.commit()
            ended += 1
        return ended

    async def _save(
        self,
        work: UnitOfWork,
        before: PaymentIntent,
        after: PaymentIntent,
        *types: str,
        at: datetime,
    ) -> None:
        await work.intents.save(after)
        told = events.changed(before, after, *types, at=at, assets=self.assets)
        await work.events.record(*told)

    async def _quote(
        self,
        merchant: Merchant,
        price: Money,
        asset: str,
        idempotency: Idempotency[Any] | None,
    ) -> Quote:
        """Quote, or tell a request that was carried out before what it was answered then."""
        currency = self.assets.find(price.asset)
        wanted = self.assets.find(asset)
        must_be_currency(currency)
        chain = rail_of(wanted.id)
        if chain is None or chain not in {*self.places, STARS_RAIL}:
            raise AssetNotAccepted(wanted.id)
        self._must_suit(merchant, chain)
        must_be_price(price.amount)
        try:
            return quote(
                id=QuoteId(self.ids.new("quote")),
                merchant_id=merchant.id,
                price=price,
                currency=currency,
                asset=wanted,
                observations=await observe(self.rates, wanted, currency),
                rules=self.rate_rules,
                at=self.clock.now(),
            )
        except NoRate:
            if idempotency:
                async with self.begin() as work:
                    await idempotency.claim(work, owner=merchant.id)
            raise

    def _must_suit(self, merchant: Merchant, chain: ChainId) -> None:
        """Keep test money and live money apart.

        Raises:
            ChainOfOtherMode: the account is for the other.
        """
        mode = self.rules.stars if chain == STARS_RAIL else self.places[chain].mode
        if merchant.mode is not mode:
            raise ChainOfOtherMode(chain, merchant.mode)

    async def _draw_up(
        self,
        work: UnitOfWork,
        merchant: Merchant,
        chosen: Quote,
        method: Method,
        *,
        at: datetime,
        pay_within: timedelta | None,
    ) -> PaymentIntent:
        chain = rail_of(chosen.due.asset)
        if chain is None:
            raise AssetNotAccepted(chosen.due.asset)
        self._must_suit(merchant, chain)
        intent_id = IntentId(self.ids.new("intent"))
        # Contracts count in whole seconds; a deadline with a fraction could not be kept there.
        expires_at = (at + (pay_within or self.rules.pay_within)).replace(microsecond=0)
        wish = Wish(intent_id, chosen.due, method, merchant.fees, pay_by=expires_at)
        return PaymentIntent(
            id=intent_id,
            merchant_id=merchant.id,
            price=chosen.price,
            due=chosen.due,
            quote_id=chosen.id,
            method=method,
            pay_to=await pay_to(
                work,
                wish,
                chain,
                places=self.places,
                rules=self.rules,
                addresses=self.addresses,
                ids=self.ids,
            ),
            fees=merchant.fees,
            policy=merchant.payments,
            created_at=at,
            expires_at=expires_at,
            attempt=Attempt(
                id=AttemptId(self.ids.new("attempt")),
                rail=chain,
                state=AttemptState.AWAITING_PAYER,
                begun_at=at,
                changed_at=at,
            ),
        )

    def _suspense(self, intent: PaymentIntent) -> Account:
        if isinstance(intent.pay_to, StarsInvoice):
            return suspense("stars")
        return self.places[intent.pay_to.chain].suspense
