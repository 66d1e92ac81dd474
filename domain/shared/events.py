"""Events: what happened to an object, as its merchant is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import attrs

from domain.shared.ids import EventId, MerchantId

if TYPE_CHECKING:
    from collections.abc import Sequence

Json: TypeAlias = "str | int | bool | Mapping[str, Json] | Sequence[Json] | None"
"""What an event may carry. Amounts are strings of smallest units: JSON numbers lose digits."""


@attrs.frozen
class Event:
    """One change of one object, before it has a place in its merchant's sequence."""

    type: str
    """``<object>.<what happened>``, such as ``payment_intent.succeeded``."""
    merchant_id: MerchantId
    object_id: str
    occurred_at: datetime
    data: Mapping[str, Json]
    """The object after the change, in the shape the API shows it."""


@attrs.frozen
class RecordedEvent:
    """An event with its identity and its place in the merchant's gap-free sequence."""

    id: EventId
    sequence: int
    """1 for a merchant's first event, then without gaps."""
    event: Event
