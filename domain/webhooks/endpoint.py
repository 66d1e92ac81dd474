"""Webhook endpoints: merchants' servers, what they want to hear of, and how they are doing."""

from __future__ import annotations

import base64
import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from domain.shared.ids import EndpointId, MerchantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.events import Event
    from domain.webhooks.model import Try

SECRET_BYTES = 32
"""The length of a signing key; the Standard Webhooks specification asks for 24 to 64."""

SECRET_PREFIX = "whsec_"  # noqa: S105 (how secrets begin, not one)
"""How a secret begins. One that begins otherwise lies sealed, and the storage has no key to it."""

PING = "webhook_endpoint.ping"
"""A test, sent to the endpoint it is about alone, whatever types it wants."""

NOTICES = "payout_destination."
"""How the types begin of events that every endpoint is told of, whatever types it wants: who has
stolen a key could otherwise see to it that nobody hears where money is about to go."""

FAILING_MAX = timedelta(days=5)
"""How long an endpoint may do nothing but fail before it is switched off."""

REST_FIRST, REST_MAX = timedelta(seconds=5), timedelta(minutes=5)
"""How long an endpoint that gives no answer is left alone: twice as long each time."""

REST_ASKED_MAX = timedelta(hours=1)
"""How long an endpoint may ask for all it is sent to wait."""

OVERLAP_MAX = timedelta(days=7)
"""How long a secret may go on signing beside the one that follows it."""


class Disabled(enum.StrEnum):
    """Why an endpoint is switched off."""

    BY_HAND = "by_hand"
    GONE = "gone"
    """It has answered 410."""
    FAILING = "failing"
    """It has done nothing but fail for ``FAILING_MAX``."""


class SimulatedAnswer(enum.StrEnum):
    """What a test account can have its endpoint seem to answer."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    NOT_FOUND = "404"
    GONE = "410"
    TIMEOUT = "timeout"

    @property
    def status(self) -> int | None:
        """The HTTP status, or None where there is no answer."""
        return None if self is SimulatedAnswer.TIMEOUT else int(self)


@attrs.frozen
class SecretStillRotating(Exception):
    """The secret before still signs beside the present one; there is no place for a third."""

    until: datetime


@attrs.frozen
class Endpoint:
    """A merchant's server that wants to hear of events."""

    id: EndpointId
    merchant_id: MerchantId
    url: str
    secret: str = attrs.field(repr=False)
    """``whsec_`` and the base64 of the key that signs what is sent, unless it did not open."""
    created_at: datetime
    enabled: bool = True
    types: frozenset[str] = frozenset()
    """The event types wanted, or beginnings of them such as ``payout.*``; none means all."""
    description: str = ""
    disabled_reason: Disabled | None = None
    hex_signature: bool = False
    """Whether ``X-Webhook-Signature`` is sent besides."""
    former_secret: str | None = attrs.field(default=None, repr=False)
    former_secret_until: datetime | None = None
    """Until when the secret before signs too."""
    failing_since: datetime | None = None
    """When the first try failed after the last that was accepted."""
    silences: int = 0
    """How often in a row it was left alone because it gave no answer."""
    rest_until: datetime | None = None
    """Until when it is left alone."""
    deleted_at: datetime | None = None
    simulated: SimulatedAnswer | None = None
    """What the next deliveries are taken to be answered, by a test account's order."""
    simulated_times: int = 0
    """How many of them there are still to be."""
    metadata: Mapping[str, str] = attrs.field(factory=dict)

    def wants(self, event_type: str) -> bool:
        """Tell whether this endpoint is told of such events."""
        return self.enabled and (
            not self.types
            or event_type in self.types
            or any(it.endswith(".*") and event_type.startswith(it[:-1]) for it in self.types)
        )

    def is_told(self, event: Event) -> bool:
        """Tell whether this endpoint is told of an event."""
        if event.type == PING:
            return self.enabled and event.object_id == self.id
        if event.type.startswith(NOTICES):
            return self.enabled
        return self.wants(event.type)

    @property
    def can_sign(self) -> bool:
        """Whether its secret is known: the storage may have one that does not open."""
        return self.secret.startswith(SECRET_PREFIX)

    def former(self, *, at: datetime) -> str | None:
        """Return the secret before, as long as it signs; None where it does not open."""
        until = self.former_secret_until
        if self.former_secret is None or until is None or at >= until:
            return None
        return self.former_secret if self.former_secret.startswith(SECRET_PREFIX) else None

    def rotate(self, secret: str, *, at: datetime, overlap: timedelta) -> Endpoint:
        """Sign with another secret from now on, and for a while with the present one too.

        A present one that does not open ends at once: nothing was signed with it of late.

        Raises:
            SecretStillRotating: there is one before the present one that signs. Without an
                overlap, as after a leak, both end at once.
        """
        if overlap and self.former(at=at) is not None and self.former_secret_until is not None:
            raise SecretStillRotating(self.former_secret_until)
        goes_on = bool(overlap) and self.can_sign
        return attrs.evolve(
            self,
            secret=secret,
            former_secret=self.secret if goes_on else None,
            former_secret_until=at + overlap if goes_on else None,
        )

    def simulate(self, answer: SimulatedAnswer | None, *, times: int) -> Endpoint:
        """Have the next deliveries come to this without asking the server; None: no more."""
        times = 0 if answer is None else times
        return attrs.evolve(self, simulated=answer, simulated_times=times)

    def simulated_once(self) -> Endpoint:
        """Count one of the deliveries that are simulated; the last one ends it."""
        return self.simulate(
            self.simulated if self.simulated_times > 1 else None, times=self.simulated_times - 1
        )

    def disable(self, reason: Disabled) -> Endpoint:
        """Switch it off."""
        return attrs.evolve(self, enabled=False, disabled_reason=reason)

    def enable(self) -> Endpoint:
        """Switch it on, as if it had never failed."""
        return attrs.evolve(
            self,
            enabled=True,
            disabled_reason=None,
            failing_since=None,
            silences=0,
            rest_until=None,
        )

    def delete(self, *, at: datetime) -> Endpoint:
        """Switch it off for good; what it was told stays in the log as long as any."""
        return attrs.evolve(self.disable(Disabled.BY_HAND), deleted_at=at)

    def hear(self, tries: Sequence[Try], *, at: datetime) -> Endpoint:
        """Note how it has answered what was sent at the same time, one try at least.

        One that gives no answer is left alone for a while, so that it cannot keep more than one
        connection busy; one that asks for a pause by 429 or 503 has it.
        """
        if not self.enabled:
            return self
        if any(it.gone for it in tries):
            return self.disable(Disabled.GONE)
        if any(it.accepted for it in tries):
            return attrs.evolve(self, failing_since=None, silences=0, rest_until=None)
        since = self.failing_since or min(it.at for it in tries)
        failing = attrs.evolve(self, failing_since=since)
        if at - since >= FAILING_MAX:
            return failing.disable(Disabled.FAILING)
        if any(it.status is None for it in tries):
            return failing._rest_for_silence(at=at)
        asked = max((it.put_off or timedelta() for it in tries), default=timedelta())
        rest = at + min(asked, REST_ASKED_MAX) if asked else None
        return attrs.evolve(failing, silences=0, rest_until=rest)

    def _rest_for_silence(self, *, at: datetime) -> Endpoint:
        if self.rest_until is not None and at < self.rest_until:
            return self  # What was sent before it was known to be silent says nothing new.
        rest = min(REST_FIRST * 2 ** min(self.silences, 10), REST_MAX)
        return attrs.evolve(self, silences=self.silences + 1, rest_until=at + rest)


def secret_of(key: bytes) -> str:
    """Write a signing key as merchants are shown it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()
