"""What tests of webhooks share: endpoints, their deliveries, and a runner of the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.ids import DeliveryId
from domain.shared.running import JobRunner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.webhooks.model import Delivery, Endpoint
    from tests.domain.world import Services, World

URL = "https://shop.example/hooks"


async def listening(world: World, *types: str, url: str = URL) -> Endpoint:
    return await world.services.webhooks.register(
        owner=world.merchant.id, url=url, types=frozenset(types)
    )


def deliveries(world: World) -> list[Delivery]:
    return list(world.around.store.tables.deliveries)


def runner(world: World, services: Services | None = None) -> JobRunner:
    webhooks = (services or world.services).webhooks

    async def deliver_webhook(arguments: Mapping[str, str]) -> None:
        await webhooks.deliver(delivery_id=DeliveryId(arguments["delivery"]))

    return JobRunner(
        (services or world.services).begin,
        world.clock,
        world.around.ids,
        {"deliver_webhook": deliver_webhook},
    )


async def run_jobs(world: World) -> int:
    """Run what is due; return how many jobs that were."""
    jobs = await runner(world).claim(limit=100)
    for job in jobs:
        await runner(world).run(job)
    return len(jobs)


async def one_delivery(world: World) -> Delivery:
    """Return a delivery that was never tried."""
    await listening(world)
    await world.intent()
    await world.services.webhooks.hand_over()
    [delivery] = deliveries(world)
    return delivery
