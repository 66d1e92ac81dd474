"""The whole story: from the wish to be paid to the money in the merchant's wallet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from adapters.memory.offers import COST
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus
from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT, PLATFORM_FEES
from domain.ledger.accounts import escrow as held_by
from domain.settlements.model import SettlementState
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN, COIN
from tests.domain.mishaps import Died, Mortal
from tests.domain.scene import DUE, FEE, GAS, NET, PLACES, TILL
from tests.domain.world import another_merchant, new_world

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.services import Services
    from tests.domain.world import World


async def test_from_the_wish_to_be_paid_to_the_merchants_wallet(world: World) -> None:
    intent = await world.escrow_intent()
    assert (intent.status, intent.due.amount) == (IntentStatus.REQUIRES_PAYMENT, DUE)

    world.pay_escrow(intent)
    await world.read()
    seen = await world.now(intent)
    assert (seen.status, seen.received, seen.final) == (IntentStatus.PROCESSING, DUE, 0)
    await world.must_be_right()

    await world.settle_down()
    escrow = await world.escrow(intent)
    assert escrow.state is EscrowState.HELD
    assert await world.booked(held_by(escrow.id)) == DUE
    assert (await world.earned(), await world.booked(PLATFORM_FEES)) == (0, 0)
    await world.must_be_right()

    await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
    await world.send()
    await world.settle_down()
    done = await world.now(intent)
    assert (done.status, done.captured) == (IntentStatus.SUCCEEDED, DUE)
    assert (await world.earned(), await world.booked(PLATFORM_FEES)) == (NET, FEE)
    await world.must_be_right()

    [settlement] = await world.services.settlements.run()
    assert (settlement.state, settlement.money.amount) == (SettlementState.APPROVED, NET)
    await world.must_be_right()
    await world.send()
    await world.must_be_right()
    await world.settle_down()

    assert world.held(TILL) == NET
    assert await world.earned() == await world.set_aside() == await world.suspense() == 0
    assert await world.booked(PAYOUTS_IN_FLIGHT) == await world.booked(PLACES.hot) == 0
    assert await world.booked(PLACES.escrow) == await world.booked(PLATFORM_FEES) == FEE
    assert await world.booked(PLACES.gas, COIN.id) == GAS - 2 * COST
    assert await world.booked(NETWORK_FEES, COIN.id) == 2 * COST
    assert await world.told() == [
        "payment_intent.created",
        "payment.received",
        "payment_intent.processing",
        "payment.confirmed",
        "escrow.held",
        "escrow.release_requested",
        "payment_intent.succeeded",
        "escrow.released",
        "settlement.ready",
        "payout.approved",
        "settlement.approved",
        "payout.signed",
        "payout.broadcast",
        "payout.confirmed",
        "settlement.paid_out",
    ]
    await world.must_be_right()


async def begun() -> tuple[World, list[PaymentIntent]]:
    """Return a world in which payers have paid, one of them too little, and nobody has looked."""
    world = await new_world()
    held, whole, short = (
        await world.escrow_intent(),
        await world.intent(merchant=await another_merchant(world)),
        await world.intent(),
    )
    world.pay_escrow(held)
    world.pay(whole)
    world.pay(short, DUE // 4)
    world.chain.mine()
    world.clock.advance(hours=2)
    return world, [held, whole, short]


async def one_round(services: Services, world: World, held: PaymentIntent) -> None:
    """Do once what a worker does all day."""
    await services.watcher.watch(chain=CHAIN)
    await services.intents.expire_due(chain=CHAIN)
    if (await world.now(held)).final:
        escrow = await services.escrows.get(owner=world.merchant.id, intent_id=held.id)
        if escrow.state is EscrowState.HELD and escrow.requested is None:
            await services.escrows.release(owner=world.merchant.id, intent_id=held.id)
    await services.settlements.run()
    await services.sender.send(chain=CHAIN)
    await services.webhooks.hand_over()


async def end_of(world: World) -> tuple[object, ...]:
    tables = world.around.store.tables
    snapshot = world.snapshot()
    return (
        snapshot["intents"],
        snapshot["escrows"],
        snapshot["books"],
        snapshot["booked"],
        snapshot["payouts"],
        snapshot["settlements"],
        Counter(it.event.type for it in tables.events),
        [it.sequence for it in await world.feed()],
        world.held(TILL),
        world.chain.blocks.sequence(PLACES.hot_wallet),
    )


async def test_a_gateway_that_dies_all_the_time_comes_to_the_same_end() -> None:
    """Each life is a step longer than the last, so it dies at every step there is."""
    quiet, [held, *_] = await begun()
    for _ in range(30):
        quiet.chain.mine()
        await one_round(quiet.services, quiet, held)
    assert quiet.held(TILL) == NET

    world, [held, *_] = await begun()
    deaths = 0
    for life in range(1, 400):
        world.chain.mine()
        try:
            await one_round(Mortal(world.around, dies_at=life).services, world, held)
        except Died:
            deaths += 1
        await world.must_be_right()
    for _ in range(10):
        world.chain.mine()
        await one_round(world.services, world, held)

    assert deaths > 50, "it hardly ever died"
    assert await end_of(world) == await end_of(quiet)
    assert {it.state for it in world.around.store.tables.payouts} == {PayoutState.CONFIRMED}
