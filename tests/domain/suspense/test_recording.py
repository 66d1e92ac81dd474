"""What comes into suspense, and why: one item for each payment, for as long as it lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.intents.model import IntentStatus, IntentTransitionRefused
from domain.merchants.model import PaymentPolicy, Verdict
from domain.suspense.model import AlreadyDecided, ItemState, OutOfReach, Why
from domain.suspense.service import NotInHotWallet, OwnAddress
from tests.builders import CHAIN, CONTRACT, usdt
from tests.domain.inbox import ADA, BACK, items, must_add_up, only
from tests.domain.scene import DUE, HOT, OTHER_TOKEN, PAYER, PLACES, STRANGER, TILL
from tests.domain.sweeping import swept
from tests.domain.world import address_for, with_policy

if TYPE_CHECKING:
    from tests.domain.world import World

TO_REVIEW = PaymentPolicy(overpaid=Verdict.REVIEW, late=Verdict.REVIEW)


async def right(world: World) -> None:
    await world.must_be_right()
    await must_add_up(world.services.begin, PLACES)


async def test_what_is_paid_as_asked_for_leaves_nothing(world: World) -> None:
    intent = await world.intent()
    world.pay(intent)
    await world.settle_down()

    assert await items(world.services, ended=True) == []
    await right(world)


async def test_what_is_seen_is_no_item_before_it_is_final(world: World) -> None:
    world.chain.transfer(usdt(5), source=STRANGER, target=HOT)
    await world.read()
    assert await items(world.services) == []
    await world.settle_down()

    item = await only(world.services)
    assert (item.why, item.source, item.target, item.memo) == (Why.NO_MEMO, STRANGER, HOT, None)
    assert (item.money, item.left, item.paid_to) == (usdt(5), 5, None)
    await right(world)


async def test_a_part_waits_until_the_rest_comes(world: World) -> None:
    intent = await world.intent()
    world.pay(intent, DUE // 5)
    await world.settle_down()
    item = await only(world.services)
    assert (item.why, item.paid_to, item.counted_by) == (Why.UNDERPAID, intent.id, intent.id)
    assert item.target == address_for(intent)
    await right(world)

    world.chain.transfer(usdt(DUE), source=STRANGER, target=HOT)
    await world.settle_down()
    with pytest.raises(IntentTransitionRefused):  # The rest may come at any moment.
        await world.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
    world.pay(intent, DUE - DUE // 5)
    await world.settle_down()

    captured = (await world.services.suspense.show(item_id=item.id)).item
    assert (captured.state, captured.left) == (ItemState.CAPTURED, 0)
    assert (await only(world.services)).source == STRANGER
    await right(world)


async def test_the_oldest_money_is_captured_first(world: World) -> None:
    world = await with_policy(world, TO_REVIEW)
    intent = await world.intent()
    for amount in (DUE // 5, DUE // 5, DUE):
        world.pay(intent, amount)
        await world.settle_down()

    over = await only(world.services)
    assert (over.money, over.left, over.why) == (usdt(DUE), 2 * (DUE // 5), Why.OVERPAID)
    states = sorted(it.state for it in await items(world.services, ended=True))
    assert states == [ItemState.CAPTURED, ItemState.CAPTURED, ItemState.OPEN]
    await right(world)

    await world.services.intents.accept(owner=intent.merchant_id, intent_id=intent.id)
    assert await items(world.services) == []
    await right(world)


async def test_late_money_waits_and_goes_when_the_merchant_accepts_it(world: World) -> None:
    intent = await world.intent()
    world.clock.advance(hours=2)
    await world.settle_down()
    await world.services.intents.expire_due(chain=CHAIN)
    world.pay(intent)
    await world.settle_down()
    item = await only(world.services)
    assert item.why is Why.LATE
    await right(world)

    await world.services.intents.accept(owner=intent.merchant_id, intent_id=intent.id)

    assert await items(world.services) == []
    with pytest.raises(AlreadyDecided) as refusal:
        await world.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
    assert refusal.value.state is ItemState.CAPTURED
    await right(world)


async def test_late_money_goes_back_when_it_has_been_swept(world: World) -> None:
    intent = await world.intent()
    world.clock.advance(hours=2)
    await world.settle_down()
    await world.services.intents.expire_due(chain=CHAIN)
    world.pay(intent)
    await world.settle_down()
    item = await only(world.services)
    give_back = world.services.suspense.give_back

    with pytest.raises(NotInHotWallet):
        await give_back(item_id=item.id, to=BACK, **ADA)
    await swept(world)
    with pytest.raises(OwnAddress):
        await give_back(item_id=item.id, to=address_for(intent), **ADA)
    payout = await give_back(item_id=item.id, to=PAYER, **ADA)
    assert payout.destination == PAYER
    before = world.held(PAYER)
    await world.send_and_settle_down()

    assert world.held(PAYER) == before + DUE
    ended = await world.now(intent)
    assert (ended.status, ended.received) == (IntentStatus.EXPIRED, 0)
    assert (await world.told(intent.id))[-2:] == ["payment.returned", "payment_intent.expired"]
    with pytest.raises(IntentTransitionRefused):
        await world.services.intents.accept(owner=intent.merchant_id, intent_id=intent.id)
    await right(world)


async def test_what_is_promised_back_pays_no_settlement(world: World) -> None:
    """The merchant's own money is at a deposit address; what is in the hot wallet is not his."""
    world.chain.transfer(usdt(DUE), source=STRANGER, target=HOT)
    intent = await world.intent()
    world.pay(intent)
    await world.settle_down()
    item = next(it for it in await items(world.services) if it.target == HOT)
    await world.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)

    assert await world.services.settlements.run() == []
    await world.send_and_settle_down()
    assert (world.held(BACK), world.held(TILL)) == (DUE, 0)
    await right(world)


async def test_another_asset_is_an_item_of_its_own(world: World) -> None:
    intent = await world.intent()
    world.pay(intent, 70, asset=OTHER_TOKEN.id)
    world.pay(intent)
    await world.settle_down()

    item = await only(world.services)
    assert (item.why, item.money.asset, item.left) == (Why.WRONG_ASSET, OTHER_TOKEN.id, 70)
    assert (item.paid_to, item.counted_by) == (intent.id, None)
    await right(world)


async def test_what_lies_in_the_contract_is_shown_and_cannot_be_moved(world: World) -> None:
    intent = await world.intent()
    world.chain.transfer(usdt(DUE), source=STRANGER, target=CONTRACT)
    await world.settle_down()
    item = await only(world.services)
    suspense = world.services.suspense

    assert item.why is Why.IN_CONTRACT
    for refused in (
        suspense.assign(item_id=item.id, intent_id=intent.id, **ADA),
        suspense.give_back(item_id=item.id, to=BACK, **ADA),
        suspense.top_up(item_id=item.id, **ADA),
    ):
        with pytest.raises(OutOfReach):
            await refused
    await right(world)


async def test_an_intent_of_the_contract_takes_nothing_else(world: World) -> None:
    intent = await world.escrow_intent()
    world.chain.transfer(usdt(DUE), source=STRANGER, target=HOT)
    await world.settle_down()

    with pytest.raises(IntentTransitionRefused) as refusal:
        await world.services.suspense.assign(
            item_id=(await only(world.services)).id, intent_id=intent.id, **ADA
        )
    assert refusal.value.wanted == "assign"


async def test_a_sweep_is_nobodys_item(world: World) -> None:
    intent = await world.intent()
    world.pay(intent)
    await world.settle_down()
    await swept(world)

    assert await items(world.services, ended=True) == []
