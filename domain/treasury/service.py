"""Use cases of the treasury: keep hot what is needed there, and tell what is short."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.chains.places import Places
from domain.ledger.accounts import is_available
from domain.settlements.liquidity import liquid, put_in_for_fees
from domain.settlements.queueing import queue
from domain.shared.ids import HoldId, PayoutId, SubmissionId, TransferId
from domain.shared.money import AssetId, Assets, ChainId, Money, chain_of
from domain.shared.platform import PlatformEvent, happened
from domain.treasury import booking, policy
from domain.treasury.model import Alarm, ColdTransfer, Condition, Watched
from domain.treasury.overview import GasTank, Holdings
from domain.treasury.policy import HotThresholds, Position, TankThresholds
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.ledger.accounts import Account
    from ports.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

_NEWS: Final = {
    Condition.OK: PlatformEvent.WALLET_OK,
    Condition.LOW: PlatformEvent.WALLET_LOW,
    Condition.EMPTY: PlatformEvent.WALLET_EMPTY,
}


@attrs.frozen
class TreasuryService:
    """Moves what is too much to the cold wallet. Nothing here takes anything out of that one.

    A transfer is a payout to ourselves: the sender and the watcher carry it to its end, as they do
    with merchants' payouts.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    places: Mapping[ChainId, Places]
    hot: Mapping[AssetId, HotThresholds]
    """An asset that is not named stays where it is."""
    tanks: Mapping[ChainId, TankThresholds]

    async def rebalance(self, *, chain: ChainId) -> Sequence[ColdTransfer]:
        """Open a transfer for each asset of which too much is hot; return the transfers made.

        Each is opened in a unit of work of its own, under the chain's lock: two runs at once open
        one. Where the chain is parked, not read without a gap, or the asset is parked, it waits.
        Tells, once, where the hot wallet holds too little.
        """
        made = []
        for asset, thresholds in self.hot.items():
            if chain_of(asset) == chain and chain in self.places:
                transfer = await self._rebalance(self.places[chain], asset, thresholds)
                made += [] if transfer is None else [transfer]
        return made

    async def check_tank(self, *, chain: ChainId) -> GasTank | None:
        """Tell, once, where a chain's gas tank gets low or empty, or is full enough again.

        None is returned where nobody has said when that is.
        """
        at = self.clock.now()
        if chain not in self.tanks or chain not in self.places:
            return None
        async with self.begin() as work:
            found = await self._tank(work, chain, at=at)
            was = found.alarm.condition if found.alarm else Condition.OK
            now = policy.tank_condition(found.tank, self.tanks[chain], was=was)
            alarm = Alarm(Watched.GAS, self.places[chain].native, now, at)
            if await self._is_news(work, alarm, was=found.alarm):
                found = attrs.evolve(found, alarm=alarm)
                held, a_day = found.tank.held, found.tank.per_day
                log.log(
                    _level(now),
                    "gas tank of %s is %s: %s; %s a day",
                    chain,
                    now,
                    self._told(held, found.coin),
                    self._told(a_day, found.coin),
                )
            await work.commit()
        return found

    async def holdings(self) -> Sequence[Holdings]:
        """Return what there is of each asset on a chain, and where."""
        found = []
        for asset in self.assets.by_id:
            chain = chain_of(asset)
            if chain is not None and chain in self.places:
                async with self.begin() as work:
                    found.append(await self._holdings(work, self.places[chain], asset))
        return found

    async def gas_tanks(self) -> Sequence[GasTank]:
        """Return each chain's gas tank."""
        at = self.clock.now()
        found = []
        for chain in self.places:
            if chain in self.tanks:
                async with self.begin() as work:
                    found.append(await self._tank(work, chain, at=at))
        return found

    async def _rebalance(
        self, places: Places, asset: AssetId, thresholds: HotThresholds
    ) -> ColdTransfer | None:
        at, transfer = self.clock.now(), None
        async with self.begin() as work:
            # The chain's cursor stands for all that moves on it, as for settlements.
            cursor = await work.chains.lock_cursor(places.chain)
            if cursor is None or not cursor.may_decide:
                return None
            if await work.parking.of(asset) is not None:
                return None
            position = await _position(work, places, asset)
            latest = await work.treasury.latest(asset)
            amount = policy.surplus(position, thresholds)
            cold, waits = places.cold_wallet, latest is not None and latest.blocks(at=at)
            if amount and cold is not None and not waits:
                transfer = await self._open(work, places, Money(amount, asset), cold, at=at)
            before = await work.treasury.alarm(Watched.HOT, asset)
            was = before.condition if before else Condition.OK
            now = policy.hot_condition(position, thresholds, was=was)
            alarm = Alarm(Watched.HOT, asset, now, at)
            if await self._is_news(work, alarm, was=before):
                bring = policy.missing(position, thresholds) if now is Condition.LOW else 0
                log.log(
                    _level(now),
                    "hot wallet's %s is %s: %s can be paid out; bring %s from the cold wallet",
                    asset,
                    now,
                    self._told(position.free, asset),
                    self._told(bring, asset),
                )
            await work.commit()
        return transfer

    async def _open(
        self, work: UnitOfWork, places: Places, money: Money, cold: str, *, at: datetime
    ) -> ColdTransfer:
        """Promise money to the cold wallet and queue the payout that takes it there."""
        submission_id = SubmissionId(self.ids.new("submission"))
        transfer = ColdTransfer(
            payout_id=PayoutId(self.ids.new("payout")),
            id=TransferId(self.ids.new("transfer")),
            chain=places.chain,
            money=money,
            target=cold,
            created_at=at,
            changed_at=at,
        )
        await work.treasury.add(transfer)
        await queue(
            work,
            booking.promise(transfer, places, hold_id=HoldId(self.ids.new("hold"))),
            submission_id=submission_id,
            payout_id=transfer.payout_id,
            chain=places.chain,
            destination=cold,
            at=at,
        )
        return transfer

    async def _is_news(self, work: UnitOfWork, alarm: Alarm, *, was: Alarm | None) -> bool:
        """Keep a condition, and tell whether it is another one than was told.

        It is told before it is kept: who dies in between tells it again.
        """
        if (was.condition if was else Condition.OK) is alarm.condition:
            return False
        if not await work.treasury.sound(alarm):
            return False
        told = happened(
            _NEWS[alarm.condition],
            f"{alarm.watched}:{alarm.asset}",
            at=alarm.since,
            watched=alarm.watched.value,
            asset=alarm.asset,
        )
        await work.events.record(told)
        return True

    def _told(self, amount: int, asset: AssetId) -> str:
        """Write an amount in whole units; of a coin that is not listed, in smallest ones."""
        known = self.assets.by_id.get(asset)
        return f"{known.render(amount)} {known.symbol}" if known else f"{amount} of {asset}"

    async def _tank(self, work: UnitOfWork, chain: ChainId, *, at: datetime) -> GasTank:
        places, thresholds = self.places[chain], self.tanks[chain]
        since = at - timedelta(days=thresholds.average_days)
        spending = await work.treasury.spending(places.gas, places.native, since=since)
        there = await _held(work, places.gas, places.native)
        # Coins that somebody is owed lie in the same wallet; they pay for no fees.
        held = min(there, await put_in_for_fees(work, places))
        return GasTank(
            chain=chain,
            coin=places.native,
            tank=policy.tank(held, spending, thresholds, at=at),
            alarm=await work.treasury.alarm(Watched.GAS, places.native),
        )

    async def _holdings(self, work: UnitOfWork, places: Places, asset: AssetId) -> Holdings:
        position = await _position(work, places, asset)
        thresholds = self.hot.get(asset)
        latest = await work.treasury.latest(asset)
        return Holdings(
            asset=asset,
            hot=await _held(work, places.pays_from(asset), asset),
            unswept=await work.treasury.unswept(places.chain, asset),
            position=position,
            bring=policy.missing(position, thresholds) if thresholds else 0,
            moving=latest if latest and latest.is_moving else None,
            alarm=await work.treasury.alarm(Watched.HOT, asset),
        )


async def _position(work: UnitOfWork, places: Places, asset: AssetId) -> Position:
    """Return what there is of an asset; it stays so only under the lock of the chain's cursor."""
    free = await liquid(work, places, asset)
    owed = sum(
        balance.money.amount
        for balance in await work.ledger.kept_balances()
        if is_available(balance.account) and balance.money.asset == asset
    )
    return Position(
        free=free.amount,
        owed=owed,
        unswept=await _held(work, places.deposits, asset),
        cold=await _held(work, places.cold, asset),
    )


async def _held(work: UnitOfWork, account: Account, asset: AssetId) -> int:
    """Return what an account of the platform holds, smallest units."""
    for balance in await work.ledger.balances(prefix=account):
        if balance.account == account and balance.money.asset == asset:
            return balance.money.amount
    return 0


def _level(condition: Condition) -> int:
    return logging.INFO if condition is Condition.OK else logging.WARNING
