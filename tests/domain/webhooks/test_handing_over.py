"""Use cases of webhooks: every event is handed over once, in order, to who wants it."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from domain.webhooks.endpoint import SECRET_BYTES
from domain.webhooks.model import DeliveryState
from ports.unit_of_work import StorageUnavailable
from tests.domain.mishaps import yielding
from tests.domain.webhooks.listening import URL, deliver_due, deliveries, listening, one_delivery
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_an_event_goes_to_every_endpoint_that_wants_it(world: World) -> None:
    everything = await listening(world)
    canceled = await listening(world, "payment_intent.canceled", url=f"{URL}/canceled")
    other = await another_merchant(world)
    await world.services.webhooks.register(owner=other.id, url="https://other.example")
    intent = await world.intent()
    await world.services.intents.cancel(owner=world.merchant.id, intent_id=intent.id)

    assert await world.services.webhooks.hand_over() == 2
    await deliver_due(world)

    told = {(it.endpoint_id, it.state) for it in deliveries(world)}
    assert told == {
        (everything.id, DeliveryState.DELIVERED),
        (canceled.id, DeliveryState.DELIVERED),
    }
    posts = world.around.publisher.posts
    assert sorted(post.url for post in posts) == [URL, URL, f"{URL}/canceled"]
    secrets = {URL: everything.secret, f"{URL}/canceled": canceled.secret}
    assert all(post.secret == secrets[post.url] for post in posts)


async def test_an_event_is_handed_over_once(world: World) -> None:
    await listening(world)
    for _ in range(3):
        await world.intent()

    assert await world.services.webhooks.hand_over(limit=2) == 2
    assert await world.services.webhooks.hand_over(limit=2) == 1
    assert await world.services.webhooks.hand_over() == 0
    assert len(deliveries(world)) == 3


async def test_two_at_once_hand_an_event_over_once(world: World) -> None:
    await listening(world)
    await world.intent()

    handed = await asyncio.gather(*(yielding(world.around).webhooks.hand_over() for _ in range(3)))

    assert sum(handed) == len(deliveries(world)) == 1


async def test_a_delivery_says_what_its_endpoint_was_told_before(world: World) -> None:
    await listening(world)
    ends = await listening(world, "payment_intent.canceled", url=f"{URL}/canceled")
    for _ in range(2):
        intent = await world.intent()
        await world.services.intents.cancel(owner=world.merchant.id, intent_id=intent.id)
        await world.services.webhooks.hand_over(limit=1)
        await world.services.webhooks.hand_over()
    await deliver_due(world)

    told = {URL: list[tuple[int, int]](), ends.url: list[tuple[int, int]]()}
    for post in world.around.publisher.posts:
        body = json.loads(post.body)
        told[post.url].append((body["previous_sequence"], body["sequence"]))
    assert sorted(told[URL]) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert sorted(told[ends.url]) == [(0, 2), (2, 4)], "a gap would be seen among what it wants"


async def test_hand_overs_at_once_keep_the_order(world: World) -> None:
    await listening(world)
    for _ in range(6):
        await world.intent()

    hands = [yielding(world.around).webhooks for _ in range(3)]
    await asyncio.gather(*(webhooks.hand_over(limit=2) for webhooks in hands))

    chain = sorted((it.previous_sequence, it.sequence) for it in deliveries(world))
    assert chain == [*pairwise(range(7))]


async def test_deliveries_vanish_with_what_was_rolled_back(world: World) -> None:
    await listening(world)
    await world.intent()

    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await world.services.webhooks.hand_over()
    assert deliveries(world) == []
    assert len(world.around.store.tables.jobs) == 0

    assert await world.services.webhooks.hand_over() == 1


async def test_the_sequence_of_a_merchants_events_has_no_gap(world: World) -> None:
    other = await another_merchant(world)
    for turn in range(4):
        world.around.store.fail_next_commit()
        with pytest.raises(StorageUnavailable):
            await world.intent()
        await world.intent()
        await world.intent(merchant=other)
        world.pay(await world.intent(), 5 + turn)
        await world.read()

    for merchant in (world.merchant, other):
        sequence = [recorded.sequence for recorded in await world.feed(merchant)]
        assert sequence == list(range(1, len(sequence) + 1))
    assert len(await world.feed(other)) == 4
    page = await world.services.webhooks.feed(owner=world.merchant.id, after=2, limit=3)
    assert [recorded.sequence for recorded in page] == [3, 4, 5]


async def test_a_message_carries_the_event_as_the_feed_has_it(world: World) -> None:
    await one_delivery(world)
    await deliver_due(world)

    [post] = world.around.publisher.posts
    [recorded] = await world.feed()
    body = json.loads(post.body)
    assert (body["id"], body["sequence"], body["type"]) == (
        recorded.id,
        1,
        "payment_intent.created",
    )
    assert post.message_id == recorded.id
    assert body["data"] == json.loads(json.dumps(recorded.event.data, default=dict))


async def test_every_endpoint_has_a_key_of_its_own(world: World) -> None:
    one, two = await listening(world), await listening(world)

    assert one.secret.startswith("whsec_")
    assert one.secret != two.secret
    assert SECRET_BYTES >= 24
    assert one.secret not in repr(one)
