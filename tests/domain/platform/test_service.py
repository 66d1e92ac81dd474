"""What changes by itself: recorded when it is another, and not for as long as it is the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.jobs.service import JobService
from domain.platform.model import Provider, Serving
from domain.platform.service import PRUNED_MAX, PlatformService
from domain.shared.kinds import Queue
from domain.shared.money import ChainId
from domain.shared.platform import PLATFORM, PlatformEvent, happened
from tests.builders import CHAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.shared.events import Json
    from tests.domain.world import World


@attrs.define
class Three:
    """Three providers, of which some serve."""

    states: list[Serving] = attrs.field(factory=lambda: [Serving.SERVING] * 3)

    def standing(self) -> list[Provider]:
        return [Provider(f"{n}:example.org", it) for n, it in enumerate(self.states, 1)]


@pytest.fixture
def three() -> Three:
    return Three()


@pytest.fixture
def platform(world: World, three: Three) -> PlatformService:
    return PlatformService(world.around.store.begin, world.clock, {CHAIN: three})


async def told(world: World) -> list[Mapping[str, Json]]:
    async with world.around.store.begin() as work:
        found = await work.events.after(owner=PLATFORM, sequence=0, limit=99)
    return [it.event.data for it in found]


async def parked(world: World, reason: str | None) -> None:
    async with world.around.store.begin() as work:
        cursor = await work.chains.lock_cursor(CHAIN)
        assert cursor is not None
        await work.chains.save_cursor(attrs.evolve(cursor, parked=reason))
        await work.commit()


class TestHealth:
    async def test_the_same_is_recorded_once(
        self, world: World, platform: PlatformService, three: Three
    ) -> None:
        await world.settle_down()
        looks = [await platform.look_at_chain(chain=CHAIN) for _ in range(3)]
        assert looks == [True, False, False]
        [health] = await told(world)
        assert health["providers"] == health["serving"] == 3
        assert health["not_serving"] == []

        three.states[1] = Serving.RESTING
        looks = [await platform.look_at_chain(chain=CHAIN) for _ in range(3)]
        assert looks == [True, False, False]
        health = (await told(world))[-1]
        assert (health["id"], health["object"]) == (CHAIN, "gateway")
        assert (health["providers"], health["serving"]) == (3, 2)
        assert health["not_serving"] == [{"name": "2:example.org", "state": "resting"}]

    async def test_a_chain_that_is_read_no_more_is_late_and_then_stalled(
        self, world: World, platform: PlatformService
    ) -> None:
        assert await platform.look_at_chain(chain=ChainId("eip155:7"))
        await world.read()
        async with world.around.store.begin() as work:
            cursor = await work.chains.cursor(CHAIN)
        assert cursor is not None
        for minutes in (0, 2, 3, 15, 16, 60):
            world.clock.move_to(cursor.seen.time + timedelta(minutes=minutes))
            await platform.look_at_chain(chain=CHAIN)
        assert [it["reading"] for it in await told(world)] == [
            "unread",
            "current",
            "late",
            "stalled",
        ]

    async def test_parking_is_part_of_it(self, world: World, platform: PlatformService) -> None:
        await world.read()
        for reason in (None, "odd", "odder", None):
            await parked(world, reason)
            await platform.look_at_chain(chain=CHAIN)
        assert [it["parked"] for it in await told(world)] == [False, True, False]


class TestQueues:
    async def test_what_stays_about_the_same_is_recorded_once(
        self, world: World, platform: PlatformService
    ) -> None:
        assert await platform.look_at_queues() == len(Queue)
        # Digits count, or a queue's common coming and going would drown all others.
        grown = {3: 0, 9: 0, 10: 1, 60: 0, 100: 1}
        waiting = 0
        for number, changed in grown.items():
            async with world.around.store.begin() as work:
                for _ in range(number - waiting):
                    await work.jobs.enqueue("hand_over_events")
                await work.commit()
            waiting = number
            assert await platform.look_at_queues() == changed
        assert [(it["id"], it["waiting"]) for it in (await told(world))[-2:]] == [
            ("webhooks", 10),
            ("webhooks", 100),
        ]

    async def test_what_waits_for_long_is_told_and_so_is_a_pause(
        self, world: World, platform: PlatformService
    ) -> None:
        async with world.around.store.begin() as work:
            await work.jobs.enqueue("hand_over_events")
            await work.commit()
        await platform.look_at_queues()
        world.clock.advance(seconds=60)
        assert await platform.look_at_queues() == 0
        world.clock.advance(seconds=1)
        assert await platform.look_at_queues() == 1
        assert (await told(world))[-1]["overdue"] is True
        await JobService(world.around.store.begin, world.clock).pause(queue=Queue.WEBHOOKS)
        assert await platform.look_at_queues() == 1
        assert (await told(world))[-1]["paused"] is True


async def test_what_is_old_is_dropped_and_the_rest_goes_on(
    world: World, platform: PlatformService
) -> None:
    async with world.around.store.begin() as work:
        for n in range(PRUNED_MAX + 3):
            at = world.clock.now() - timedelta(days=n <= PRUNED_MAX)
            await work.events.record(happened(PlatformEvent.CHAIN_RESUMED, f"c:{n}", at=at))
        await work.commit()
    world.clock.advance(days=platform.kept.days)

    assert [await platform.prune() for _ in range(3)] == [PRUNED_MAX, 1, 0]

    async with world.around.store.begin() as work:
        left = await work.events.after(owner=PLATFORM, sequence=0, limit=9)
        assert [it.sequence for it in left] == [PRUNED_MAX + 2, PRUNED_MAX + 3]
        assert await work.events.last(owner=PLATFORM) == PRUNED_MAX + 3
