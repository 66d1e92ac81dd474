"""Use cases of webhooks: every event reaches every server that wants it, at least once."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.publisher import RecordingPublisher
from domain.shared.ids import DeliveryId
from domain.webhooks.endpoint import Disabled
from domain.webhooks.model import RETRY_DELAYS, DeliveryState
from domain.webhooks.trying import TAKEN_FOR
from ports.unit_of_work import NotFound
from tests.domain.mishaps import Died, Mortal
from tests.domain.webhooks.listening import (
    deliver_due,
    deliveries,
    dispatch,
    endpoint,
    listening,
    one_delivery,
)
from tests.domain.world import new_world

if TYPE_CHECKING:
    from datetime import datetime

    from domain.webhooks.model import Try
    from tests.domain.world import World


class TestRetries:
    async def test_a_failure_is_tried_again_as_the_schedule_says(self, world: World) -> None:
        await one_delivery(world)
        world.around.publisher.refuse_next(503, times=100)

        for delay in (*RETRY_DELAYS, None):
            assert await deliver_due(world) == 1
            assert await deliver_due(world) == 0
            [delivery] = deliveries(world)
            if delay is None:
                break
            assert delivery.state is DeliveryState.PENDING
            now = world.clock.now()
            assert delivery.next_try_at is not None
            assert now + delay <= delivery.next_try_at <= now + delay * 1.1
            world.clock.move_to(delivery.next_try_at)

        assert delivery.state is DeliveryState.PARKED
        assert delivery.next_try_at is None
        assert len(delivery.tries) == len(world.around.publisher.posts) == len(RETRY_DELAYS) + 1
        assert len({post.message_id for post in world.around.publisher.posts}) == 1
        world.clock.advance(days=30)
        assert await deliver_due(world) == 0

    @pytest.mark.parametrize("status", [301, 400, 500, None])
    async def test_all_but_success_is_failure(self, world: World, status: int | None) -> None:
        await one_delivery(world)
        publisher = world.around.publisher
        if status is None:
            publisher.time_out_next()
        else:
            publisher.refuse_next(status)
        await deliver_due(world)

        [delivery] = deliveries(world)
        assert delivery.state is DeliveryState.PENDING
        assert [it.status for it in delivery.tries] == [status]

    async def test_a_later_try_can_succeed(self, world: World) -> None:
        await one_delivery(world)
        world.around.publisher.time_out_next()
        await deliver_due(world)
        world.clock.move_to(world.clock.now() + RETRY_DELAYS[0] * 1.1)
        await deliver_due(world)

        [delivery] = deliveries(world)
        assert delivery.state is DeliveryState.DELIVERED
        first, second = world.around.publisher.posts
        assert (first.message_id, first.body) == (second.message_id, second.body)
        assert first.at < second.at

    async def test_who_is_gone_is_asked_no_more(self, world: World) -> None:
        delivery = await one_delivery(world)
        world.around.publisher.refuse_next(410)
        await deliver_due(world)

        [parked] = deliveries(world)
        assert parked.state is DeliveryState.PARKED
        gone = endpoint(world, delivery.endpoint_id)
        assert (gone.enabled, gone.disabled_reason) == (False, Disabled.GONE)

        await world.intent()
        await world.services.webhooks.hand_over()
        assert len(deliveries(world)) == 1
        assert len(world.around.publisher.posts) == 1
        assert await world.told(delivery.endpoint_id) == ["webhook_endpoint.disabled"]

    async def test_what_still_waits_for_who_is_gone_is_parked(self, world: World) -> None:
        await listening(world)
        for _ in range(3):
            await world.intent()
        await world.services.webhooks.hand_over()
        world.around.publisher.refuse_next(410)
        await deliver_due(world)

        assert {it.state for it in deliveries(world)} == {DeliveryState.PARKED}
        assert len(world.around.publisher.posts) == 1
        assert len(await world.told()) == 4, "being gone is told once"

    async def test_a_delivery_that_has_ended_is_left_as_it_is(self, world: World) -> None:
        delivery = await one_delivery(world)
        deliver = world.services.webhooks.deliver
        done = await deliver(delivery_id=delivery.id)

        assert await deliver(delivery_id=delivery.id) == done
        assert len(world.around.publisher.posts) == 1

    async def test_there_is_nothing_to_deliver_by_another_name(self, world: World) -> None:
        webhooks = world.services.webhooks
        for verb in (webhooks.deliver, webhooks.redeliver):
            with pytest.raises(NotFound):
                await verb(delivery_id=DeliveryId("wd_none"))


class TestClocks:
    async def test_a_job_that_a_clock_ahead_of_ours_has_promised_is_not_lost(
        self, world: World
    ) -> None:
        ahead = FakeClock(world.clock.now() + timedelta(seconds=2))
        await listening(world)
        await world.intent()
        await attrs.evolve(world.services.webhooks, clock=ahead).hand_over()
        [delivery] = deliveries(world)

        assert await world.services.webhooks.deliver(delivery_id=delivery.id) == delivery
        assert await deliver_due(world) == 0
        world.clock.advance(seconds=3)
        await deliver_due(world)

        assert [it.state for it in deliveries(world)] == [DeliveryState.DELIVERED]


class TestRedelivery:
    async def test_what_was_delivered_can_be_sent_again(self, world: World) -> None:
        delivery = await one_delivery(world)
        await deliver_due(world)

        await world.services.webhooks.redeliver(delivery_id=delivery.id)
        await deliver_due(world)

        [again] = deliveries(world)
        assert again.state is DeliveryState.DELIVERED
        assert len(again.tries) == 2
        first, second = world.around.publisher.posts
        assert first.message_id == second.message_id

    async def test_what_is_parked_can_be_sent_again(self, world: World) -> None:
        await one_delivery(world)
        world.around.publisher.refuse_next(500, times=len(RETRY_DELAYS) + 1)
        for _ in range(len(RETRY_DELAYS) + 1):
            await deliver_due(world)
            [parked] = deliveries(world)
            world.clock.move_to(parked.next_try_at or world.clock.now())
        assert parked.state is DeliveryState.PARKED

        await world.services.webhooks.redeliver(delivery_id=parked.id)
        await deliver_due(world)

        [again] = deliveries(world)
        assert again.state is DeliveryState.DELIVERED
        assert len(again.tries) == len(RETRY_DELAYS) + 2

    async def test_what_waits_for_a_later_try_is_sent_at_once(self, world: World) -> None:
        delivery = await one_delivery(world)
        world.around.publisher.refuse_next(500, times=2)
        await deliver_due(world)
        world.clock.move_to(world.clock.now() + RETRY_DELAYS[0] * 1.1)
        await deliver_due(world)
        assert await deliver_due(world) == 0

        await world.services.webhooks.redeliver(delivery_id=delivery.id)
        await deliver_due(world)

        assert deliveries(world)[0].state is DeliveryState.DELIVERED
        world.clock.advance(days=1)
        await deliver_due(world)
        assert len(world.around.publisher.posts) == 3

    async def test_asking_for_what_is_pending_does_not_double_the_tries(
        self, world: World
    ) -> None:
        delivery = await one_delivery(world)
        world.around.publisher.refuse_next(500, times=100)
        await world.services.webhooks.redeliver(delivery_id=delivery.id)

        assert [await deliver_due(world) for _ in range(3)] == [1, 0, 0]


class TestDeath:
    async def test_who_dies_after_the_post_sends_it_again_under_the_same_name(
        self, world: World
    ) -> None:
        await one_delivery(world)

        class Doomed(RecordingPublisher):
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
                del former_secret, hex_signature
                await world.around.publisher.post(
                    url=url, secret=secret, message_id=message_id, at=at, body=body
                )
                raise Died

        services = world.services
        webhooks = attrs.evolve(services.webhooks, publisher=Doomed())
        with pytest.raises(Died):
            await dispatch(world, attrs.evolve(services, webhooks=webhooks)).run()
        assert deliveries(world)[0].tries == ()

        assert await deliver_due(world) == 0
        world.clock.move_to(world.clock.now() + TAKEN_FOR)
        assert await deliver_due(world) == 1

        [delivery] = deliveries(world)
        assert delivery.state is DeliveryState.DELIVERED
        first, second = world.around.publisher.posts
        assert (first.message_id, first.body) == (second.message_id, second.body)

    async def test_who_dies_anywhere_delivers_in_the_end(self) -> None:
        for step in range(1, 300):
            world = await new_world()
            await listening(world)
            await world.intent()
            services = Mortal(world.around, dies_at=step).services
            try:
                await services.webhooks.hand_over()
                await dispatch(world, services).run()
            except Died:
                pass
            else:
                assert step > 25, "the deliverer was hardly looked at"
                return
            world.clock.move_to(world.clock.now() + TAKEN_FOR)
            await world.services.webhooks.hand_over()
            await deliver_due(world)

            [delivery] = deliveries(world)
            assert delivery.state is DeliveryState.DELIVERED, f"died at step {step}"
            posts = world.around.publisher.posts
            assert 1 <= len(posts) <= 2
            assert all(one.message_id == two.message_id for one, two in pairwise(posts))
        raise AssertionError("the deliverer never came to its end")
