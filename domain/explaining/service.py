"""The use case "where is my money": gather everything that is known of one payment intent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.chains.at_risk import at_risk
from domain.chains.finality import Ladder
from domain.chains.places import Places
from domain.escrow.model import EscrowTerms
from domain.explaining.model import UNSURE, Beside, Case
from domain.intents.model import DepositAddress, Method, SharedAddress
from domain.ledger.accounts import available
from domain.shared.money import Assets, ChainId, Money
from ports.clock import Clock
from ports.escrow_contract import EscrowContracts
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.finality import Rung
    from domain.chains.model import Cursor, Observation
    from domain.escrow.model import Escrow
    from domain.intents.model import PaymentIntent
    from domain.ledger.model import BookedTransaction
    from domain.shared.ids import IntentId, MerchantId
    from ports.unit_of_work import UnitOfWork

STRETCHES_MAX: Final = 100
"""How many stretches of blocks are shown: the newest."""
OBSERVATIONS_MAX: Final = 100
EVENTS_MAX: Final = 100
ITEMS_MAX: Final = 100


@attrs.frozen
class ExplainingService:
    """Tells merchants where the money of an intent is, and what happens next."""

    begin: Begin
    clock: Clock
    assets: Assets
    contracts: EscrowContracts
    settle_every: timedelta
    """How much time lies between two runs of settlements."""
    places: Mapping[ChainId, Places]
    ladders: Mapping[ChainId, Ladder] = attrs.field(factory=dict)
    """What large amounts need on a chain to be final."""

    async def explain(self, *, owner: MerchantId, intent_id: IntentId) -> Case:
        """Gather what is known of an intent, all of it read in one unit of work.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            intent = await work.intents.get(intent_id, owner=owner)
            merchant = await work.merchants.get(owner)
            escrow = await self._escrow(work, intent)
            chain, asset = intent.pay_to.chain, intent.due.asset
            stretches = await work.chains.covered_since(
                chain, at=intent.created_at, limit=STRETCHES_MAX
            )
            account = available(owner)
            kept = await work.ledger.kept_balances(prefix=account)
            balance = next(
                (it.money for it in kept if (it.account, it.money.asset) == (account, asset)),
                Money(0, asset),
            )
            cursor = await work.chains.cursor(chain)
            observations = await self._observations(work, intent)
            objects = [intent.id, *([] if escrow is None else [escrow.id])]
            return Case(
                at=self.clock.now(),
                intent=intent,
                asset=self.assets.find(asset),
                payouts=merchant.payouts,
                settle_every=self.settle_every,
                quote=await work.intents.get_quote(intent.quote_id, owner=owner),
                cursor=cursor,
                stretches=stretches[::-1],
                observations=observations,
                held_by=await self._held_by(work, cursor, observations),
                escrow=escrow,
                items=await work.suspense.of_intent(intent.id, limit=ITEMS_MAX),
                stars=await work.star_payments.of_intent(intent.id),
                parked=await work.parking.of(asset),
                balance=balance,
                events=await work.events.of_objects(objects, owner=owner, limit=EVENTS_MAX),
                bookings=await _bookings(work, objects),
            )

    async def beside(
        self,
        intents: Sequence[PaymentIntent],
        *,
        owner: MerchantId,
        quotes: bool,
        escrows: bool,
    ) -> Sequence[Beside]:
        """Return what stands beside each of a merchant's intents, as far as it is asked for."""
        asked = [it.quote_id for it in intents] if quotes else []
        held = [it.id for it in intents if escrows and it.method is Method.ESCROW]
        async with self.begin() as work:
            found = await work.intents.quotes_named(asked, owner=owner) if asked else ()
            there = await work.escrows.of_intents(held, owner=owner) if held else ()
        quote_by_id = {it.id: it for it in found}
        escrow_by_intent = {it.intent_id: it for it in there}
        return [
            Beside(quote=quote_by_id.get(it.quote_id), escrow=escrow_by_intent.get(it.id))
            for it in intents
        ]

    async def _observations(
        self, work: UnitOfWork, intent: PaymentIntent
    ) -> Sequence[Observation]:
        """Find what was paid to an intent, as crediting finds whose a payment is."""
        match intent.pay_to:
            case DepositAddress(chain=chain, address=address):
                return await work.chains.paid_to(chain, target=address, limit=OBSERVATIONS_MAX)
            case SharedAddress(chain=chain, wallet=wallet, memo=memo):
                return await work.chains.paid_to(
                    chain, target=wallet, memo=memo, limit=OBSERVATIONS_MAX
                )
            case EscrowTerms() as terms:
                return await work.chains.paid_into(self.contracts.escrow_id(terms))
            case _:
                return ()

    async def _held_by(
        self, work: UnitOfWork, cursor: Cursor | None, observations: Sequence[Observation]
    ) -> Sequence[Rung]:
        """Return what the last of the payments that are not final needs, as it is a large amount.

        What providers have said is not stored: they are taken to agree on what is final.
        """
        unsure = [it.block.number for it in observations if it.finality in UNSURE]
        if cursor is None or not unsure or cursor.chain not in self.ladders:
            return ()
        ladder = self.ladders[cursor.chain]
        proven = {rung: cursor.final.number for rung in ladder.rungs if rung.quorum > 1}
        paid = await at_risk(
            work, cursor, places=self.places[cursor.chain], ladder=ladder, proven=proven
        )
        return ladder.waits(paid, newest=cursor.seen, block=max(unsure), proven=proven)

    async def _escrow(self, work: UnitOfWork, intent: PaymentIntent) -> Escrow | None:
        if intent.method is not Method.ESCROW:
            return None
        try:
            return await work.escrows.of_intent(intent.id, owner=intent.merchant_id)
        except NotFound:
            return None


async def _bookings(work: UnitOfWork, references: Sequence[str]) -> Sequence[BookedTransaction]:
    found = [it for each in references for it in await work.ledger.transactions(reference=each)]
    return sorted(found, key=lambda it: (it.booked_at, it.id))
