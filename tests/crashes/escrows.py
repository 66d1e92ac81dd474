"""Stories of money in escrow: paid in, released to the merchant, given back to the payer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus, Method
from tests.crashes.audit import balance, rows
from tests.crashes.outside import DUE
from tests.crashes.story import Act, Story
from tests.crashes.worker import Request, keyed
from tests.crashes.world import NET

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from domain.merchants.model import Merchant
    from tests.crashes.world import World


async def pay_in_by_escrow(world: World) -> Story:
    merchant = await world.merchant()
    intent = await world.intent(merchant, Method.ESCROW)

    async def ends_well() -> None:
        assert (await world.now(intent)).final == DUE
        assert await _escrow(world, intent) is EscrowState.HELD
        assert await balance(world, merchant) == (0, 0)

    return Story(
        merchant=merchant,
        acts=[Act(happens=lambda: world.pay(intent)), Act(happens=world.outside.mine)],
        ends_well=ends_well,
    )


async def release(world: World) -> Story:
    merchant, intent = await held(world)

    async def ends_well() -> None:
        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await _escrow(world, intent) is EscrowState.RELEASED
        assert await balance(world, merchant) == (NET, 0)

    return Story(
        merchant=merchant,
        acts=[Act(requests=(asking("release", intent),)), Act(happens=world.outside.mine)],
        ends_well=ends_well,
    )


async def release_due(world: World) -> Story:
    """Two escrows whose time has come, and for which nobody has asked, share a transaction."""
    merchant, first = await held(world)
    second = await world.intent(merchant, Method.ESCROW)
    await world.pay(second)
    await world.outside.mine()
    await world.go_on()
    ids = [first.id, second.id]

    async def become_due() -> None:
        due = "update escrow set auto_release_at = held_at where intent_id = any(%s)"
        await world.database.execute(due, [ids])
        await world.ask_for("release_escrows")

    async def ends_well() -> None:
        for intent in (first, second):
            assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
            assert await _escrow(world, intent) is EscrowState.RELEASED
        assert await balance(world, merchant) == (2 * NET, 0)
        batch = """
            select batch.state from submission batch join escrow on submission_id = batch.id
            where intent_id = any(%s) group by batch.id
        """
        assert await rows(world, batch, ids) == [("confirmed",)]

    return Story(
        merchant=merchant,
        acts=[Act(happens=become_due), Act(happens=world.outside.mine)],
        ends_well=ends_well,
    )


async def refund(world: World) -> Story:
    merchant, intent = await held(world)
    payer = await world.outside.held(world.outside.payer.address)

    async def ends_well() -> None:
        assert (await world.now(intent)).status is IntentStatus.CANCELED
        assert await _escrow(world, intent) is EscrowState.REFUNDED
        assert await balance(world, merchant) == (0, 0)
        assert await world.outside.held(world.outside.payer.address) == payer + DUE

    return Story(
        merchant=merchant,
        acts=[Act(requests=(asking("refund", intent),)), Act(happens=world.outside.mine)],
        ends_well=ends_well,
    )


def asking(verb: str, intent: PaymentIntent) -> Request:
    """Return a merchant's request to release or refund, under a key."""
    return Request(
        service="escrows",
        verb=verb,
        arguments={
            "owner": intent.merchant_id,
            "intent_id": intent.id,
            "idempotency": keyed(f"{verb}-{intent.id}"),
        },
    )


async def held(world: World, *, paid_at: str | None = None) -> tuple[Merchant, PaymentIntent]:
    """Return an intent whose money the contract holds for good."""
    merchant = await world.merchant(paid_at=paid_at)
    intent = await world.intent(merchant, Method.ESCROW)
    await world.pay(intent)
    await world.outside.mine()
    await world.go_on()
    return merchant, intent


async def _escrow(world: World, intent: PaymentIntent) -> EscrowState:
    escrow = await world.api.escrows.get(owner=intent.merchant_id, intent_id=intent.id)
    return escrow.state
