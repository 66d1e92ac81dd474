"""Webhooks: telling a merchant's server, again and again, until it has heard."""

from __future__ import annotations

import enum
from collections.abc import Mapping
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

JITTER_SHARE = 10
"""A wait is up to a tenth longer, so that what failed together does not return together."""

RETRY_AFTER_MAX = timedelta(hours=24)
"""How long a server may put one message off: no longer than the schedule's longest wait."""

RESPONSE_EXCERPT_MAX = 2048
"""How much of an answer is kept, in bytes."""

_TOO_MANY, _UNAVAILABLE = 429, 503


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
class Try:
    """One try to deliver, and what came of it."""

    at: datetime
    status: int | None
    """The HTTP status of the answer, or None where there was none."""
    detail: str
    """The beginning of the answer, or why there was none."""
    url: str = ""
    """Where it was sent; the endpoint may have moved since."""
    milliseconds: int | None = None
    """How long it took, up to the end of what is kept of the answer."""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    """Those of the answer that tell what it is, by their names in lower case."""
    retry_after_seconds: int | None = None
    """How long the answer asks to be left alone."""
    simulated: bool = False
    """Whether nobody was asked: a test account has ordered this outcome."""

    @property
    def accepted(self) -> bool:
        """Tell whether the server took it: 2xx only, a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 (HTTP)

    @property
    def gone(self) -> bool:
        """Tell whether the server wants nothing any more: 410."""
        return self.status == 410  # noqa: PLR2004 (HTTP)

    @property
    def put_off(self) -> timedelta | None:
        """How long the server asks to be left alone, as it may by 429 and 503."""
        if self.status not in {_TOO_MANY, _UNAVAILABLE} or self.retry_after_seconds is None:
            return None
        return min(timedelta(seconds=self.retry_after_seconds), RETRY_AFTER_MAX)


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
    """When it is tried next. While it is being tried: when that is given up for lost."""

    def due(self, *, at: datetime) -> bool:
        """Tell whether the time for the next try has come."""
        pending = self.state is DeliveryState.PENDING
        return pending and (self.next_try_at is None or at >= self.next_try_at)

    def take(self, *, until: datetime) -> Delivery:
        """Let one try it, and others only from a time on.

        Raises:
            DeliveryNotPending: the delivery has ended before.
        """
        self._must_be_pending()
        return attrs.evolve(self, next_try_at=until)

    def record(self, tried: Try, *, jitter: int = 0) -> Delivery:
        """Note a try: delivered, to be tried again later, or parked for a person.

        ``jitter`` is 0 to 100 per cent of how much longer than planned a wait may be.

        Raises:
            DeliveryNotPending: the delivery has ended before.
        """
        self._must_be_pending()
        tries = (*self.tries, tried)
        if tried.accepted:
            return attrs.evolve(self, tries=tries, state=DeliveryState.DELIVERED, next_try_at=None)
        if tried.gone or len(tries) > len(RETRY_DELAYS):
            return attrs.evolve(self, tries=tries, state=DeliveryState.PARKED, next_try_at=None)
        wait = max(RETRY_DELAYS[len(tries) - 1], tried.put_off or timedelta())
        longer = wait * jitter / (100 * JITTER_SHARE)
        return attrs.evolve(self, tries=tries, next_try_at=tried.at + wait + longer)

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
