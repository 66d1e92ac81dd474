"""Use cases of suspense: see what lies there, and give each piece to whom it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from domain.chains.model import Finality
from domain.chains.places import Places
from domain.customers.reach import reach_of
from domain.intents import booking as intent_booking
from domain.intents import events as intent_events
from domain.ledger.parking import AssetParked
from domain.settlements.liquidity import liquid
from domain.settlements.payouts import Payout
from domain.settlements.queueing import queue
from domain.shared.ids import DecisionId, HoldId, PayoutId, SubmissionId, SuspenseId
from domain.shared.money import AssetId, Assets, ChainId, Money
from domain.suspense import booking, keeping
from domain.suspense.model import (
    AlreadyCounted,
    Decision,
    OtherAsset,
    SuspenseItem,
    Verdict,
    read_name,
)
from ports.addresses import Addresses
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent
    from domain.shared.ids import IntentId
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class NotFinalYet(Exception):
    """The chain can still take this money back."""

    id: SuspenseId
    finality: Finality


@attrs.frozen
class NotInHotWallet(Exception):
    """The hot wallet cannot pay that out now: wait for a sweep, or for what is under way."""

    asset: AssetId
    wanted: int
    liquid: int


@attrs.frozen
class OwnAddress(ValueError):
    """The address is the gateway's own: money that is sent there comes back as nobody's."""

    address: str


@attrs.frozen
class Shown:
    """An item with all that was decided of it."""

    item: SuspenseItem
    decisions: Sequence[Decision]
    payout: Payout | None
    """What gives it back."""


@attrs.frozen
class SuspenseService:
    """Decides, once, of each piece of money that nobody could assign.

    Each decision is one unit of work under the lock of its chain's cursor, so it meets neither the
    watcher nor a settlement half-way, and of two at once the second finds it decided.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    places: Mapping[ChainId, Places]
    addresses: Addresses

    async def page(
        self, *, ended: bool = False, after: SuspenseId | None = None, limit: int
    ) -> Sequence[SuspenseItem]:
        """Return items as they were paid: those that wait; with ``ended`` all others too.

        Raises:
            MalformedSuspenseId, NotFound: ``after`` names none.
        """
        async with self.begin() as work:
            last = await _get(work, after) if after else None
            return await work.suspense.page(ended=ended, after=last, limit=limit)

    async def show(self, *, item_id: SuspenseId) -> Shown:
        """Return an item with all that was decided of it.

        Raises:
            MalformedSuspenseId, NotFound, NotFinalYet: there is no such item, or not yet.
        """
        async with self.begin() as work:
            item = await _get(work, item_id)
            decisions = await work.suspense.decisions(item_id)
            payout = None
            if item.payout_id is not None:
                payout = await work.settlements.lock_payout(item.payout_id)
        return Shown(item, decisions, payout)

    async def assign(
        self, *, item_id: SuspenseId, intent_id: IntentId, by: str, note: str
    ) -> PaymentIntent:
        """Let an intent have an item's money as if it had been paid to it; return the intent.

        What the intent does not take of it is another item, which it counts.

        Raises:
            MalformedSuspenseId, NotFound, NotFinalYet: there is no such item or intent.
            NobodyDecides: who decides, or why, is missing.
            AlreadyDecided, OutOfReach, AlreadyCounted: the item cannot be given to it.
            OtherAsset, IntentTransitionRefused: the intent cannot take it, or another one that
                counts it cannot let it go.
            ChainParked, AssetParked: nothing moves there now.
        """
        at = self.clock.now()
        async with self.begin() as work:
            item, intents = await self._lock(work, item_id, intent_id)
            intent = intents[intent_id]
            item.must_be_movable()
            if item.counted_by == intent_id:
                raise AlreadyCounted(item_id, intent_id)
            if intent.due.asset != item.money.asset:
                raise OtherAsset(item_id, item.money.asset, intent.due.asset)
            await self._let_go(work, item, intents, at=at)
            taken = intent.assign(item.left, paid_at=item.paid_at, at=at)
            new = item.counted(intent_id, why=keeping.why_counted(taken), at=at)
            await work.suspense.save(item.assign(at=at))
            await keeping.keep(work, intent, taken, new, at=at)
            inbox = self.places[item.chain].suspense
            captured = intent_booking.capture(intent, taken, suspense=inbox, at=at)
            await work.ledger.book(*captured)
            told = (intent_events.RECEIVED, intent_events.CONFIRMED)
            await self._save(work, intent, taken, *told, at=at)
            decision = self._decision(item, Verdict.ASSIGN, by=by, note=note, at=at)
            await work.suspense.record(attrs.evolve(decision, intent_id=intent_id))
            await work.commit()
        return taken

    async def give_back(self, *, item_id: SuspenseId, to: str, by: str, note: str) -> Payout:
        """Send all of an item's money to an address; return the payout that does it.

        The platform bears the network's fee, as for every payout. Where the chain refuses it with
        proof the item waits for another decision.

        Raises:
            MalformedSuspenseId, NotFound, NotFinalYet: there is no such item.
            NobodyDecides: who decides, or why, is missing.
            AlreadyDecided, OutOfReach: the item cannot be given back.
            AddressRefused, OwnAddress: nothing can be sent there.
            NotInHotWallet: the money lies elsewhere, or is promised.
            IntentTransitionRefused: an intent that counts it cannot let it go.
            ChainParked, AssetParked: nothing moves there now.
        """
        at = self.clock.now()
        async with self.begin() as work:
            item, intents = await self._lock(work, item_id)
            item.must_be_movable()
            destination = await self._destination(work, item.chain, to)
            places, asset = self.places[item.chain], item.money.asset
            held = await liquid(work, places, asset)
            if held.amount < item.left:
                raise NotInHotWallet(asset, item.left, max(held.amount, 0))
            await self._let_go(work, item, intents, at=at)
            payout = await self._pay(work, item, destination, at=at)
            await work.suspense.save(item.promise(payout_id=payout.id, at=at))
            decision = self._decision(item, Verdict.RETURN, by=by, note=note, at=at)
            await work.suspense.record(
                attrs.evolve(decision, destination=destination, payout_id=payout.id)
            )
            await work.commit()
        return payout

    async def top_up(self, *, item_id: SuspenseId, by: str, note: str) -> SuspenseItem:
        """Book an item's money as the platform's own, which an operator has put in.

        Raises:
            MalformedSuspenseId, NotFound, NotFinalYet: there is no such item.
            NobodyDecides: who decides, or why, is missing.
            AlreadyDecided, OutOfReach, NotATopUp: it is decided, or cannot be that.
            ChainParked, AssetParked: nothing moves there now.
        """
        at = self.clock.now()
        async with self.begin() as work:
            item, _ = await self._lock(work, item_id)
            brought_in = item.bring_in(at=at)
            await work.suspense.save(brought_in)
            decision = self._decision(item, Verdict.TOP_UP, by=by, note=note, at=at)
            booked = booking.top_up(item, self.places[item.chain], note=decision.note, at=at)
            await work.ledger.book(booked)
            await work.suspense.record(decision)
            await work.commit()
        return brought_in

    async def _lock(
        self, work: UnitOfWork, item_id: SuspenseId, *intent_ids: IntentId
    ) -> tuple[SuspenseItem, Mapping[IntentId, PaymentIntent]]:
        """Lock the chain, the intents and the item, in this order; refuse where nothing moves."""
        key, _ = read_name(item_id)
        cursor = await work.chains.lock_cursor(key.chain)
        if cursor is None or key.chain not in self.places:
            raise NotFound("item in suspense", item_id)
        cursor.must_move()
        found = await _get(work, item_id)
        parked = await work.parking.of(found.money.asset)
        if parked is not None:
            raise AssetParked(parked.asset, parked.reason)
        # Who counts an item changes under the cursor's lock alone.
        concerned = {*intent_ids, *([found.counted_by] if found.counted_by else [])}
        intents = {id: await work.intents.lock(id, owner=None) for id in sorted(concerned)}
        return await work.suspense.lock(item_id), intents

    async def _let_go(
        self,
        work: UnitOfWork,
        item: SuspenseItem,
        intents: Mapping[IntentId, PaymentIntent],
        *,
        at: datetime,
    ) -> None:
        """Have the intent that counts an item's money count it no more."""
        if item.counted_by is None:
            return
        before = intents[item.counted_by]
        after = before.let_go(item.left, at=at)
        await self._save(work, before, after, intent_events.RETURNED, at=at)

    async def _save(
        self,
        work: UnitOfWork,
        before: PaymentIntent,
        after: PaymentIntent,
        *types: str,
        at: datetime,
    ) -> None:
        await work.intents.save(after)
        told = intent_events.changed(before, after, *types, at=at, assets=self.assets)
        await work.events.record(*told)

    async def _destination(self, work: UnitOfWork, chain: ChainId, to: str) -> str:
        address, places = self.addresses.read(to, chain=chain), self.places[chain]
        ours = await work.intents.owners_of(chain=chain, addresses=[address])
        theirs = await work.customers.at([address], reach=reach_of(chain, places.mode))
        own = {places.hot_wallet, places.cold_wallet, places.escrow_contract}
        if ours or theirs or address in own:
            raise OwnAddress(address)
        return address

    async def _pay(
        self, work: UnitOfWork, item: SuspenseItem, destination: str, *, at: datetime
    ) -> Payout:
        hold_id = HoldId(self.ids.new("hold"))
        hold = booking.promise(item, self.places[item.chain], hold_id=hold_id)
        return await queue(
            work,
            hold,
            submission_id=SubmissionId(self.ids.new("submission")),
            payout_id=PayoutId(self.ids.new("payout")),
            chain=item.chain,
            destination=destination,
            at=at,
        )

    def _decision(
        self, item: SuspenseItem, verdict: Verdict, *, by: str, note: str, at: datetime
    ) -> Decision:
        return Decision(
            id=DecisionId(self.ids.new("decision")),
            item_id=item.id,
            verdict=verdict,
            money=Money(item.left, item.money.asset),
            by=by,
            note=note,
            at=at,
            taken_from=item.counted_by,
        )


async def _get(work: UnitOfWork, item_id: SuspenseId) -> SuspenseItem:
    """Return an item.

    Raises:
        MalformedSuspenseId, NotFound: there is none.
        NotFinalYet: there will be one, if the chain does not take it back.
    """
    key, _ = read_name(item_id)
    try:
        return await work.suspense.get(item_id)
    except NotFound:
        finality = await work.suspense.finality(key)
        if finality in {Finality.SEEN, Finality.SAFE}:
            raise NotFinalYet(item_id, finality) from None
        raise
