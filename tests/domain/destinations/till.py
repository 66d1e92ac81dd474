"""Merchants of both modes with two keys each, and verbs to change where they are paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from adapters.memory.addresses import InMemoryAddresses
from domain.destinations.model import CoolDowns, Party
from domain.destinations.service import DestinationService
from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from domain.shared.actors import ActorKind
from domain.shared.modes import Mode
from domain.shared.money import ChainId
from tests.builders import CHAIN, address_of
from tests.domain.scene import PLACES, TILL
from tests.domain.world import World

if TYPE_CHECKING:
    from datetime import timedelta

    from domain.destinations.model import DestinationChange
    from domain.merchants.model import ApiKey, Merchant
    from domain.shared.ids import MerchantId

NEW = address_of("new till")
LIVE_CHAIN = ChainId("eip155:1")
OLIVE, PAUL = (Party(ActorKind.OPERATOR, name) for name in ("olive", "paul"))


def by(key: ApiKey) -> Party:
    """Return the party that a key stands for."""
    return Party(ActorKind.KEY, key.id)


@attrs.frozen
class Tills:
    """A world in which merchants change where they are paid."""

    world: World
    service: DestinationService

    @classmethod
    def over(cls, world: World, *, cool_down: timedelta) -> Tills:
        """Serve a chain of each mode."""
        places = {
            CHAIN: PLACES,
            LIVE_CHAIN: attrs.evolve(PLACES, chain=LIVE_CHAIN, mode=Mode.LIVE),
        }
        service = DestinationService(
            begin=world.services.begin,
            clock=world.clock,
            ids=world.around.ids,
            places=places,
            addresses=InMemoryAddresses(),
            cool_downs=CoolDowns(live=cool_down, test=cool_down),
        )
        return cls(world, service)

    async def key(self, owner: MerchantId | None = None, **wanted: Any) -> ApiKey:  # noqa: ANN401 (of any type)
        """Give out a key: for everything and by an operator, unless told otherwise."""
        issued = await self.world.services.merchants.create_key(
            merchant_id=owner or self.world.merchant.id, **wanted
        )
        return issued.key

    async def asked(self, key: ApiKey | None = None, *, address: str = NEW) -> DestinationChange:
        """Return a change that a key, or Olive, has asked for."""
        return await self.service.request(
            owner=self.world.merchant.id,
            chain=CHAIN,
            address=address,
            by=by(key) if key else OLIVE,
        )

    async def approved(self) -> DestinationChange:
        """Return a change that Olive has asked for and Paul has approved."""
        change = await self.asked()
        return await self.service.approve(change_id=change.id, owner=None, by=PAUL)

    async def paid_at(self) -> str | None:
        """Return where the merchant is paid now."""
        async with self.world.services.begin() as work:
            merchant = await work.merchants.get(self.world.merchant.id)
        return merchant.payouts.destinations.get(CHAIN)

    async def events(self) -> list[str]:
        """Return what the merchant was told of his destinations, in order."""
        async with self.world.services.begin() as work:
            found = await work.events.after(owner=self.world.merchant.id, sequence=0, limit=1000)
        types = [it.event.type for it in found]
        return [it.partition(".")[2] for it in types if it.startswith("payout_destination.")]

    async def merchant(self, *, mode: Mode, paid: bool = True) -> Merchant:
        """Take a merchant on, who is paid somewhere or nowhere yet."""
        chain = CHAIN if mode is Mode.TEST else LIVE_CHAIN
        return await self.world.services.merchants.register(
            name="Grace's clocks",
            fees=FeeSchedule(100),
            payouts=PayoutTerms(destinations={chain: TILL} if paid else {}),
            mode=mode,
        )
