"""Many endpoints side by side: who is dead or slow holds up nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.publisher import RecordingPublisher
from adapters.system.side_by_side import SideBySide
from domain.webhooks.dispatching import EACH_MAX, STRETCH, Dispatch
from domain.webhooks.endpoint import FAILING_MAX, REST_FIRST, Disabled
from domain.webhooks.model import RETRY_DELAYS, DeliveryState
from domain.webhooks.trying import TAKEN_FOR
from ports.unit_of_work import StorageUnavailable
from tests.domain.webhooks.listening import (
    deliver_due,
    deliveries,
    dispatch,
    endpoint,
    listening,
    one_delivery,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from domain.webhooks.model import Try
    from domain.webhooks.trying import Tried
    from ports.unit_of_work import UnitOfWork
    from tests.domain.world import World

CAPACITY = 64


class Shops(RecordingPublisher):
    """Servers some of which never answer, until they are let to."""

    def __init__(self) -> None:
        super().__init__()
        self.dead = asyncio.Event()

    async def post(
        self,
        *,
        url: str,
        secret: str,
        message_id: str,
        at: datetime,
        body: bytes,
        former_secret: str | None = None,
        hex_signature: bool = False,
    ) -> Try:
        told = await super().post(
            url=url,
            secret=secret,
            message_id=message_id,
            at=at,
            body=body,
            former_secret=former_secret,
            hex_signature=hex_signature,
        )
        if "broken" in url:
            raise ZeroDivisionError
        if "dead" in url:
            await self.dead.wait()
            return type(told)(at=at, status=None, detail="timed out")
        return told


def process(world: World, shops: Shops) -> Dispatch:
    webhooks = world.services.webhooks
    errands: SideBySide[Tried] = SideBySide(capacity=CAPACITY)
    return Dispatch(webhooks.begin, webhooks.clock, webhooks.ids, shops, errands)


async def happen(world: World, count: int) -> None:
    for _ in range(count):
        await world.intent()
    await world.services.webhooks.hand_over()


async def settled(task: asyncio.Task[None]) -> None:
    """Let a process go on until it waits for servers."""
    for _ in range(2000):
        await asyncio.sleep(0)
        if task.done():
            return


async def test_dead_servers_hold_up_no_other(world: World) -> None:
    shops = Shops()
    for number in range(20):
        await listening(world, url=f"https://dead.example/{number}")
    alive = await listening(world, url="https://alive.example/")
    await happen(world, EACH_MAX + 4)
    working = process(world, shops)

    running = asyncio.create_task(working.run())
    await settled(running)

    told = Counter(post.url for post in shops.posts)
    assert told[alive.url] == EACH_MAX + 4, "it has heard everything, and the dead still wait"
    assert not running.done()
    assert sum(told.values()) - told[alive.url] < CAPACITY

    await world.intent()
    await world.services.webhooks.hand_over()
    await working.run()  # As the next job does; it is carried out by the one that runs.
    await settled(running)
    assert Counter(post.url for post in shops.posts)[alive.url] == EACH_MAX + 5
    shops.dead.set()
    await running


async def test_what_has_ended_is_noted_as_more_is_taken(world: World) -> None:
    """Neither the storage nor the servers stand idle while there is more to send."""
    for number in range(40):
        await listening(world, url=f"https://alive.example/{number}")
    await happen(world, 4)
    shops, webhooks = Shops(), world.services.webhooks
    sent_and_noted: list[tuple[int, int]] = []

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        noted = sum(it.state is DeliveryState.DELIVERED for it in deliveries(world))
        sent_and_noted.append((len(shops.posts), noted))
        for _ in range(10):
            await asyncio.sleep(0)
        async with webhooks.begin() as work:
            yield work

    working = attrs.evolve(process(world, shops), begin=begin)
    await working.run()

    assert len(shops.posts) == len(deliveries(world)) == 40 * 4
    for (sent, _), (_, noted) in pairwise(sent_and_noted):
        assert noted >= sent


async def test_there_is_room_for_who_comes_after_many_have_died(world: World) -> None:
    shops = Shops()
    for number in range(20):
        await listening(world, "payment_intent.*", url=f"https://dead.example/{number}")
    await happen(world, EACH_MAX)
    working = process(world, shops)
    running = asyncio.create_task(working.run())
    await settled(running)

    alive = await listening(world, url="https://alive.example/")
    await happen(world, 1)
    await working.run()
    await settled(running)

    assert Counter(post.url for post in shops.posts)[alive.url] == 1
    shops.dead.set()
    await running


async def test_one_endpoint_is_sent_so_many_at_a_time(world: World) -> None:
    shops = Shops()
    await listening(world, url="https://dead.example/")
    await happen(world, EACH_MAX)
    running = asyncio.create_task(process(world, shops).run())
    await settled(running)

    assert len(shops.posts) == CAPACITY // 8
    shops.dead.set()
    await running


async def test_who_was_silent_is_asked_once_until_it_answers(world: World) -> None:
    silent = await listening(world)
    await happen(world, 5)
    world.around.publisher.time_out_next(times=2)

    assert await deliver_due(world) == 1
    resting = endpoint(world, silent.id)
    assert (resting.silences, resting.rest_until) == (1, world.clock.now() + REST_FIRST)
    assert await deliver_due(world) == 0
    world.clock.move_to(world.clock.now() + REST_FIRST)
    assert await deliver_due(world) == 1
    world.clock.move_to(world.clock.now() + 2 * REST_FIRST)
    assert await deliver_due(world) == 5, "it has answered: whatever is due follows"

    assert endpoint(world, silent.id).silences == 0
    assert {it.state for it in deliveries(world)} == {DeliveryState.DELIVERED}


async def test_a_pause_that_was_asked_for_is_kept(world: World) -> None:
    delivery = await one_delivery(world)
    await happen(world, 2)
    world.around.publisher.refuse_next(429, retry_after_seconds=100)

    assert await deliver_due(world) == 1
    world.clock.advance(seconds=99)
    assert await deliver_due(world) == 0
    world.clock.advance(seconds=12)
    assert await deliver_due(world) == 3
    assert deliveries(world)[0].id == delivery.id


async def test_a_try_that_fails_holds_up_no_other_event(world: World) -> None:
    await listening(world)
    await happen(world, 3)
    world.around.publisher.refuse_next(500)
    await deliver_due(world)

    states = [it.state for it in sorted(deliveries(world), key=lambda it: it.sequence)]
    assert states == [DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.DELIVERED]


async def test_after_days_of_failure_it_is_switched_off_and_told(world: World) -> None:
    failing = await listening(world)
    world.around.publisher.refuse_next(500, times=100)
    for _ in range(6):
        await happen(world, 1)
        await deliver_due(world)
        world.clock.advance(days=1)

    off = endpoint(world, failing.id)
    assert (off.enabled, off.disabled_reason) == (False, Disabled.FAILING)
    assert await world.told(failing.id) == ["webhook_endpoint.disabled"]
    assert world.clock.now() - (off.failing_since or world.clock.now()) >= FAILING_MAX
    world.clock.advance(days=2)
    assert await deliver_due(world) == 0
    assert {it.state for it in deliveries(world)} == {DeliveryState.PARKED}


async def test_what_could_not_be_noted_is_noted_later(world: World) -> None:
    await one_delivery(world)
    working = dispatch(world)
    sent = world.around.publisher

    class Lost(RecordingPublisher):
        async def post(self, **message: object) -> Try:
            world.around.store.fail_next_commit()
            return await sent.post(**message)  # type: ignore[arg-type] # As it came.

    working.publisher = Lost()
    with pytest.raises(StorageUnavailable):
        await working.run()
    await working.run()

    [delivery] = deliveries(world)
    assert (delivery.state, len(delivery.tries), len(sent.posts)) == (
        DeliveryState.DELIVERED,
        1,
        1,
    )


async def test_a_commit_whose_answer_was_lost_adds_no_second_try(world: World) -> None:
    await one_delivery(world)
    working = dispatch(world)
    sent = world.around.publisher
    sent.refuse_next(500)

    class Lost(RecordingPublisher):
        async def post(self, **message: object) -> Try:
            world.around.store.lose_next_commit()
            return await sent.post(**message)  # type: ignore[arg-type] # As it came.

    working.publisher = Lost()
    with pytest.raises(StorageUnavailable):
        await working.run()
    await working.run()

    assert [len(it.tries) for it in deliveries(world)] == [1]


async def test_a_fault_of_ours_is_a_try_that_failed(world: World) -> None:
    await listening(world, url="https://broken.example/")
    await happen(world, 1)
    await process(world, Shops()).run()

    [delivery] = deliveries(world)
    assert [it.detail for it in delivery.tries] == ["not sent: ZeroDivisionError"]
    assert delivery.next_try_at is not None


async def test_what_a_person_begins_again_meanwhile_is_not_sent_twice(world: World) -> None:
    shops = Shops()
    await listening(world, url="https://dead.example/")
    await happen(world, 1)
    running = asyncio.create_task(process(world, shops).run())
    await settled(running)

    await world.services.webhooks.redeliver(delivery_id=deliveries(world)[0].id)
    world.clock.advance(seconds=1)
    shops.dead.set()
    await running

    [delivery] = deliveries(world)
    assert len(shops.posts) == len(delivery.tries) == 1
    assert delivery.next_try_at is not None
    assert delivery.next_try_at >= world.clock.now() + RETRY_DELAYS[0] / 2


async def test_a_job_ends_and_the_next_one_sees_to_what_is_under_way(world: World) -> None:
    shops = Shops()
    await listening(world, url="https://dead.example/")
    await happen(world, 1)
    working = process(world, shops)
    running = asyncio.create_task(working.run())
    await settled(running)

    assert STRETCH <= TAKEN_FOR
    world.clock.move_to(world.clock.now() + STRETCH)
    working.errands.nudge()
    await settled(running)
    assert running.done()
    shops.dead.set()
    await working.run()

    assert [len(it.tries) for it in deliveries(world)] == [1]
