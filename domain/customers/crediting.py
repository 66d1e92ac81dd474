"""What a transfer to a customer's address changes, inside the watcher's unit of work.

A deposit is shown when it is seen and booked when it is final, in the transaction in which its
observation becomes final: so a transfer is credited once whatever dies in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.customers import booking, events
from domain.customers.model import Deposit
from domain.intents.booking import deposit as into_suspense
from domain.shared.ids import DepositId
from domain.shared.money import AssetId, Assets
from domain.suspense import keeping
from domain.suspense.model import Why
from ports.ids import Ids

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.model import Observation, Transfer
    from domain.customers.model import CustomerAddress
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class CustomerDeposits:
    """Applies transfers to customers' addresses on one chain."""

    ids: Ids
    assets: Assets
    places: Places
    minimums: Mapping[AssetId, int]
    """From which amount on a deposit is credited, smallest units; all are where none is set."""

    async def see(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: Transfer,
        to: CustomerAddress,
        *,
        at: datetime,
    ) -> None:
        """Show money that may still be taken back."""
        if fact.money.asset not in self.assets.by_id:
            return
        time = observation.block.time
        gone = await work.customers.lock_retracted(
            observation.key.chain, observation.key.transaction, to=to.id, money=fact.money
        )
        if gone is not None:
            shown = gone.reappear(observation.key, source=fact.source, paid_at=time, at=at)
            await work.customers.save_deposit(shown)
        else:
            merchant = await work.merchants.get(to.merchant_id)
            shown = Deposit(
                id=DepositId(self.ids.new("deposit")),
                merchant_id=to.merchant_id,
                address_id=to.id,
                customer=to.customer,
                key=observation.key,
                source=fact.source,
                address=fact.target,
                money=fact.money,
                fees=merchant.fees,
                paid_at=time,
                created_at=at,
                changed_at=at,
            )
            await work.customers.add_deposit(shown)
        await self._tell(work, events.RECEIVED, shown, at=at)

    async def retract(
        self, work: UnitOfWork, observation: Observation, to: CustomerAddress, *, at: datetime
    ) -> None:
        """Take back what was shown and is gone. It was never booked."""
        known = await work.customers.lock_deposit(observation.key, to=to.id)
        if known is not None:
            gone = known.retract(at=at)
            await work.customers.save_deposit(gone)
            await self._tell(work, events.RETRACTED, gone, at=at)

    async def finalize(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: Transfer,
        to: CustomerAddress,
        *,
        at: datetime,
    ) -> None:
        """Book what cannot be taken back any more: to the merchant, or into suspense."""
        time = observation.block.time
        await work.sweeps.change_holding(self.places.chain, fact.target, fact.money)
        known = await work.customers.lock_deposit(observation.key, to=to.id)
        if known is None:
            await self._keep(work, observation, fact, Why.WRONG_ASSET, to=to, reference=to.id)
        elif fact.money.amount < self.minimums.get(fact.money.asset, 1):
            little = known.set_aside(at=at)
            await work.customers.save_deposit(little)
            await self._keep(
                work, observation, fact, Why.BELOW_MINIMUM, to=to, reference=little.id
            )
            await self._tell(work, events.BELOW_MINIMUM, little, at=at)
        else:
            credited = known.succeed(at=at)
            await work.customers.save_deposit(credited)
            await work.ledger.book(booking.crediting(credited, self.places, at=time))
            await self._tell(work, events.SUCCEEDED, credited, at=at)

    async def _keep(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: Transfer,
        why: Why,
        *,
        to: CustomerAddress,
        reference: str,
    ) -> None:
        """Book what nobody is credited into suspense, where a person decides of it."""
        await work.ledger.book(
            into_suspense(
                reference=reference,
                into=self.places.deposits,
                suspense=self.places.suspense,
                money=fact.money,
                at=observation.block.time,
            )
        )
        await work.suspense.add(keeping.of_customer(observation, fact, why, to=to.id))

    async def _tell(self, work: UnitOfWork, type: str, deposit: Deposit, *, at: datetime) -> None:
        await work.events.record(events.happened(type, deposit, at=at, assets=self.assets))
