"""Hot and cold wallets, stored: transfers between them, alarms, and what forecasts stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from domain.ledger.accounts import Account
    from domain.shared.ids import PayoutId
    from domain.shared.money import AssetId, ChainId
    from domain.treasury.model import Alarm, ColdTransfer, Spending, Unswept, Watched


class Treasury(Protocol):
    """Transfers to cold wallets, and what is known of how well wallets are filled."""

    async def add(self, transfer: ColdTransfer) -> None:
        """Store a new transfer.

        Raises:
            AlreadyExists: one in its asset is moving, its payout is another's, or its id is taken.
        """
        ...

    async def save(self, transfer: ColdTransfer) -> None:
        """Store a transfer as it is now; only one that was locked in this unit of work."""
        ...

    async def lock_carried(self, payout_id: PayoutId) -> ColdTransfer | None:
        """Return the transfer that a payout makes and keep others from changing it, or None."""
        ...

    async def latest(self, asset: AssetId) -> ColdTransfer | None:
        """Return the newest transfer in an asset, or None; an older one is at its end."""
        ...

    async def alarm(self, watched: Watched, asset: AssetId) -> Alarm | None:
        """Return the condition that was told last, or None where none ever was."""
        ...

    async def sound(self, alarm: Alarm) -> bool:
        """Keep a condition; return False, and change nothing, if it was told before."""
        ...

    async def spending(self, account: Account, asset: AssetId, *, since: datetime) -> Spending:
        """Return what an account has paid the network with since a time, by time of effect.

        That is what was taken from it for fees, and given to deposit addresses for theirs.
        """
        ...

    async def unswept(self, chain: ChainId, asset: AssetId) -> Unswept:
        """Return what lies at deposit addresses, as far as it is final and booked."""
        ...
