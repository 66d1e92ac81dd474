"""Endpoints whose secret does not open: they alone hear nothing, until it does."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from domain.shared.platform import PLATFORM
from domain.webhooks.endpoint import FAILING_MAX, Disabled
from domain.webhooks.model import DeliveryState
from domain.webhooks.trying import UNSIGNED
from tests.builders import NOON, an_endpoint
from tests.domain.webhooks.listening import URL, deliver_due, deliveries, endpoint, listening

if TYPE_CHECKING:
    from domain.shared.events import Event
    from domain.webhooks.endpoint import Endpoint
    from tests.domain.world import World

SEALED = "sealed:1:1568d235:bWFkZSB1cA=="
HOUR = timedelta(hours=1)


async def keep(world: World, changed: Endpoint) -> None:
    """Have an endpoint stored as the storage shows it."""
    async with world.services.webhooks.begin() as work:
        await work.webhooks.lock_endpoint(changed.id)
        await work.webhooks.save_endpoint(changed)
        await work.commit()


async def told_operators(world: World) -> list[Event]:
    async with world.services.webhooks.begin() as work:
        found = await work.events.after(owner=PLATFORM, sequence=0, limit=100)
    return [it.event for it in found if it.event.type == "webhook_endpoint.unsigned"]


async def test_all_others_hear(world: World) -> None:
    others = f"{URL}/others"
    unsigned = await listening(world)
    await listening(world, url=others)
    await keep(world, attrs.evolve(unsigned, secret=SEALED))
    await world.intent()
    await world.services.webhooks.hand_over()

    await deliver_due(world)

    assert {post.url for post in world.around.publisher.posts} == {others}
    [waiting] = [it for it in deliveries(world) if it.endpoint_id == unsigned.id]
    assert waiting.state is DeliveryState.PENDING
    assert [(it.status, it.detail) for it in waiting.tries] == [(None, UNSIGNED)]
    [event] = await told_operators(world)
    assert event.data == {
        "id": unsigned.id,
        "object": "webhook_endpoint",
        "merchant": world.merchant.id,
        "reason": "secret_unreadable",
    }


async def test_it_hears_everything_once_the_secret_opens(world: World) -> None:
    known = await listening(world)
    await keep(world, attrs.evolve(known, secret=SEALED))
    await world.intent()
    await world.services.webhooks.hand_over()
    for _ in range(3):
        await deliver_due(world)
        world.around.clock.advance(hours=1)
    assert world.around.publisher.posts == []
    assert len(await told_operators(world)) == 1, "and not once for each try"

    await keep(world, attrs.evolve(endpoint(world, known.id), secret=known.secret))
    world.around.clock.advance(hours=12)
    await deliver_due(world)

    assert [post.secret for post in world.around.publisher.posts] == [known.secret]
    assert endpoint(world, known.id).silences == 0


async def test_after_days_it_is_switched_off_as_any(world: World) -> None:
    known = await listening(world)
    long_ago = world.around.clock.now() - FAILING_MAX
    await keep(world, attrs.evolve(known, secret=SEALED, failing_since=long_ago))
    await world.intent()
    await world.services.webhooks.hand_over()

    await deliver_due(world)

    assert endpoint(world, known.id).disabled_reason is Disabled.FAILING


def test_what_does_not_open_never_signs() -> None:
    later = NOON + HOUR
    changing = an_endpoint(former_secret=SEALED, former_secret_until=later)

    assert changing.can_sign
    assert changing.former(at=NOON) is None
    assert not attrs.evolve(changing, secret=SEALED).can_sign


def test_a_new_secret_ends_one_that_does_not_open() -> None:
    rotated = an_endpoint(secret=SEALED).rotate("whsec_new", at=NOON, overlap=HOUR)

    assert (rotated.secret, rotated.former_secret, rotated.former_secret_until) == (
        "whsec_new",
        None,
        None,
    )
    again = attrs.evolve(rotated, former_secret=SEALED, former_secret_until=NOON + HOUR)
    assert again.rotate("whsec_newer", at=NOON, overlap=HOUR).former_secret == "whsec_new"
