"""Money on its way from the hot wallet to a cold one, and what is wrong with a wallet."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import attrs

from domain.shared.ids import PayoutId, TransferId
from domain.shared.money import AssetId, ChainId, Money

RETRY_AFTER = timedelta(minutes=10)
"""After a transfer that was refused its asset waits for so long: trying may cost a fee."""


class TransferState(enum.StrEnum):
    """Where a transfer stands; its payout says more."""

    MOVING = "moving"
    """Its payout waits, is under way, or nobody knows what became of it."""
    DONE = "done"
    REFUSED = "refused"
    """There is proof that nothing has moved by it; another one may follow."""


@attrs.frozen
class TransferEnded(Exception):
    """The transfer has come to its end before."""

    id: TransferId
    state: TransferState


@attrs.frozen
class ColdTransfer:
    """Money that a payout takes from the hot wallet to the cold one.

    An asset has one that is moving, at most: what the next one may take is known only then.
    """

    id: TransferId
    chain: ChainId
    money: Money
    target: str
    """The cold wallet's address."""
    payout_id: PayoutId
    created_at: datetime
    changed_at: datetime
    state: TransferState = TransferState.MOVING
    reason: str | None = None
    """Why it was refused, where it was."""

    @property
    def is_moving(self) -> bool:
        """Tell whether something is still to come of it."""
        return self.state is TransferState.MOVING

    def blocks(self, *, at: datetime) -> bool:
        """Tell whether another one in its asset has to wait."""
        lately = self.state is TransferState.REFUSED and at < self.changed_at + RETRY_AFTER
        return self.is_moving or lately

    def finish(self, *, at: datetime) -> ColdTransfer:
        """End with the money in the cold wallet, for good."""
        return self._end(TransferState.DONE, at=at)

    def refuse(self, *, reason: str | None, at: datetime) -> ColdTransfer:
        """End with the money where it was."""
        return attrs.evolve(self._end(TransferState.REFUSED, at=at), reason=reason)

    def _end(self, state: TransferState, *, at: datetime) -> ColdTransfer:
        """Move to an end.

        Raises:
            TransferEnded: it has come to one.
        """
        if not self.is_moving:
            raise TransferEnded(self.id, self.state)
        return attrs.evolve(self, state=state, changed_at=at)


class Condition(enum.StrEnum):
    """How well a wallet is filled."""

    OK = "ok"
    LOW = "low"
    """A person should see to it soon."""
    EMPTY = "empty"
    """Nothing can be sent any more, or not for long."""


class Watched(enum.StrEnum):
    """What of a wallet is watched."""

    HOT = "hot"
    """What it holds of an asset, for payouts."""
    GAS = "gas"
    """What it holds of the native coin, for the network's fees."""


@attrs.frozen
class Alarm:
    """The condition of what is watched, as it was told last."""

    watched: Watched
    asset: AssetId
    condition: Condition
    since: datetime


@attrs.frozen
class Spending:
    """What an account has paid the network with, over some time."""

    amount: int
    """Fees, and coins given to deposit addresses for theirs; smallest units."""
    first: datetime | None
    """When anything was booked on the account for the first time; None if it never was."""


@attrs.frozen
class Unswept:
    """What lies at deposit addresses of an asset, final and booked."""

    money: Money
    addresses: int
    oldest: datetime | None
    """When the oldest of these addresses was given out; None where there is none."""
