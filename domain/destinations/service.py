"""Use cases of payout destinations: ask for a change, approve it, take it back, let it count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.customers.reach import reach_of
from domain.destinations import events
from domain.destinations.model import (
    APPROVE_WITHIN,
    LAPSED,
    OWN_ADDRESS,
    ChangeState,
    CoolDowns,
    Destination,
    DestinationChange,
    must_be_independent,
)
from domain.intents.issuing import ChainOfOtherMode
from domain.merchants.rotation import KeyEnded
from domain.shared.actors import ActorKind
from domain.shared.ids import DestinationChangeId, KeyId
from domain.shared.metadata import merged
from domain.shared.money import ChainId
from ports.addresses import Addresses
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from domain.destinations.model import Party
    from domain.merchants.model import ApiKey, Merchant
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class ChainNotServed(ValueError):
    """Nobody is paid on this chain here."""

    chain: ChainId


@attrs.frozen
class OwnDestination(ValueError):
    """The address is the gateway's own: a payout to it would come back as nobody's money."""

    address: str


@attrs.frozen
class AlreadyThere(ValueError):
    """Payouts on this chain go to this address already."""

    chain: ChainId


@attrs.frozen
class ChangeUnderWay(Exception):
    """Another change of this chain's destination is open: wait for its end, or cancel it."""

    id: DestinationChangeId


@attrs.frozen
class DestinationService:
    """Changes where merchants are paid, never by the word of one key alone, and never at once.

    Every use case locks the merchant and then the change, so that of two that meet the second
    finds what the first has made of it.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    places: Mapping[ChainId, Places]
    addresses: Addresses
    cool_downs: CoolDowns = attrs.field(factory=CoolDowns)

    async def destinations(self, *, owner: MerchantId) -> Sequence[Destination]:
        """Return where a merchant is paid and what is about to change there, by chain.

        Raises:
            NotFound: there is no such merchant.
        """
        async with self.begin() as work:
            merchant = await work.merchants.get(owner)
            changes = {it.chain: it for it in await work.payout_destinations.open_of(owner)}
        known = merchant.payouts.destinations
        return [
            Destination(chain, known.get(chain), changes.get(chain))
            for chain in sorted({*known, *changes})
        ]

    async def changes(self, *, owner: MerchantId, limit: int) -> Sequence[DestinationChange]:
        """Return a merchant's changes, the newest first."""
        async with self.begin() as work:
            return await work.payout_destinations.list(owner=owner, limit=limit)

    async def change(
        self, *, change_id: DestinationChangeId, owner: MerchantId | None
    ) -> DestinationChange:
        """Return a change; ``None`` stands for any merchant's.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        async with self.begin() as work:
            return await work.payout_destinations.get(change_id, owner=owner)

    async def sound(self, *, chain: ChainId, address: str) -> str:
        """Return an address to which merchants can be paid, in the form in which it is stored.

        Raises:
            ChainNotServed: nobody can be paid on the chain.
            AddressRefused, OwnDestination: nothing can be sent there.
        """
        async with self.begin() as work:
            return await self._sound(work, chain, address)

    async def request(
        self,
        *,
        owner: MerchantId,
        chain: ChainId,
        address: str,
        by: Party,
        metadata: Mapping[str, str] | None = None,
        idempotency: Idempotency[DestinationChange] | None = None,
    ) -> DestinationChange:
        """Ask for another destination on a chain, or for the first one there.

        Raises:
            NotFound: there is no such merchant.
            ChainNotServed, ChainOfOtherMode: he cannot be paid on the chain.
            AddressRefused, OwnDestination: nothing can be sent there.
            AlreadyThere: that is his destination.
            ChangeUnderWay: another change is open.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        at = self.clock.now()
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            merchant = await work.merchants.lock(owner)
            destination = await self._read(work, merchant, chain, address)
            for other in await work.payout_destinations.open_of(owner):
                if other.chain == chain:
                    raise ChangeUnderWay(other.id)
            before = merchant.payouts.destinations.get(chain)
            if before == destination:
                raise AlreadyThere(chain)
            change = DestinationChange(
                id=DestinationChangeId(self.ids.new("destination_change")),
                merchant_id=owner,
                chain=chain,
                address=destination,
                replaces=before,
                requested_by=by,
                requested_at=at,
                lapses_at=at + APPROVE_WITHIN,
                metadata=metadata or {},
            )
            await work.payout_destinations.add(change)
            await work.events.record(events.change_came_to(change, at=at))
            if idempotency:
                await idempotency.keep(work, change, owner=owner)
            await work.commit()
        return change

    async def approve(
        self,
        *,
        change_id: DestinationChangeId,
        owner: MerchantId | None,
        by: Party,
        idempotency: Idempotency[DestinationChange] | None = None,
    ) -> DestinationChange:
        """Let a change become effective once it has cooled down.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
            NotIndependent: who approves is, or could be, who asked.
            KeyEnded: the key that approves was revoked a moment ago.
            ChangeTransitionRefused: it does not wait for that.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        at = self.clock.now()
        async with self.begin() as work:
            merchant, change = await self._lock(work, change_id, owner)
            if idempotency:
                await idempotency.claim(work, owner=merchant.id)
            await self._must_be_independent(work, change, by, at=at)
            first = change.chain not in merchant.payouts.destinations
            cool_down = self.cool_downs.of(merchant.mode, first=first)
            approved = change.approve(by=by, at=at, cool_down=cool_down)
            await self._keep(work, approved, at=at)
            if not cool_down:
                approved = await self._take_effect(work, merchant, approved, at=at)
            if idempotency:
                await idempotency.keep(work, approved, owner=merchant.id)
            await work.commit()
        return approved

    async def refuse(
        self,
        *,
        change_id: DestinationChangeId,
        owner: MerchantId | None,
        by: Party,
        reason: str | None = None,
        idempotency: Idempotency[DestinationChange] | None = None,
    ) -> DestinationChange:
        """Say no to a change that is not effective yet, also after its approval.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
            ChangeTransitionRefused: it has ended.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """

        def refuse(change: DestinationChange, at: datetime) -> DestinationChange:
            return change.refuse(by=by, at=at, reason=reason)

        return await self._end(change_id, owner, refuse, idempotency)

    async def cancel(
        self,
        *,
        change_id: DestinationChangeId,
        owner: MerchantId | None,
        by: Party,
        reason: str | None = None,
        idempotency: Idempotency[DestinationChange] | None = None,
    ) -> DestinationChange:
        """Take a change back that is not effective yet.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
            ChangeTransitionRefused: it has ended.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """

        def cancel(change: DestinationChange, at: datetime) -> DestinationChange:
            return change.cancel(by=by, at=at, reason=reason)

        return await self._end(change_id, owner, cancel, idempotency)

    async def annotate(
        self,
        *,
        change_id: DestinationChangeId,
        owner: MerchantId,
        metadata: Mapping[str, str | None],
        idempotency: Idempotency[DestinationChange] | None = None,
    ) -> DestinationChange:
        """Change a change's metadata, also after its end; nothing else, and nobody is told.

        Raises:
            NotFound: the merchant has none of that name.
            TooMuchMetadata: more would be left than there may be.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            _, change = await self._lock(work, change_id, owner)
            annotated = attrs.evolve(change, metadata=merged(change.metadata, metadata))
            await work.payout_destinations.save(annotated)
            if idempotency:
                await idempotency.keep(work, annotated, owner=owner)
            await work.commit()
        return annotated

    async def apply_due(self, *, limit: int) -> int:
        """End what nobody has approved in time, and let count what has cooled down.

        Each change is a unit of work of its own. Returns how many were found, ``limit`` at most.
        """
        at = self.clock.now()
        async with self.begin() as work:
            due = await work.payout_destinations.due(at=at, limit=limit)
        for found in due:
            async with self.begin() as work:
                merchant, change = await self._lock(work, found.id, None)
                if change.state is not found.state:
                    continue  # Somebody was quicker.
                if change.state is ChangeState.AWAITING_APPROVAL:
                    await self._keep(work, change.cancel(by=None, at=at, reason=LAPSED), at=at)
                else:
                    await self._take_effect(work, merchant, change, at=at)
                await work.commit()
        return len(due)

    async def _end(
        self,
        change_id: DestinationChangeId,
        owner: MerchantId | None,
        end: Callable[[DestinationChange, datetime], DestinationChange],
        idempotency: Idempotency[DestinationChange] | None,
    ) -> DestinationChange:
        """End a change at this moment, in one way or the other, and tell of it."""
        at = self.clock.now()
        async with self.begin() as work:
            merchant, change = await self._lock(work, change_id, owner)
            if idempotency:
                await idempotency.claim(work, owner=merchant.id)
            ended = end(change, at)
            await self._keep(work, ended, at=at)
            if idempotency:
                await idempotency.keep(work, ended, owner=merchant.id)
            await work.commit()
        return ended

    async def _lock(
        self, work: UnitOfWork, change_id: DestinationChangeId, owner: MerchantId | None
    ) -> tuple[Merchant, DestinationChange]:
        found = await work.payout_destinations.get(change_id, owner=owner)
        merchant = await work.merchants.lock(found.merchant_id)
        return merchant, await work.payout_destinations.lock(change_id)

    async def _take_effect(
        self, work: UnitOfWork, merchant: Merchant, change: DestinationChange, *, at: datetime
    ) -> DestinationChange:
        """Have payouts go to the new address, unless it has become one of ours meanwhile."""
        if await self._is_ours(work, change.chain, change.address):
            ended = change.refuse(by=None, at=at, reason=OWN_ADDRESS)
        else:
            ended = change.take_effect(at=at)
            known = {**merchant.payouts.destinations, change.chain: change.address}
            payouts = attrs.evolve(merchant.payouts, destinations=known)
            await work.merchants.save(attrs.evolve(merchant, payouts=payouts))
        await self._keep(work, ended, at=at)
        return ended

    async def _keep(self, work: UnitOfWork, change: DestinationChange, *, at: datetime) -> None:
        await work.payout_destinations.save(change)
        await work.events.record(events.change_came_to(change, at=at))

    async def _read(self, work: UnitOfWork, merchant: Merchant, chain: ChainId, text: str) -> str:
        places = self.places.get(chain)
        if places is not None and places.mode is not merchant.mode:
            raise ChainOfOtherMode(chain, merchant.mode)
        return await self._sound(work, chain, text)

    async def _sound(self, work: UnitOfWork, chain: ChainId, text: str) -> str:
        if chain not in self.places:
            raise ChainNotServed(chain)
        address = self.addresses.read(text, chain=chain)
        if await self._is_ours(work, chain, address):
            raise OwnDestination(address)
        return address

    async def _is_ours(self, work: UnitOfWork, chain: ChainId, address: str) -> bool:
        """Tell whether an address is one of ours, on this chain or on another of its family.

        Where addresses are alike on several chains, money would arrive on one that nobody reads.
        """
        family = chain.partition(":")[0]
        for each, places in self.places.items():
            if each.partition(":")[0] != family:
                continue
            wallets = {places.hot_wallet, places.cold_wallet, places.treasury}
            if address in {*wallets, places.escrow_contract}:
                return True
            if await work.intents.owners_of(chain=each, addresses=[address]):
                return True
            if await work.customers.at([address], reach=reach_of(each, places.mode)):
                return True
        return False

    async def _must_be_independent(
        self, work: UnitOfWork, change: DestinationChange, by: Party, *, at: datetime
    ) -> None:
        asked = await _key(work, change.requested_by, change.merchant_id)
        decides = await _key(work, by, change.merchant_id)
        if decides is not None and not decides.is_active(at=at):
            # It was let in by what was known of it some seconds ago.
            raise KeyEnded(decides.id)
        must_be_independent(change, by, asked=asked, decides=decides)


async def _key(work: UnitOfWork, party: Party, owner: MerchantId) -> ApiKey | None:
    if party.kind is not ActorKind.KEY:
        return None
    return await work.merchants.get_key(KeyId(party.id), owner=owner)
