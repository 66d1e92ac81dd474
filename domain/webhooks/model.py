"""Webhooks: telling a merchant's server, again and again, until it has heard."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import attrs

from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId

RETRY_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The waits between tries, as the Standard Webhooks specification recommends them."""

RESPONSE_EXCERPT_MAX = 1024
"""How much of an answer is kept, in characters."""


class DeliveryState(enum.StrEnum):
    """Where a delivery stands. A parked one waits for a person, visibly."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PARKED = "parked"


@attrs.frozen
class DeliveryNotPending(Exception):
    """The delivery has already come to an end."""

    id: DeliveryId
    state: DeliveryState


@attrs.frozen
class Endpoint:
    """A merchant's server that wants to hear of events."""

    id: EndpointId
    merchant_id: MerchantId
    url: str
    secret: str = attrs.field(repr=False)
    """``whsec_`` and the base64 of the key that signs what is sent."""
    created_at: datetime
    enabled: bool = True
    types: frozenset[str] = frozenset()
    """The event types wanted; none named means all."""

    def wants(self, event_type: str) -> bool:
        """Tell whether this endpoint is told of such events."""
        return self.enabled and (not self.types or event_type in self.types)


@attrs.frozen
class Try:
    """One try to deliver, and what came of it."""

    at: datetime
    status: int | None
    """The HTTP status of the answer, or None where there was none."""
    detail: str
    """The beginning of the answer, or why there was none."""

    @property
    def accepted(self) -> bool:
        """Tell whether the server took it: 2xx only, a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 (HTTP)

    @property
    def gone(self) -> bool:
        """Tell whether the server wants nothing any more: 410."""
        return self.status == 410  # noqa: PLR2004 (HTTP)


@attrs.frozen
class Delivery:
    """One event on its way to one endpoint."""

    id: DeliveryId
    endpoint_id: EndpointId
    event_id: EventId
    merchant_id: MerchantId
    created_at: datetime
    sequence: int
    """The event's number among its merchant's events."""
    previous_sequence: int
    """The number of the event this endpoint was told of before; 0 for the first."""
    state: DeliveryState = DeliveryState.PENDING
    tries: tuple[Try, ...] = ()
    next_try_at: datetime | None = None

    def due(self, *, at: datetime) -> bool:
        """Tell whether the time for the next try has come."""
        pending = self.state is DeliveryState.PENDING
        return pending and (self.next_try_at is None or at >= self.next_try_at)

    def record(self, tried: Try) -> Delivery:
        """Note a try: delivered, to be tried again later, or parked for a person.

        Raises:
            DeliveryNotPending: the delivery has ended before.
        """
        self._must_be_pending()
        tries = (*self.tries, tried)
        if tried.accepted:
            return attrs.evolve(self, tries=tries, state=DeliveryState.DELIVERED, next_try_at=None)
        if tried.gone or len(tries) > len(RETRY_DELAYS):
            return attrs.evolve(self, tries=tries, state=DeliveryState.PARKED, next_try_at=None)
        wait = RETRY_DELAYS[len(tries) - 1]
        return attrs.evolve(self, tries=tries, next_try_at=tried.at + wait)

    def park(self) -> Delivery:
        """Leave it for a person, because its endpoint wants nothing any more.

        Raises:
            DeliveryNotPending: the delivery has ended before.
        """
        self._must_be_pending()
        return attrs.evolve(self, state=DeliveryState.PARKED, next_try_at=None)

    def redeliver(self, *, at: datetime) -> Delivery:
        """Begin again by hand, keeping the log of what was tried."""
        return attrs.evolve(self, state=DeliveryState.PENDING, next_try_at=at)

    def _must_be_pending(self) -> None:
        if self.state is not DeliveryState.PENDING:
            raise DeliveryNotPending(self.id, self.state)
