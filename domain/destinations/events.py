"""What happens to changes of payout destinations, as merchants are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.destinations.model import ChangeState
from domain.destinations.view import view_change
from domain.shared.events import Event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.destinations.model import DestinationChange

_TYPES: Final[Mapping[ChangeState, str]] = {
    ChangeState.AWAITING_APPROVAL: "payout_destination.change_requested",
    ChangeState.COOLING_DOWN: "payout_destination.change_approved",
    ChangeState.EFFECTIVE: "payout_destination.change_effective",
    ChangeState.CANCELED: "payout_destination.change_canceled",
    ChangeState.REFUSED: "payout_destination.change_refused",
}


def change_came_to(change: DestinationChange, *, at: datetime) -> Event:
    """Tell that a change has come to the state in which it is."""
    return Event(
        type=_TYPES[change.state],
        merchant_id=change.merchant_id,
        object_id=change.id,
        occurred_at=at,
        data=view_change(change),
    )
