"""Whose money an observation is: found by address or contract reference, never by amount."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.model import EscrowPaid, Transfer
from domain.chains.places import Places
from domain.escrow.model import EscrowTerms
from domain.intents import events
from domain.shared.ids import IntentId
from domain.shared.money import Assets
from ports.escrow_contract import EscrowContracts
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.chains.model import Observation
    from domain.intents.model import PaymentIntent
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class Recipients:
    """Finds the intents that a chain's observations pay, and stores what becomes of them."""

    assets: Assets
    contracts: EscrowContracts
    places: Places

    async def owners(
        self, work: UnitOfWork, observations: Sequence[Observation]
    ) -> Mapping[str, IntentId]:
        """Return which of the addresses that were paid are of which intents."""
        targets = {o.fact.target for o in observations if isinstance(o.fact, Transfer)}
        chain = self.places.chain
        return await work.intents.owners_of(chain=chain, addresses=sorted(targets))

    async def lock_paid(
        self, work: UnitOfWork, observation: Observation, owners: Mapping[str, IntentId]
    ) -> PaymentIntent | None:
        """Lock the intent that an observation pays: by address or reference, never by amount."""
        fact = observation.fact
        if isinstance(fact, Transfer) and fact.target in owners:
            return await work.intents.lock(owners[fact.target], owner=None)
        if not isinstance(fact, EscrowPaid):
            return None
        try:
            intent = await work.intents.lock(IntentId(fact.reference), owner=None)
        except NotFound:
            return None
        # Who changes a letter of the terms pays another escrow, of which we know nothing.
        terms = intent.pay_to
        ours = isinstance(terms, EscrowTerms) and self.contracts.escrow_id(terms) == fact.escrow_id
        return intent if ours else None

    async def save(
        self,
        work: UnitOfWork,
        before: PaymentIntent,
        after: PaymentIntent,
        *types: str,
        at: datetime,
    ) -> None:
        """Store an intent and tell what happened to it."""
        await work.intents.save(after)
        told = events.changed(before, after, *types, at=at, assets=self.assets)
        await work.events.record(*told)
