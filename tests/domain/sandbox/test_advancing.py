"""An account's clock is advanced: what it waits for happens, and nothing of anybody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.escrow.model import EscrowAction
from domain.fees.model import FeeSchedule
from domain.intents.model import IntentStatus, Method
from domain.intents.quotes import QuoteExpired
from domain.sandbox.model import OrderState
from domain.webhooks.model import RETRY_DELAYS, DeliveryState, Try
from tests.builders import CHAIN, USDT, usd
from tests.domain.sandbox.ordering import Ordering
from tests.domain.services import RULES
from tests.domain.webhooks.listening import deliver_due, deliveries, one_delivery

if TYPE_CHECKING:
    from datetime import datetime

    from domain.merchants.model import Merchant
    from domain.sandbox.model import SandboxOrder
    from tests.domain.world import World


@pytest.fixture
def ordering(world: World) -> Ordering:
    return Ordering.of(world)


async def advanced(ordering: Ordering, by: timedelta) -> SandboxOrder:
    seconds = int(by.total_seconds())
    order = await ordering.service.advance(merchant=ordering.world.merchant, seconds=seconds)
    return await ordering.carry_out(order)


async def another(world: World) -> Merchant:
    return await world.services.merchants.register(name="Bob's books", fees=FeeSchedule(0))


async def test_an_intent_expires_and_only_the_accounts_own(
    world: World, ordering: Ordering
) -> None:
    mine, others = await world.intent(), await world.intent(merchant=await another(world))
    order = await advanced(ordering, RULES.pay_within)
    assert (order.state, order.ended_at) == (OrderState.DONE, world.clock.now())
    world.clock.advance(seconds=1)
    await world.settle_down()
    assert await world.services.intents.expire_due(chain=CHAIN) == 1

    assert (await world.now(mine)).status is IntentStatus.EXPIRED
    assert await world.now(others) == others


async def test_a_little_is_not_enough(world: World, ordering: Ordering) -> None:
    await world.intent()
    await advanced(ordering, RULES.pay_within - timedelta(minutes=1))
    await world.settle_down()

    assert await world.services.intents.expire_due(chain=CHAIN) == 0


async def test_advances_add_up(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    for _ in range(3):
        await advanced(ordering, timedelta(minutes=10))

    assert (await world.now(intent)).expires_at == intent.expires_at - timedelta(minutes=30)


async def test_one_order_advances_once(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    order = await advanced(ordering, timedelta(minutes=10))
    assert await ordering.carry_out(order) == order

    assert (await world.now(intent)).expires_at == intent.expires_at - timedelta(minutes=10)


async def test_a_quote_expires(world: World, ordering: Ordering) -> None:
    quote = await world.services.intents.quote(
        merchant=world.merchant, price=usd(2500), asset=USDT.id
    )
    await advanced(ordering, timedelta(days=1))
    with pytest.raises(QuoteExpired):
        await world.services.intents.create(
            merchant=world.merchant, method=Method.ADDRESS, offer=quote.id
        )


async def test_an_escrow_is_released_by_itself(world: World, ordering: Ordering) -> None:
    intent = await world.paid_escrow()
    others = await world.paid_escrow(merchant=await another(world))
    assert await world.services.escrows.release_due() == 0
    await advanced(ordering, RULES.pay_within + RULES.auto_release_after)
    assert await world.services.escrows.release_due() == 1
    assert (await world.escrow(intent)).requested is EscrowAction.RELEASE
    assert (await world.escrow(others)).requested is None

    await world.send_and_settle_down()
    assert (await world.now(intent)).status is IntentStatus.SUCCEEDED


async def test_a_retry_comes_at_once(world: World, ordering: Ordering) -> None:
    first = await one_delivery(world)
    world.around.publisher.refuse_next(503)
    assert await deliver_due(world) == 1
    assert await deliver_due(world) == 0
    await advanced(ordering, max(RETRY_DELAYS) * 2)
    assert await deliver_due(world) == 1

    [delivery] = deliveries(world)
    assert delivery.id == first.id
    assert (delivery.state, len(delivery.tries)) == (DeliveryState.DELIVERED, 2)


async def test_those_who_look_for_what_is_due_are_woken(ordering: Ordering) -> None:
    for _ in range(2):
        await advanced(ordering, timedelta(seconds=1))

    for name in ("release_escrows", "deliver_webhooks", "expire_intents"):
        assert len(ordering.jobs(name)) == 1, name


async def test_a_message_under_way_is_noted_as_it_ends(world: World, ordering: Ordering) -> None:
    delivery = await one_delivery(world)
    at: datetime = world.clock.now()
    async with world.services.begin() as work:
        taken = await work.webhooks.take_due(
            at=at, until=at + timedelta(minutes=1), limit=1, each_max=1, under_way={}
        )
        await work.commit()
    assert [it.id for it in taken] == [delivery.id]
    await advanced(ordering, timedelta(hours=1))

    ended = taken[0].record(Try(at, 200, "ok"))
    async with world.services.begin() as work:
        assert await work.webhooks.note_tries([ended]) == []
        await work.commit()
    [stored] = deliveries(world)
    assert stored == attrs.evolve(ended)
