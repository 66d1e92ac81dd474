"""Who may order what: refusals before anything is stored, and what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.fees.model import FeeSchedule
from domain.intents.model import IntentTransitionRefused
from domain.sandbox.model import (
    AdvanceClock,
    AssetOfOtherChain,
    NotADevnet,
    NotATestAccount,
    NothingDue,
    OnlyWhatIsDue,
    OrderState,
    Pay,
    ReachesFinal,
    Reorganize,
)
from domain.shared.ids import EndpointId, IntentId
from domain.shared.modes import Mode
from domain.shared.money import Money, UnknownAsset
from domain.webhooks.endpoint import SimulatedAnswer
from ports.unit_of_work import NotFound
from tests.builders import CHAIN, OTHER_CHAIN, USD, USDT, usdt
from tests.domain.sandbox.ordering import DEVNET, Ordering
from tests.domain.scene import DUE, OTHER_TOKEN, PLACES
from tests.domain.webhooks.listening import endpoint, listening

if TYPE_CHECKING:
    from domain.merchants.model import Merchant
    from tests.domain.world import World


@pytest.fixture
def ordering(world: World) -> Ordering:
    return Ordering.of(world)


@pytest.fixture
async def stranger(world: World) -> Merchant:
    return await world.services.merchants.register(name="Bob's books", fees=FeeSchedule(0))


async def test_what_is_due_is_paid_to_the_unit(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    order = await ordering.service.pay(merchant=world.merchant, intent_id=intent.id)

    assert order.task == Pay(intent.id, usdt(DUE))
    assert (order.state, order.created_at) == (OrderState.PENDING, world.clock.now())
    assert await ordering.now(order) == order
    [job] = ordering.jobs("carry_out_test_order")
    assert job.arguments == {"order": order.id}


async def test_what_is_still_due_is_paid(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    world.pay(intent, 10)
    await world.read()
    order = await ordering.service.pay(merchant=world.merchant, intent_id=intent.id)

    assert order.task == Pay(intent.id, usdt(DUE - 10))


async def test_of_another_asset_it_is_one_unit(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    order = await ordering.service.pay(
        merchant=world.merchant, intent_id=intent.id, asset=OTHER_TOKEN.id
    )
    assert order.task == Pay(intent.id, Money(10**6, OTHER_TOKEN.id))


async def test_where_nothing_is_due_an_amount_has_to_be_named(
    world: World, ordering: Ordering
) -> None:
    intent = await world.intent()
    world.pay(intent)
    await world.read()
    with pytest.raises(NothingDue):
        await ordering.service.pay(merchant=world.merchant, intent_id=intent.id)

    order = await ordering.service.pay(merchant=world.merchant, intent_id=intent.id, amount=5)
    assert order.task == Pay(intent.id, usdt(5))


async def test_only_assets_of_the_chain_come_to_it(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    for asset, error in ((USD.id, AssetOfOtherChain), ("eip155:1/slip44:60", UnknownAsset)):
        with pytest.raises(error):
            await ordering.service.pay(merchant=world.merchant, intent_id=intent.id, asset=asset)


@pytest.mark.parametrize(
    "changes",
    [{"amount": DUE - 1}, {"amount": DUE + 1}, {"asset": OTHER_TOKEN.id}, {"late": True}],
)
async def test_the_contract_takes_what_is_due_and_in_time(
    world: World, ordering: Ordering, changes: dict[str, object]
) -> None:
    intent = await world.escrow_intent()
    with pytest.raises(OnlyWhatIsDue):
        await ordering.service.pay(merchant=world.merchant, intent_id=intent.id, **changes)  # type: ignore[arg-type] # One of several.

    order = await ordering.service.pay(
        merchant=world.merchant, intent_id=intent.id, amount=DUE, asset=USDT.id
    )
    assert order.task == Pay(intent.id, intent.due)


async def test_what_is_paid_in_time_cannot_become_late(world: World, ordering: Ordering) -> None:
    intent = await world.intent()
    world.pay(intent)
    await world.read()
    with pytest.raises(IntentTransitionRefused):
        await ordering.service.pay(
            merchant=world.merchant, intent_id=intent.id, amount=5, late=True
        )


async def test_a_live_account_orders_nothing(world: World, ordering: Ordering) -> None:
    service, intent, told = ordering.service, await world.intent(), await listening(world)
    live = attrs.evolve(world.merchant, mode=Mode.LIVE)
    off = SimulatedAnswer.GONE
    for ordered in (
        service.pay(merchant=live, intent_id=intent.id),
        service.advance(merchant=live, seconds=1),
        service.reorganize(merchant=live, chain=CHAIN, depth=1),
        service.fail_deliveries(merchant=live, endpoint_id=told.id, answer=off, times=1),
    ):
        with pytest.raises(NotATestAccount):
            await ordered
    assert len(world.around.store.tables.sandbox_orders) == 0


async def test_a_chain_of_others_is_no_devnet(world: World) -> None:
    around = world.around
    service = attrs.evolve(Ordering.of(world).service, places={CHAIN: PLACES})
    intent = await world.intent()
    for ordered in (
        service.pay(merchant=world.merchant, intent_id=intent.id),
        service.reorganize(merchant=world.merchant, chain=CHAIN, depth=1),
        service.reorganize(merchant=world.merchant, chain="eip155:1", depth=1),
    ):
        with pytest.raises(NotADevnet):
            await ordered
    assert len(around.store.tables.sandbox_orders) == 0


async def test_others_objects_are_not_found(
    world: World, ordering: Ordering, stranger: Merchant
) -> None:
    service, intent, told = ordering.service, await world.intent(), await listening(world)
    order = await service.advance(merchant=world.merchant, seconds=1)
    for asked in (
        service.pay(merchant=stranger, intent_id=intent.id),
        service.fail_deliveries(
            merchant=stranger, endpoint_id=told.id, answer=SimulatedAnswer.GONE, times=1
        ),
        service.get(owner=stranger.id, order_id=order.id),
        service.pay(merchant=world.merchant, intent_id=IntentId("pi_none")),
        service.fail_deliveries(
            merchant=world.merchant, endpoint_id=EndpointId("we_none"), answer=None, times=1
        ),
    ):
        with pytest.raises(NotFound):
            await asked
    assert endpoint(world, told.id) == told


async def test_a_final_block_is_not_to_be_replaced(world: World, ordering: Ordering) -> None:
    service = ordering.service
    await world.settle_down()
    await world.read(2)
    with pytest.raises(ReachesFinal) as refusal:
        await service.reorganize(merchant=world.merchant, chain=CHAIN, depth=5)
    assert (refusal.value.depth, refusal.value.maximum) == (5, 4)

    order = await service.reorganize(merchant=world.merchant, chain=CHAIN, depth=4)
    assert order.task == Reorganize(CHAIN, 4)


async def test_of_a_chain_that_was_never_read_nothing_is_replaced(world: World) -> None:
    elsewhere = attrs.evolve(DEVNET, chain=OTHER_CHAIN)
    service = attrs.evolve(Ordering.of(world).service, places={OTHER_CHAIN: elsewhere})
    with pytest.raises(ReachesFinal) as refusal:
        await service.reorganize(merchant=world.merchant, chain=OTHER_CHAIN, depth=1)
    assert refusal.value.maximum == 0


async def test_deliveries_fail_as_from_the_order(world: World, ordering: Ordering) -> None:
    told = await listening(world)
    order = await ordering.service.fail_deliveries(
        merchant=world.merchant, endpoint_id=told.id, answer=SimulatedAnswer.TIMEOUT, times=3
    )
    assert (order.state, order.ended_at) == (OrderState.DONE, world.clock.now())
    assert ordering.jobs("carry_out_test_order") == []
    found = endpoint(world, told.id)
    assert (found.simulated, found.simulated_times) == (SimulatedAnswer.TIMEOUT, 3)

    await ordering.service.fail_deliveries(
        merchant=world.merchant, endpoint_id=told.id, answer=None, times=1
    )
    assert endpoint(world, told.id) == told


async def test_an_advance_waits_for_the_worker(world: World, ordering: Ordering) -> None:
    order = await ordering.service.advance(merchant=world.merchant, seconds=60)

    assert order.task == AdvanceClock(60)
    assert len(ordering.jobs("carry_out_test_order")) == 1
