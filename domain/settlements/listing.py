"""Which of a merchant's payouts are wanted in a list, and from which place on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.settlements.payouts import PayoutState
from domain.shared.ids import PayoutId, SettlementId
from domain.shared.money import AssetId

if TYPE_CHECKING:
    from domain.settlements.payouts import Payout


@attrs.frozen(kw_only=True)
class Wanted:
    """What all payouts of a list have in common; None leaves it open."""

    state: PayoutState | None = None
    assets: Collection[AssetId] | None = None
    """They are in one of these."""
    settlement: SettlementId | None = None
    """What they pay."""
    created_after: datetime | None = None
    """They were made later than this."""
    created_before: datetime | None = None
    """They were made earlier than this."""

    def includes(self, payout: Payout) -> bool:
        """Tell whether a payout is wanted."""
        return (
            self.state in {None, payout.state}
            and (self.assets is None or payout.money.asset in self.assets)
            and self.settlement in {None, payout.settlement_id}
            and (self.created_after is None or payout.created_at > self.created_after)
            and (self.created_before is None or payout.created_at < self.created_before)
        )


ALL = Wanted()


@attrs.frozen(order=True)
class Place:
    """A payout's place in a list, newest first: by when it was made, then by its id."""

    created_at: datetime
    id: PayoutId
