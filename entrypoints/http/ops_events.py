"""The gateway's own events, for operators: in order, to be pulled at any time."""

from __future__ import annotations

from typing import Annotated

import attrs
import orjson

from domain.operators.model import Operator, OperatorScope
from domain.shared.platform import PLATFORM
from domain.webhooks.message import view_event
from domain.webhooks.service import WebhookService
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.ops_event_views import OpsEventsView
from entrypoints.http.schema import Number


@attrs.frozen
class OpsFollowing:
    """Which part of the feed."""

    after: Annotated[
        int, Number(minimum=0, description="The last sequence number known already.")
    ] = 0
    limit: Annotated[int, Number(minimum=1, maximum=100)] = 20


@attrs.frozen(kw_only=True)
class OpsEvents:
    """What happened to the gateway."""

    service: WebhookService

    @get(
        "/v1/ops/events",
        summary="List the gateway's own events in their order",
        scope=OperatorScope.READ,
    )
    async def list(self, call: Call[Operator], query: OpsFollowing) -> OpsEventsView | RawJson:
        """What is not kept any more is left out: then the first number is more than one higher."""
        found = await self.service.feed(owner=PLATFORM, after=query.after, limit=query.limit + 1)
        shown = {
            "object": "list",
            "data": [view_event(it, previous=it.sequence - 1) for it in found[: query.limit]],
            "has_more": len(found) > query.limit,
        }
        return RawJson(body=orjson.dumps(shown), status=call.status)
