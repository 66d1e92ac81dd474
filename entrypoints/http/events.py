"""The event feed: everything that happened, in order, to be pulled at any time."""

from __future__ import annotations

from typing import Annotated

import attrs

from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.webhooks.message import view_event
from domain.webhooks.service import WebhookService
from entrypoints.http.answers import answer
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.schema import Number
from entrypoints.http.views import EventsView


@attrs.frozen
class Following:
    """Which part of the feed."""

    after: Annotated[
        int, Number(minimum=0, description="The last sequence number known already.")
    ] = 0
    limit: Annotated[int, Number(minimum=1, maximum=100)] = 20


@attrs.frozen(kw_only=True)
class Events:
    """What happened."""

    service: WebhookService

    @get("/v1/events", summary="List events in their order", scope=Scope.EVENTS_READ)
    async def list(self, call: Call[Merchant], query: Following) -> EventsView | RawJson:
        """Sequence numbers have no gaps: who has seen ``n`` and asks after it misses nothing."""
        found = await self.service.feed(
            owner=call.principal.id, after=query.after, limit=query.limit + 1
        )
        return answer(
            call,
            {
                "object": "list",
                "data": [
                    view_event(each, previous=each.sequence - 1) for each in found[: query.limit]
                ],
                "has_more": len(found) > query.limit,
            },
        )
