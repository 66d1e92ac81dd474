"""One round of tries: what is taken to be sent, and the noting of what came of it."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.events import RecordedEvent
from domain.webhooks import events
from domain.webhooks.endpoint import Endpoint
from domain.webhooks.message import render
from domain.webhooks.model import Delivery, DeliveryState, Try

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.shared.ids import EndpointId
    from domain.webhooks.endpoint import SimulatedAnswer
    from ports.ids import Ids
    from ports.publisher import Publisher
    from ports.unit_of_work import Begin, UnitOfWork

TAKEN_FOR: Final = timedelta(seconds=60)
"""When a try that nothing is heard of is given up for lost: longer than any is waited for."""

UNSIGNED: Final = "not sent: it cannot be signed, because the secret does not open"

log = logging.getLogger(__name__)


@attrs.frozen
class Outgoing:
    """A delivery that was taken, and all that is needed to try it."""

    delivery: Delivery
    endpoint: Endpoint
    recorded: RecordedEvent

    async def post(self, publisher: Publisher, *, at: datetime) -> Tried:
        """Try it. Nothing is sent that cannot be signed."""
        if not self.endpoint.can_sign:
            unsigned = Try(at=at, status=None, detail=UNSIGNED, url=self.endpoint.url)
            return Tried(self.delivery, self.endpoint, unsigned)
        tried = await publisher.post(
            url=self.endpoint.url,
            secret=self.endpoint.secret,
            message_id=self.recorded.id,
            at=at,
            body=render(self.recorded, previous=self.delivery.previous_sequence),
            former_secret=self.endpoint.former(at=at),
            hex_signature=self.endpoint.hex_signature,
        )
        return Tried(self.delivery, self.endpoint, tried)


@attrs.frozen
class Tried:
    """What came of a try."""

    delivery: Delivery
    """As it was when it was taken."""
    endpoint: Endpoint
    outcome: Try


async def attempt(
    outgoing: Outgoing, *, begin: Begin, publisher: Publisher, at: datetime
) -> Tried:
    """Try a delivery; its server is not asked where a test account has ordered an outcome."""
    answer = None
    if outgoing.endpoint.simulated is not None:
        answer = await _ordered(begin, outgoing.endpoint.id)
    if answer is None:
        return await outgoing.post(publisher, at=at)
    word = "no answer in time" if answer.status is None else f"HTTP {answer.status}"
    outcome = Try(
        at=at,
        status=answer.status,
        detail=f"simulated: {word}",
        url=outgoing.endpoint.url,
        milliseconds=0,
        simulated=True,
    )
    return Tried(outgoing.delivery, outgoing.endpoint, outcome)


async def _ordered(begin: Begin, endpoint_id: EndpointId) -> SimulatedAnswer | None:
    """Take one of the outcomes that were ordered; None where none is left.

    In a unit of work of its own, so that nobody waits for an endpoint while he has another.
    """
    async with begin() as work:
        endpoint = await work.webhooks.lock_endpoint(endpoint_id)
        if endpoint.simulated is not None:
            await work.webhooks.save_endpoint(endpoint.simulated_once())
            await work.commit()
    return endpoint.simulated


async def send_or_park(work: UnitOfWork, taken: Sequence[Delivery]) -> list[Outgoing]:
    """Bring together what is needed to try deliveries that are locked in this unit of work.

    Those whose endpoint was switched off meanwhile are parked.
    """
    named = sorted({it.endpoint_id for it in taken})
    endpoints = {it.id: it for it in await work.webhooks.endpoints_named(named)}
    sent = [it for it in taken if endpoints[it.endpoint_id].enabled]
    for delivery in taken:
        if not endpoints[delivery.endpoint_id].enabled:
            await work.webhooks.save_delivery(delivery.park())
    if not sent:
        return []
    told_of = sorted({it.event_id for it in sent})
    recorded = {it.id: it for it in await work.events.named(told_of)}
    return [Outgoing(it, endpoints[it.endpoint_id], recorded[it.event_id]) for it in sent]


async def note(work: UnitOfWork, ids: Ids, outcomes: Sequence[Tried], *, at: datetime) -> None:
    """Store what came of tries: in the log of each delivery, and at endpoints that do otherwise.

    What has ended since, or was tried by another who took this one for lost, is looked at again.
    """
    by_id = {
        it.delivery.id: it.delivery.record(it.outcome, jitter=_percent(ids)) for it in outcomes
    }
    passed_over = await work.webhooks.note_tries([*by_id.values()]) if by_id else ()
    for id in passed_over:
        stored, tried = await work.webhooks.lock_delivery(id), by_id[id].tries[-1]
        if stored.state is DeliveryState.PENDING and tried not in stored.tries:
            await work.webhooks.save_delivery(stored.record(tried, jitter=_percent(ids)))
    heard: defaultdict[EndpointId, list[Try]] = defaultdict(list)
    for tried_ in outcomes:
        heard[tried_.endpoint.id].append(tried_.outcome)
    known = {it.endpoint.id: it.endpoint for it in outcomes}
    news = [id for id, tries in heard.items() if known[id].hear(tries, at=at) != known[id]]
    for endpoint in await work.webhooks.lock_endpoints(news) if news else ():
        await _hear(work, endpoint, heard[endpoint.id], at=at)


async def _hear(
    work: UnitOfWork, endpoint: Endpoint, tries: Sequence[Try], *, at: datetime
) -> None:
    """Note at a locked endpoint how it has answered; its merchant is told if that ends it."""
    changed = endpoint.hear(tries, at=at)
    if changed == endpoint:
        return
    await work.webhooks.save_endpoint(changed)
    if not endpoint.can_sign and endpoint.silences == 0:
        await work.events.record(events.told_unsigned(changed, at=at))
    if endpoint.enabled and not changed.enabled:
        log.warning("webhook endpoint %s is off: %s", endpoint.id, changed.disabled_reason)
        await work.events.record(
            events.happened(events.DISABLED, changed, at=at), events.told_operators(changed, at=at)
        )


def _percent(ids: Ids) -> int:
    return ids.entropy(1)[0] * 100 // 255
