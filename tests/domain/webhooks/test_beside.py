"""What stands beside deliveries: their merchant's events and endpoints, and nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.domain.webhooks.listening import deliveries, listening, one_delivery
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from tests.domain.world import World


@pytest.mark.parametrize("events", [False, True])
@pytest.mark.parametrize("endpoints", [False, True])
async def test_what_is_asked_for_is_there(world: World, *, events: bool, endpoints: bool) -> None:
    for _ in range(2):
        await listening(world)
    await world.intent()
    await world.services.webhooks.hand_over()
    found = deliveries(world)
    assert len(found) == 2

    beside = await world.services.webhooks.beside(
        found, owner=world.merchant.id, events=events, endpoints=endpoints
    )

    assert [it and it.id for it, _ in beside] == [it.event_id if events else None for it in found]
    named = [it.endpoint_id if endpoints else None for it in found]
    assert [it and it.id for _, it in beside] == named


async def test_of_another_merchants_nothing_is_there(world: World) -> None:
    delivery = await one_delivery(world)
    other = await another_merchant(world)

    beside = await world.services.webhooks.beside(
        [delivery], owner=other.id, events=True, endpoints=True
    )

    assert beside == [(None, None)]
