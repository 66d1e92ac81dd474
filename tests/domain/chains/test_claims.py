"""What the contract could not push: whose it is, what is said of it, and how it is withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from domain.escrow.claims import WITHDRAW, WITHDRAW_TO, Side
from domain.escrow.model import EscrowState
from domain.escrow.view import view_escrow
from tests.builders import USDT, address_of
from tests.domain.due_releases import asked, states
from tests.domain.scene import ASSETS, DUE, FEE, HOT, NET, PAYER, PLACES, TREASURY
from tests.domain.services import compose
from tests.domain.world import terms_for

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.world import World

COLD = address_of("cold")


async def claims(world: World, intent: PaymentIntent) -> list[Any]:
    shown = view_escrow(await world.escrow(intent), ASSETS)["claims"]
    assert isinstance(shown, list)
    return shown


async def test_a_batch_that_cannot_be_pushed_is_earned_and_waits_in_the_contract(
    world: World,
) -> None:
    intents = await asked(world)
    world.chain.reject_pushes_to(HOT)
    await world.send_and_settle_down()

    assert await states(world, intents) == [EscrowState.RELEASED] * 3
    assert await world.earned() == 3 * NET
    assert await world.booked(PLACES.escrow) == 3 * DUE
    assert world.held(HOT) == 0
    await world.must_be_right()
    for intent in intents:
        [claim] = await claims(world, intent)
        assert (claim["side"], claim["account"]) == ("merchant", HOT)
        assert claim["amount"]["amount"] == str(NET)
        assert claim["contract"] == PLACES.escrow_contract
        assert claim["calls"] == [WITHDRAW, WITHDRAW_TO]
        assert claim["withdrawn_at"] is None
        escrow = await world.escrow(intent)
        assert (await world.told(escrow.id))[-2:] == ["escrow.released", "escrow.credited"]

    world.chain.state.rejecting.clear()
    world.chain.withdraw(USDT.id, by=HOT, to=HOT)
    await world.settle_down()

    assert await world.booked(PLACES.escrow) == 3 * FEE
    assert world.held(HOT) == await world.booked(PLACES.hot) == 3 * NET
    await world.must_be_right()
    for intent in intents:
        [claim] = await claims(world, intent)
        assert claim["withdrawn_at"] is not None
        assert claim["withdrawn_to"] == HOT
        escrow = await world.escrow(intent)
        assert (await world.told(escrow.id))[-1] == "escrow.withdrawn"


async def test_of_a_batch_only_what_is_not_pushed_is_a_claim(world: World) -> None:
    [first, *rest] = await asked(world)
    push = world.chain.state.push
    refused = [terms_for(first)]

    def once(source: str, target: str, money: Any) -> bool:  # noqa: ANN401 (as the chain has it)
        return (
            False if target == HOT and refused and refused.pop() else push(source, target, money)
        )

    await world.send()
    world.chain.state.push = once  # type: ignore[method-assign] # The token blocks once.
    world.chain.mine()
    world.chain.state.push = push  # type: ignore[method-assign] # As it was.
    await world.settle_down()

    kept = [len(await claims(world, it)) for it in (first, *rest)]
    assert sorted(kept) == [0, 0, 1]
    assert await world.booked(PLACES.hot) == 2 * NET
    assert await world.earned() == 3 * NET
    await world.must_be_right()


async def test_a_payer_who_cannot_be_paid_back_takes_it_out_himself(world: World) -> None:
    intent, other = await world.paid_escrow(), await world.paid_escrow()
    world.chain.reject_pushes_to(PAYER)
    await world.services.escrows.refund(owner=world.merchant.id, intent_id=intent.id)
    await world.send_and_settle_down()

    escrow = await world.escrow(intent)
    [claim] = escrow.claims
    assert (claim.side, claim.account, claim.amount) == (Side.PAYER, PAYER, DUE)
    assert await world.suspense() == DUE
    assert "escrow.credited" in await world.told(escrow.id)
    await world.must_be_right()

    # What others withdraw, or he in another coin, leaves it as it is.
    await world.services.escrows.release(owner=world.merchant.id, intent_id=other.id)
    await world.send_and_settle_down()
    world.chain.withdraw(USDT.id, by=TREASURY, to=TREASURY)
    await world.settle_down()
    assert (await world.escrow(intent)).claims == (claim,)

    elsewhere = address_of("elsewhere")
    world.chain.withdraw(USDT.id, by=PAYER, to=elsewhere)
    await world.settle_down()

    [taken] = (await world.escrow(intent)).claims
    assert (taken.is_open, taken.withdrawn_to) == (False, elsewhere)
    assert (await world.told(escrow.id))[-1] == "escrow.withdrawn"
    assert await world.suspense() == 0
    await world.must_be_right()


async def test_a_withdrawal_is_undone_with_its_block(world: World) -> None:
    [intent] = await asked(world, 1)
    world.chain.reject_pushes_to(HOT)
    await world.send_and_settle_down()
    world.chain.state.rejecting.clear()
    taken_out = world.chain.withdraw(USDT.id, by=HOT, to=HOT)
    await world.read()
    world.chain.reorg(depth=1, drop=[taken_out])
    await world.settle_down()

    assert (await world.escrow(intent)).claims[0].is_open
    assert await world.booked(PLACES.hot) == 0
    await world.must_be_right()


async def test_what_a_blocked_hot_wallet_sends_to_the_cold_one_is_in_the_books(
    world: World,
) -> None:
    places = attrs.evolve(PLACES, cold_wallet=COLD)
    services = compose(world.around, places=places)
    cold = attrs.evolve(world, services=services)
    await asked(cold, 1)
    world.chain.reject_pushes_to(HOT)
    await cold.send_and_settle_down()
    world.chain.withdraw(USDT.id, by=HOT, to=COLD)
    await cold.settle_down()

    assert await cold.booked(places.cold) == cold.held(COLD) == NET
    assert await cold.suspense() == 0
    await cold.must_be_right()
