"""Deliveries that a test account has ordered to fail: as if the server had answered so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.webhooks.endpoint import REST_FIRST, Disabled, SimulatedAnswer
from domain.webhooks.model import RETRY_DELAYS, DeliveryState
from tests.domain.webhooks.listening import (
    deliver_due,
    deliveries,
    endpoint,
    listening,
    one_delivery,
)

if TYPE_CHECKING:
    from domain.shared.ids import EndpointId
    from tests.domain.world import World


async def simulate(
    world: World, endpoint_id: EndpointId, answer: SimulatedAnswer | None, *, times: int = 1
) -> None:
    async with world.services.begin() as work:
        found = await work.webhooks.lock_endpoint(endpoint_id)
        await work.webhooks.save_endpoint(found.simulate(answer, times=times))
        await work.commit()


@pytest.mark.parametrize("answer", [SimulatedAnswer.SERVER_ERROR, SimulatedAnswer.NOT_FOUND])
async def test_the_server_is_not_asked_and_the_log_says_so(
    world: World, answer: SimulatedAnswer
) -> None:
    delivery = await one_delivery(world)
    await simulate(world, delivery.endpoint_id, answer)
    assert await deliver_due(world) == 0

    [failed] = deliveries(world)
    [tried] = failed.tries
    assert (tried.simulated, tried.status) == (True, int(answer))
    assert tried.detail == f"simulated: HTTP {answer.value}"
    assert tried.url == endpoint(world, delivery.endpoint_id).url
    assert failed.state is DeliveryState.PENDING
    assert failed.next_try_at is not None
    assert failed.next_try_at >= world.clock.now() + RETRY_DELAYS[0]
    assert endpoint(world, delivery.endpoint_id).failing_since == world.clock.now()


async def test_so_many_fail_and_the_next_arrives(world: World) -> None:
    delivery = await one_delivery(world)
    await simulate(world, delivery.endpoint_id, SimulatedAnswer.UNAVAILABLE, times=2)
    for _ in range(3):
        await deliver_due(world)
        world.clock.advance(hours=1)

    [arrived] = deliveries(world)
    assert [tried.simulated for tried in arrived.tries] == [True, True, False]
    assert arrived.state is DeliveryState.DELIVERED
    assert len(world.around.publisher.posts) == 1
    found = endpoint(world, delivery.endpoint_id)
    assert (found.simulated, found.simulated_times) == (None, 0)


async def test_of_many_at_once_so_many_fail_as_were_ordered(world: World) -> None:
    told = await listening(world)
    for _ in range(5):
        await world.intent()
    await world.services.webhooks.hand_over()
    await simulate(world, told.id, SimulatedAnswer.SERVER_ERROR, times=2)
    assert await deliver_due(world) == 3

    outcomes = [delivery.tries[0].simulated for delivery in deliveries(world)]
    assert sorted(outcomes) == [False, False, False, True, True]


async def test_gone_switches_the_endpoint_off(world: World) -> None:
    delivery = await one_delivery(world)
    await simulate(world, delivery.endpoint_id, SimulatedAnswer.GONE)
    await deliver_due(world)

    [parked] = deliveries(world)
    assert parked.state is DeliveryState.PARKED
    assert endpoint(world, delivery.endpoint_id).disabled_reason is Disabled.GONE


async def test_no_answer_makes_the_endpoint_rest(world: World) -> None:
    delivery = await one_delivery(world)
    await simulate(world, delivery.endpoint_id, SimulatedAnswer.TIMEOUT)
    await deliver_due(world)

    [failed] = deliveries(world)
    assert (failed.tries[0].status, failed.tries[0].simulated) == (None, True)
    assert endpoint(world, delivery.endpoint_id).rest_until == world.clock.now() + REST_FIRST


async def test_it_can_be_taken_back(world: World) -> None:
    delivery = await one_delivery(world)
    await simulate(world, delivery.endpoint_id, SimulatedAnswer.SERVER_ERROR, times=9)
    await simulate(world, delivery.endpoint_id, None)

    assert await deliver_due(world) == 1


async def test_another_endpoint_is_told(world: World) -> None:
    delivery = await one_delivery(world)
    other = await listening(world, url="https://other.example/hooks")
    await world.intent()
    await world.services.webhooks.hand_over()
    await simulate(world, delivery.endpoint_id, SimulatedAnswer.SERVER_ERROR, times=9)
    await deliver_due(world)

    assert {post.url for post in world.around.publisher.posts} == {other.url}


async def test_one_delivery_by_itself_fails_as_well(world: World) -> None:
    delivery = await one_delivery(world)
    await simulate(world, delivery.endpoint_id, SimulatedAnswer.SERVER_ERROR)
    failed = await world.services.webhooks.deliver(delivery_id=delivery.id)

    assert failed.tries[0].simulated
    assert world.around.publisher.posts == []
