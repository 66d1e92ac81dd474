"""Use cases of settlements: close what merchants have earned, approve it, pay it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import SendMoney
from domain.chains.places import Places
from domain.chains.submissions import Submission
from domain.chains.waking import wake_sender
from domain.ledger.accounts import available
from domain.ledger.parking import AssetParked
from domain.settlements import booking, events
from domain.settlements.liquidity import liquid
from domain.settlements.model import (
    Settlement,
    SettlementState,
    SettlementTransitionRefused,
)
from domain.settlements.netting import payable
from domain.settlements.payouts import Payout, PayoutState, PayoutTransitionRefused
from domain.shared.ids import HoldId, PayoutId, SettlementId, SubmissionId
from domain.shared.money import AssetId, Assets, ChainId, chain_of
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.merchants.model import Merchant
    from domain.settlements.listing import Place, Wanted
    from domain.shared.ids import MerchantId
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class NoDestination(Exception):
    """The merchant has no address on the chain of this asset."""

    asset: AssetId


@attrs.frozen
class SettlementService:
    """Turns balances into payouts."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    places: Mapping[ChainId, Places]

    async def run(self) -> Sequence[Settlement]:
        """Settle every balance that is worth a payout; return the settlements made.

        Each settlement is made in a unit of work of its own, under the balance's lock: two runs
        at once settle nothing twice.
        """
        async with self.begin() as work:
            merchants = await work.merchants.all()
            kept = await work.ledger.kept_balances()
        owners = {available(merchant.id): merchant for merchant in merchants}
        owed = [
            (owners[balance.account], balance.money.asset)
            for balance in kept
            if balance.account in owners
            and payable(balance.money, owners[balance.account].payouts) is not None
        ]
        made = []
        # Who can be paid all that he is owed comes first; what is left pays the others in part.
        for partly in (False, True):
            for merchant, asset in owed:
                settlement = await self._settle(merchant, asset, partly=partly)
                if settlement is not None:
                    made.append(settlement)
        return made

    async def approve(self, *, settlement_id: SettlementId) -> Settlement:
        """Allow a settlement's money to leave, by a person's decision.

        Raises:
            NotFound: there is no such settlement.
            SettlementTransitionRefused: it does not wait for that.
            NoDestination: the merchant has no address to be paid at.
            AssetParked: the asset moves no money at the moment.
        """
        at = self.clock.now()
        async with self.begin() as work:
            settlement = await work.settlements.lock(settlement_id)
            merchant = await work.merchants.get(settlement.merchant_id)
            approved = await self._approve(work, merchant, settlement, at=at)
            await work.commit()
        return approved

    async def retry_payout(self, *, payout_id: PayoutId) -> Payout:
        """Pay a settlement by another payout, after one was refused with proof.

        It goes to where the merchant is paid now.

        Raises:
            NotFound: there is no such payout.
            NoDestination: the merchant has no address to be paid at.
            SettlementTransitionRefused: the payout was not refused, or another one followed it.
            PayoutTransitionRefused: it gives money back that lay in suspense.
            AssetParked: the asset moves no money at the moment.
        """
        at = self.clock.now()
        async with self.begin() as work:
            refused = await work.settlements.lock_payout(payout_id)
            if refused.settlement_id is None:
                # What gives money back is decided anew, of the item in suspense.
                raise PayoutTransitionRefused(refused.id, refused.state, PayoutState.APPROVED)
            settlement = await work.settlements.lock(refused.settlement_id)
            if refused.state is not PayoutState.REFUSED or settlement.payout_id != refused.id:
                raise SettlementTransitionRefused(
                    settlement.id, settlement.state, SettlementState.APPROVED
                )
            merchant = await work.merchants.get(settlement.merchant_id)
            destination = _destination(merchant, settlement.money.asset)
            payout = await self._pay(work, settlement, destination, refused.hold_id, at=at)
            trying = settlement.try_again(payout_id=payout.id)
            await work.settlements.save(trying)
            await self._tell(work, trying, at=at)
            await work.commit()
        return payout

    async def page(
        self, *, owner: MerchantId, before: SettlementId | None = None, limit: int
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements, newest first, from just before one of them."""
        async with self.begin() as work:
            return await work.settlements.list(owner=owner, before=before, limit=limit)

    async def get(self, *, owner: MerchantId, settlement_id: SettlementId) -> Settlement:
        """Return a settlement of a merchant's.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        async with self.begin() as work:
            found = await work.settlements.named([settlement_id], owner=owner)
        if not found:
            raise NotFound("settlement", settlement_id)
        return found[0]

    async def payouts_of(
        self, settlements: Sequence[Settlement], *, owner: MerchantId
    ) -> Sequence[Payout | None]:
        """Return the payout of each of a merchant's settlements; None where there is none yet."""
        ids = [it.payout_id for it in settlements if it.payout_id is not None]
        async with self.begin() as work:
            found = {it.id: it for it in await work.settlements.payouts_named(ids, owner=owner)}
        return [None if it.payout_id is None else found[it.payout_id] for it in settlements]

    async def settlements_of(
        self, payouts: Sequence[Payout], *, owner: MerchantId
    ) -> Sequence[Settlement | None]:
        """Return what each of a merchant's payouts pays; None where it is no settlement."""
        ids = [it.settlement_id for it in payouts if it.settlement_id is not None]
        async with self.begin() as work:
            found = {it.id: it for it in await work.settlements.named(ids, owner=owner)}
        return [None if it.settlement_id is None else found[it.settlement_id] for it in payouts]

    async def payouts(
        self, *, owner: MerchantId, before: Place | None = None, limit: int, wanted: Wanted
    ) -> Sequence[Payout]:
        """Return a merchant's payouts, newest first, from just before a place."""
        async with self.begin() as work:
            return await work.settlements.list_payouts(
                owner=owner, before=before, limit=limit, wanted=wanted
            )

    async def payout(self, *, owner: MerchantId, payout_id: PayoutId) -> Payout:
        """Return a payout of a merchant's.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        async with self.begin() as work:
            return await work.settlements.get_payout(payout_id, owner=owner)

    async def _settle(
        self, merchant: Merchant, asset: AssetId, *, partly: bool
    ) -> Settlement | None:
        """Settle one balance, unless it is too little now or lies where no payout can take it."""
        at = self.clock.now()
        chain = chain_of(asset)
        if chain is None or chain not in self.places:
            return None  # Nothing can be sent there; it must not keep the others waiting.
        async with self.begin() as work:
            # The chain's cursor stands for all that moves on it: one settlement at a time.
            cursor = await work.chains.lock_cursor(chain)
            if cursor is None or not cursor.may_decide:
                return None
            if await work.parking.of(asset) is not None:
                return None
            # Where he is paid may have changed since the run began.
            merchant = await work.merchants.get(merchant.id)
            balance = await work.ledger.lock_balance(available(merchant.id), asset)
            # What lies at deposit addresses is owed as well, and waits for the sweep.
            held = await liquid(work, self.places[chain], asset)
            money = payable(min(balance, held), merchant.payouts)
            if money is None or (money < balance and not partly):
                return None
            settlement = await self._close(work, merchant, money, at=at)
            # Judged by all that is owed, or the limit could be passed in parts.
            if not merchant.payouts.needs_approval(balance):
                settlement = await self._approve(work, merchant, settlement, at=at)
            await work.commit()
        return settlement

    async def _close(
        self, work: UnitOfWork, merchant: Merchant, money: Money, *, at: datetime
    ) -> Settlement:
        settlement = Settlement(
            id=SettlementId(self.ids.new("settlement")),
            merchant_id=merchant.id,
            money=money,
            created_at=at,
            hold_id=HoldId(self.ids.new("hold")),
        ).close()
        hold = booking.reserve(settlement)
        await work.ledger.add_hold(hold)
        await work.ledger.book(hold.reservation(at=at))
        await work.settlements.add(settlement)
        await self._tell(work, settlement, at=at)
        return settlement

    async def _approve(
        self, work: UnitOfWork, merchant: Merchant, settlement: Settlement, *, at: datetime
    ) -> Settlement:
        destination = _destination(merchant, settlement.money.asset)
        payout = await self._pay(work, settlement, destination, settlement.hold_id, at=at)
        approved = settlement.approve(payout_id=payout.id)
        await work.settlements.save(approved)
        await self._tell(work, approved, at=at)
        return approved

    async def _pay(
        self,
        work: UnitOfWork,
        settlement: Settlement,
        destination: str,
        hold_id: HoldId,
        *,
        at: datetime,
    ) -> Payout:
        chain = chain_of(settlement.money.asset)
        if chain is None:
            raise NoDestination(settlement.money.asset)
        parked = await work.parking.of(settlement.money.asset)
        if parked is not None:
            raise AssetParked(parked.asset, parked.reason)
        submission = Submission(
            id=SubmissionId(self.ids.new("submission")),
            chain=chain,
            instruction=SendMoney(settlement.money, destination),
            purpose=self.ids.new("payout"),
            created_at=at,
        )
        payout = Payout(
            id=PayoutId(submission.purpose),
            settlement_id=settlement.id,
            merchant_id=settlement.merchant_id,
            money=settlement.money,
            destination=destination,
            hold_id=hold_id,
            created_at=at,
        ).approve(submission_id=submission.id)
        await work.settlements.add_payout(payout)
        await work.chains.add_submission(submission)
        await work.events.record(*events.payout_changed(payout, at=at, assets=self.assets))
        await wake_sender(work, chain)
        return payout

    async def _tell(self, work: UnitOfWork, settlement: Settlement, *, at: datetime) -> None:
        await work.events.record(events.settlement_changed(settlement, at=at, assets=self.assets))


def _destination(merchant: Merchant, asset: AssetId) -> str:
    """Return where a merchant is paid in an asset now.

    Raises:
        NoDestination: nowhere.
    """
    chain = chain_of(asset)
    destination = merchant.payouts.destinations.get(chain) if chain else None
    if destination is None:
        raise NoDestination(asset)
    return destination
