"""Where a merchant is paid: asked for with one key, approved with another, and not at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from domain.destinations.model import ChangeTransitionRefused, NotIndependent, Party
from domain.destinations.service import (
    AlreadyThere,
    ChainNotServed,
    ChangeUnderWay,
    DestinationService,
    OwnDestination,
)
from domain.destinations.view import view_change, view_destination
from domain.intents.issuing import ChainOfOtherMode
from domain.merchants.model import Merchant
from domain.merchants.rotation import KeyEnded
from domain.merchants.scopes import Scope
from domain.shared.actors import ActorKind
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import DestinationChangeId
from domain.shared.metadata import TooMuchMetadata
from domain.shared.money import ChainId
from entrypoints.http.admission import key_of
from entrypoints.http.answers import answer, answer_once
from entrypoints.http.destination_views import (
    ChangePayoutDestination,
    EndChange,
    PayoutDestinationChangesView,
    PayoutDestinationChangeView,
    PayoutDestinationsView,
)
from entrypoints.http.endpoint import Call, RawJson, get, post
from entrypoints.http.intents import Name
from entrypoints.http.metadata import ChangeMetadata
from ports.addresses import AddressRefused
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.destinations.model import DestinationChange
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import MerchantId

CHANGES_MAX = 100
_CHANGES = "/v1/payout_destinations/changes"
_ONE = f"{_CHANGES}/{{destination_change}}"


@attrs.frozen(kw_only=True)
class PayoutDestinations:
    """The merchant's own addresses, to which payouts go."""

    service: DestinationService

    @get(
        "/v1/payout_destinations",
        summary="List payout destinations",
        scope=Scope.PAYOUT_DESTINATIONS_READ,
    )
    async def list(self, call: Call[Merchant]) -> PayoutDestinationsView | RawJson:
        """By chain, each with the change that is open, if one is."""
        found = await self.service.destinations(owner=call.principal.id)
        return answer(call, {"object": "list", "data": [view_destination(it) for it in found]})

    @post(
        "/v1/payout_destinations",
        summary="Ask for another payout destination",
        scope=Scope.PAYOUT_DESTINATIONS_WRITE,
        idempotency="optional",
        problems=(
            *(ChainNotServed, ChainOfOtherMode, AddressRefused, OwnDestination),
            *(AlreadyThere, ChangeUnderWay, KeyInFlight, KeyReused),
        ),
    )
    async def request(
        self, call: Call[Merchant], body: ChangePayoutDestination
    ) -> PayoutDestinationChangeView | RawJson:
        """It waits for an approval by another key, or by an operator, for seven days.

        Every endpoint is told of each step, whatever types it wants.
        """

        async def act(idempotency: Idempotency[DestinationChange] | None) -> DestinationChange:
            return await self.service.request(
                owner=call.principal.id,
                chain=ChainId(body.chain),
                address=body.address,
                by=_caller(call),
                metadata=body.metadata,
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_change)

    @get(
        _CHANGES,
        summary="List the newest changes of payout destinations",
        scope=Scope.PAYOUT_DESTINATIONS_READ,
    )
    async def list_changes(self, call: Call[Merchant]) -> PayoutDestinationChangesView | RawJson:
        """At most a hundred, newest first."""
        found = await self.service.changes(owner=call.principal.id, limit=CHANGES_MAX)
        return answer(call, {"object": "list", "data": [view_change(it) for it in found]})

    @get(
        _ONE,
        summary="Show a change of a payout destination",
        scope=Scope.PAYOUT_DESTINATIONS_READ,
        problems=(NotFound,),
    )
    async def show_change(
        self, call: Call[Merchant], destination_change: Name
    ) -> PayoutDestinationChangeView | RawJson:
        """With who has asked for it and who has approved it."""
        found = await self.service.change(
            change_id=DestinationChangeId(destination_change), owner=call.principal.id
        )
        return answer(call, view_change(found))

    @post(
        _ONE,
        status=200,
        summary="Change the metadata of a change of a payout destination",
        scope=Scope.PAYOUT_DESTINATIONS_WRITE,
        idempotency="optional",
        problems=(NotFound, TooMuchMetadata, KeyInFlight, KeyReused),
    )
    async def annotate(
        self, call: Call[Merchant], destination_change: Name, body: ChangeMetadata
    ) -> PayoutDestinationChangeView | RawJson:
        """At any time, also when it has ended. No event tells of it; later ones show it."""

        async def act(idempotency: Idempotency[DestinationChange] | None) -> DestinationChange:
            return await self.service.annotate(
                change_id=DestinationChangeId(destination_change),
                owner=call.principal.id,
                metadata=body.metadata,
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_change)

    @post(
        f"{_ONE}/approve",
        status=200,
        summary="Approve a change of a payout destination",
        scope=Scope.PAYOUT_DESTINATIONS_APPROVE,
        idempotency="optional",
        problems=(
            NotFound,
            NotIndependent,
            KeyEnded,
            ChangeTransitionRefused,
            KeyInFlight,
            KeyReused,
        ),
    )
    async def approve(
        self, call: Call[Merchant], destination_change: Name
    ) -> PayoutDestinationChangeView | RawJson:
        """By another key than the one that asked, and none that it could have made.

        It is effective when it has cooled down; until then payouts go to the old destination.
        """

        async def act(idempotency: Idempotency[DestinationChange] | None) -> DestinationChange:
            return await self.service.approve(
                change_id=DestinationChangeId(destination_change),
                owner=call.principal.id,
                by=_caller(call),
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_change)

    @post(
        f"{_ONE}/refuse",
        status=200,
        summary="Refuse a change of a payout destination",
        scope=Scope.PAYOUT_DESTINATIONS_APPROVE,
        idempotency="optional",
        problems=(NotFound, ChangeTransitionRefused, KeyInFlight, KeyReused),
    )
    async def refuse(
        self, call: Call[Merchant], destination_change: Name, body: EndChange | None
    ) -> PayoutDestinationChangeView | RawJson:
        """Until it is effective, also after its approval."""
        return await _ended(call, destination_change, body, self.service.refuse)

    @post(
        f"{_ONE}/cancel",
        status=200,
        summary="Cancel a change of a payout destination",
        scope=Scope.PAYOUT_DESTINATIONS_WRITE,
        idempotency="optional",
        problems=(NotFound, ChangeTransitionRefused, KeyInFlight, KeyReused),
    )
    async def cancel(
        self, call: Call[Merchant], destination_change: Name, body: EndChange | None
    ) -> PayoutDestinationChangeView | RawJson:
        """Until it is effective; the old destination stays."""
        return await _ended(call, destination_change, body, self.service.cancel)


class _End(Protocol):
    """One of the two ways in which somebody ends a change."""

    async def __call__(
        self,
        *,
        change_id: DestinationChangeId,
        owner: MerchantId,
        by: Party,
        reason: str | None,
        idempotency: Idempotency[DestinationChange] | None,
    ) -> DestinationChange: ...


async def _ended(call: Call[Merchant], id: str, body: EndChange | None, end: _End) -> RawJson:
    """End a change for the reason given, and answer with it."""

    async def act(idempotency: Idempotency[DestinationChange] | None) -> DestinationChange:
        return await end(
            change_id=DestinationChangeId(id),
            owner=call.principal.id,
            by=_caller(call),
            reason=body.reason if body else None,
            idempotency=idempotency,
        )

    return await answer_once(call, act, view_change)


def _caller(call: Call[Merchant]) -> Party:
    return Party(ActorKind.KEY, key_of(call.request.scope).id)
