"""What becomes of payouts and escrows when the chain has spoken about our transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.chain_state import Reverted
from adapters.memory.offers import COST
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus
from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT
from domain.merchants.model import PayoutTerms
from domain.settlements.model import SettlementState, SettlementTransitionRefused
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN, COIN, usdt
from tests.domain.scene import DUE, GAS, HOT, NET, PAYER, PLACES, STRANGER, TILL
from tests.domain.world import address_for, terms_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.settlements.payouts import Payout
    from tests.domain.world import World


async def reverted(world: World, payout: Payout) -> Payout:
    """Have a payout signed while the wallet has the money, and carried out when it has not."""
    await world.send()
    world.chain.state.move(HOT, STRANGER, usdt(NET))
    world.chain.mine()
    world.chain.state.move(STRANGER, HOT, usdt(NET))
    await world.settle_down()
    return await world.payout(payout.id)


def refuse_payouts(world: World) -> Callable[[], None]:
    """Have the chain refuse what pays; call what is returned to have it pay again."""
    move = world.chain.state.move
    world.chain.state.move = lambda *_: _revert()  # type: ignore[method-assign] # A frozen token.

    def relent() -> None:
        world.chain.state.move = move  # type: ignore[method-assign] # As it was.

    return relent


def _revert() -> None:
    raise Reverted("token is paused")


class TestPayouts:
    async def test_money_is_reserved_then_in_flight_then_gone(self, world: World) -> None:
        payout = await world.payout_under_way()
        assert (await world.earned(), await world.set_aside()) == (0, NET)
        assert await world.booked(PAYOUTS_IN_FLIGHT) == 0
        await world.must_be_right()

        await world.send()
        assert await world.set_aside() == 0
        assert await world.booked(PAYOUTS_IN_FLIGHT) == NET
        assert await world.booked(PLACES.hot) == NET
        await world.must_be_right()

        await world.read()
        assert await world.booked(PAYOUTS_IN_FLIGHT) == NET

        await world.settle_down()
        assert await world.booked(PAYOUTS_IN_FLIGHT) == await world.booked(PLACES.hot) == 0
        assert world.held(TILL) == NET
        assert await world.told(payout.id) == [
            "payout.approved",
            "payout.signed",
            "payout.broadcast",
            "payout.confirmed",
        ]
        assert await world.told(payout.settlement_id) == [
            "settlement.ready",
            "settlement.approved",
            "settlement.paid_out",
        ]
        await world.must_be_right()

    async def test_the_network_is_paid_from_the_gas_tank_to_the_last_unit(
        self, world: World
    ) -> None:
        await world.payout_under_way()
        await world.send_and_settle_down()

        assert await world.booked(NETWORK_FEES, COIN.id) == 2 * COST
        assert await world.booked(PLACES.gas, COIN.id) == GAS - 2 * COST
        await world.must_be_right()

    async def test_a_refused_payout_keeps_the_money_reserved(self, world: World) -> None:
        payout = await world.payout_under_way()
        relent = refuse_payouts(world)
        await world.send()
        relent()

        refused = await world.payout(payout.id)
        assert (refused.state, refused.reason) == (PayoutState.REFUSED, "token is paused")
        assert (await world.earned(), await world.set_aside()) == (0, NET)
        await world.must_be_right()

    async def test_a_refused_payout_is_tried_again_exactly_once(self, world: World) -> None:
        payout = await world.payout_under_way()
        relent = refuse_payouts(world)
        await world.send()
        relent()

        again = await world.services.settlements.retry_payout(payout_id=payout.id)
        with pytest.raises(SettlementTransitionRefused):
            await world.services.settlements.retry_payout(payout_id=payout.id)
        with pytest.raises(SettlementTransitionRefused):
            await world.services.settlements.retry_payout(payout_id=again.id)
        await world.send_and_settle_down()

        assert (await world.payout(again.id)).state is PayoutState.CONFIRMED
        assert (await world.payout(payout.id)).state is PayoutState.REFUSED
        assert world.held(TILL) == NET
        assert (await world.earned(), await world.set_aside()) == (0, 0)
        [settlement] = world.around.store.tables.settlements
        assert (settlement.state, settlement.payout_id) == (SettlementState.PAID_OUT, again.id)
        await world.must_be_right()

    async def test_a_payout_that_arrived_is_not_tried_again(self, world: World) -> None:
        payout = await world.payout_under_way()
        await world.send_and_settle_down()

        with pytest.raises(SettlementTransitionRefused):
            await world.services.settlements.retry_payout(payout_id=payout.id)

        await world.send_and_settle_down()
        assert world.held(TILL) == NET

    async def test_a_reverted_payout_gives_the_money_back_to_the_reserve(
        self, world: World
    ) -> None:
        payout = await reverted(world, await world.payout_under_way())

        assert (payout.state, payout.reason) == (PayoutState.REFUSED, "reverted by the chain")
        assert (await world.earned(), await world.set_aside()) == (0, NET)
        assert await world.booked(PAYOUTS_IN_FLIGHT) == 0
        assert await world.booked(NETWORK_FEES, COIN.id) == 2 * COST
        assert (await world.told(payout.id))[-1] == "payout.refused"

    async def test_a_reverted_payout_is_tried_again_and_again(self, world: World) -> None:
        payout = await world.payout_under_way()
        for _ in range(3):
            payout = await reverted(world, payout)
            payout = await world.services.settlements.retry_payout(payout_id=payout.id)
        await world.send_and_settle_down()

        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
        assert world.held(TILL) == NET
        assert (await world.earned(), await world.set_aside()) == (0, 0)
        assert await world.booked(PAYOUTS_IN_FLIGHT) == 0
        assert await world.services.books.check() == []


class TestRequests:
    async def test_a_release_by_us_is_booked_when_it_is_final(self, world: World) -> None:
        intent = await world.paid_escrow()
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        await world.send()
        await world.read(4)
        assert await world.earned() == 0
        assert (await world.escrow(intent)).state is EscrowState.HELD

        await world.read()

        assert await world.earned() == NET
        assert (await world.escrow(intent)).state is EscrowState.RELEASED
        await world.must_be_right()

    async def test_a_refund_by_us_gives_the_payer_everything(self, world: World) -> None:
        before = world.held(PAYER)
        intent = await world.paid_escrow()
        await world.services.escrows.refund(owner=world.merchant.id, intent_id=intent.id)
        await world.send_and_settle_down()

        assert world.held(PAYER) == before
        assert (await world.now(intent)).status is IntentStatus.CANCELED
        assert (await world.escrow(intent)).state is EscrowState.REFUNDED
        assert await world.earned() == 0
        await world.must_be_right()

    async def test_a_refused_request_is_cleared_and_can_be_made_again(self, world: World) -> None:
        intent = await world.paid_escrow()
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        relent = refuse_payouts(world)
        await world.send()
        relent()

        escrow = await world.escrow(intent)
        assert (escrow.state, escrow.requested) == (EscrowState.HELD, None)
        assert (await world.told(escrow.id))[-1] == "escrow.request_failed"

        await world.services.escrows.refund(owner=world.merchant.id, intent_id=intent.id)
        await world.send_and_settle_down()
        assert (await world.escrow(intent)).state is EscrowState.REFUNDED
        await world.must_be_right()

    async def test_a_reverted_request_is_cleared_and_can_be_made_again(self, world: World) -> None:
        intent = await world.paid_escrow()
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        await world.send()
        relent = refuse_payouts(world)
        world.chain.mine()
        relent()
        await world.settle_down()

        escrow = await world.escrow(intent)
        assert (escrow.state, escrow.requested) == (EscrowState.HELD, None)
        assert (await world.told(escrow.id))[-1] == "escrow.request_failed"
        await world.must_be_right()

        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        await world.send_and_settle_down()
        assert (await world.escrow(intent)).state is EscrowState.RELEASED
        assert (await world.now(intent)).captured == DUE
        await world.must_be_right()

    async def test_a_dispute_that_overtakes_a_release_stops_it(self, world: World) -> None:
        intent = await world.paid_escrow()
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        world.chain.dispute(terms_for(intent), by=PAYER)
        world.chain.mine()
        await world.send_and_settle_down()

        escrow = await world.escrow(intent)
        assert (escrow.state, escrow.requested) == (EscrowState.DISPUTED, None)
        assert await world.earned() == 0
        await world.must_be_right()

    async def test_a_release_that_the_payer_has_made_meanwhile_is_no_failure(
        self, world: World
    ) -> None:
        intent = await world.paid_escrow()
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()
        await world.send_and_settle_down()

        escrow = await world.escrow(intent)
        assert escrow.state is EscrowState.RELEASED
        assert (await world.told(escrow.id))[-1] == "escrow.released"
        assert await world.earned() == NET
        await world.must_be_right()


async def test_a_payout_to_one_of_our_own_deposit_addresses_is_booked_on_both_sides(
    world: World,
) -> None:
    intent = await world.intent()
    merchant = attrs.evolve(
        world.merchant, payouts=PayoutTerms(destinations={CHAIN: address_for(intent)})
    )
    async with world.around.store.begin() as work:
        await work.merchants.save(merchant)
        await work.commit()
    payout = await world.payout_under_way()
    await world.send_and_settle_down()

    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert (await world.now(intent)).final == await world.suspense() == NET
    await world.must_be_right()
