"""Hot and cold wallets, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, save
from adapters.memory.turn import Turn
from domain.shared.money import Money
from domain.treasury.model import Spending, Unswept
from domain.treasury.policy import SPENT_ON
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from datetime import datetime

    from domain.ledger.accounts import Account
    from domain.shared.ids import PayoutId
    from domain.shared.money import AssetId, ChainId
    from domain.treasury.model import Alarm, ColdTransfer, Watched

KIND = "transfer to a cold wallet"


@attrs.frozen
class InMemoryTreasury:
    """Transfers to cold wallets, and what is known of how well wallets are filled."""

    _turn: Turn

    async def add(self, transfer: ColdTransfer) -> None:
        """Store a new transfer; its asset must have no other that is moving."""
        rows = (await self._turn.tables()).cold_transfers
        others = rows.where(asset=transfer.money.asset)
        if transfer.is_moving and any(it.is_moving for it in others):
            self._turn.refuse(AlreadyExists(KIND, transfer.id))
        if rows.where(payout=transfer.payout_id):
            self._turn.refuse(AlreadyExists(KIND, transfer.id))
        add(self._turn, KIND, rows, transfer.id, transfer)

    async def save(self, transfer: ColdTransfer) -> None:
        """Store a transfer as it is now; only one that was locked in this unit of work."""
        rows = (await self._turn.tables()).cold_transfers
        save(self._turn, KIND, rows, transfer.id, transfer)

    async def lock_carried(self, payout_id: PayoutId) -> ColdTransfer | None:
        """Return the transfer that a payout makes and keep others from changing it, or None."""
        for transfer in (await self._turn.tables()).cold_transfers.where(payout=payout_id):
            self._turn.lock(KIND, transfer.id)
            return transfer
        return None

    async def latest(self, asset: AssetId) -> ColdTransfer | None:
        """Return the newest transfer in an asset, or None."""
        found = (await self._turn.tables()).cold_transfers.where(asset=asset)
        return max(found, key=lambda it: (it.created_at, it.id), default=None)

    async def alarm(self, watched: Watched, asset: AssetId) -> Alarm | None:
        """Return the condition that was told last."""
        return (await self._turn.tables()).alarms.get((watched, asset))

    async def sound(self, alarm: Alarm) -> bool:
        """Keep a condition; return False if it is the one that was told before."""
        alarms, key = (await self._turn.tables()).alarms, (alarm.watched, alarm.asset)
        before = alarms.get(key)
        if before is not None and before.condition is alarm.condition:
            return False
        alarms.put(key, alarm)
        return True

    async def spending(self, account: Account, asset: AssetId, *, since: datetime) -> Spending:
        """Return what an account has paid the network with since a time."""
        spent, first = 0, None
        for booked in (await self._turn.tables()).transactions:
            it = booked.transaction
            here = [
                posting.money.amount
                for posting in it.postings
                if (posting.account, posting.money.asset) == (account, asset)
            ]
            if not here:
                continue
            first = min(first or it.effective_at, it.effective_at)
            if it.kind in SPENT_ON and it.effective_at >= since:
                spent -= sum(here)
        return Spending(spent, first)

    async def unswept(self, chain: ChainId, asset: AssetId) -> Unswept:
        """Return what lies at deposit addresses, as far as it is final and booked."""
        tables = await self._turn.tables()
        held = {
            address: money.amount
            for (on, address, what), money in tables.holdings.items()
            if (on, what) == (chain, asset) and money.amount > 0
        }
        issued = [
            intent.created_at
            for address in held
            for intent in tables.intents.where(address=(chain, address))
        ]
        issued += [
            customer.created_at
            for address in held
            for customer in tables.customer_addresses.where(address=address)
        ]
        total = Money(sum(held.values()), asset)
        return Unswept(total, len(held), min(issued, default=None))
