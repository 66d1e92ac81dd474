"""What tests of webhooks share: endpoints, their deliveries, and a process that delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.webhooks.dispatching import Dispatch
from domain.webhooks.in_turn import InTurn

if TYPE_CHECKING:
    from domain.shared.ids import EndpointId
    from domain.webhooks.endpoint import Endpoint
    from domain.webhooks.model import Delivery
    from domain.webhooks.trying import Tried
    from ports.errands import Errands
    from tests.domain.services import Services
    from tests.domain.world import World

URL = "https://shop.example/hooks"


async def listening(world: World, *types: str, url: str = URL) -> Endpoint:
    return await world.services.webhooks.register(
        owner=world.merchant.id, url=url, types=frozenset(types)
    )


def deliveries(world: World) -> list[Delivery]:
    return list(world.around.store.tables.deliveries)


def endpoint(world: World, endpoint_id: EndpointId) -> Endpoint:
    found = world.around.store.tables.endpoints.get(endpoint_id)
    assert found is not None
    return found


def dispatch(
    world: World, services: Services | None = None, errands: Errands[Tried] | None = None
) -> Dispatch:
    """Return a process that delivers; one after the other unless told how."""
    webhooks = (services or world.services).webhooks
    return Dispatch(
        webhooks.begin, webhooks.clock, webhooks.ids, webhooks.publisher, errands or InTurn()
    )


async def deliver_due(world: World) -> int:
    """Deliver what is due; return how many messages that were."""
    before = len(world.around.publisher.posts)
    await dispatch(world).run()
    return len(world.around.publisher.posts) - before


async def one_delivery(world: World) -> Delivery:
    """Return a delivery that was never tried."""
    await listening(world)
    await world.intent()
    await world.services.webhooks.hand_over()
    [delivery] = deliveries(world)
    return delivery
