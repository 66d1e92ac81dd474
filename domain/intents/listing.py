"""Which of a merchant's intents are wanted in a list, and from which place on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.intents.model import IntentStatus, Method
from domain.shared.ids import IntentId
from domain.shared.money import AssetId

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent


@attrs.frozen(kw_only=True)
class Wanted:
    """What all intents of a list have in common; None leaves it open."""

    status: IntentStatus | None = None
    method: Method | None = None
    asset: AssetId | None = None
    """What they are to be paid in."""
    created_after: datetime | None = None
    """They were made later than this."""
    created_before: datetime | None = None
    """They were made earlier than this."""

    def includes(self, intent: PaymentIntent) -> bool:
        """Tell whether an intent is wanted."""
        return (
            self.status in {None, intent.status}
            and self.method in {None, intent.method}
            and self.asset in {None, intent.due.asset}
            and (self.created_after is None or intent.created_at > self.created_after)
            and (self.created_before is None or intent.created_at < self.created_before)
        )


ALL = Wanted()


@attrs.frozen(order=True)
class Place:
    """An intent's place in a list, newest first: by when it was made, then by its id."""

    created_at: datetime
    id: IntentId
