"""Use cases of settlements: what is paid out, when, to whom, and never twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.holds import HoldState
from domain.ledger.model import InsufficientFunds
from domain.merchants.model import PayoutTerms
from domain.settlements.model import SettlementState, SettlementTransitionRefused
from domain.settlements.payouts import PayoutState
from domain.settlements.service import NoDestination
from domain.shared.ids import PayoutId, SettlementId
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.builders import CHAIN, NOON, USDT, address_of, usdt
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import DUE, HOT, NET, STRANGER, TILL
from tests.domain.world import another_merchant, new_world

if TYPE_CHECKING:
    from domain.settlements.payouts import Payout
    from tests.domain.world import World

THERE = {CHAIN: TILL}


async def paid_under(world: World, payouts: PayoutTerms) -> World:
    """Return the world of a merchant with such terms who has earned 24.75."""
    merchant = await another_merchant(world, payouts=payouts)
    world = attrs.evolve(world, merchant=merchant)
    await world.released()
    return world


async def test_what_was_earned_is_closed_approved_and_paid_out(world: World) -> None:
    await world.released()

    [settlement] = await world.services.settlements.run()

    assert (settlement.state, settlement.money) == (SettlementState.APPROVED, usdt(NET))
    assert (await world.earned(), await world.set_aside()) == (0, NET)
    await world.send_and_settle_down()
    [paid] = await world.services.settlements.page(owner=world.merchant.id, limit=10)
    assert paid.state is SettlementState.PAID_OUT
    assert world.held(TILL) == NET
    assert await world.services.settlements.run() == []
    await world.must_be_right()


async def test_each_merchant_is_paid_at_its_own_address(world: World) -> None:
    other = await another_merchant(world)
    await world.released()
    await world.released(merchant=other)

    assert len(await world.services.settlements.run()) == 2
    await world.send_and_settle_down()

    assert world.held(TILL) == world.held(address_of("other till")) == NET
    await world.must_be_right()


async def test_two_runs_at_once_settle_once(world: World) -> None:
    await world.released()

    made = await asyncio.gather(*(yielding(world.around).settlements.run() for _ in range(3)))
    await world.send_and_settle_down()

    assert sum(len(one) for one in made) == 1
    assert len(world.around.store.tables.payouts) == 1
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_two_runs_at_once_promise_no_more_than_there_is(world: World) -> None:
    await world.released()
    world.pay(await world.intent(merchant=await another_merchant(world)))
    await world.settle_down()  # Both have earned as much; the hot wallet holds it once.

    made = await asyncio.gather(*(yielding(world.around).settlements.run() for _ in range(2)))

    assert sum(len(one) for one in made) == 1


async def test_a_run_that_dies_anywhere_settles_once_in_the_end() -> None:
    for step in range(1, 300):
        world = await new_world()
        await world.released()
        try:
            await Mortal(world.around, dies_at=step).services.settlements.run()
        except Died:
            await world.must_be_right()
        else:
            assert step > 20, "the run was hardly looked at"
            return
        await world.services.settlements.run()
        await world.send_and_settle_down()

        assert world.held(TILL) == NET, f"died at step {step}"
        assert await world.told() == await _told_in_quiet()
        await world.must_be_right()
    raise AssertionError("the run never came to its end")


async def _told_in_quiet() -> list[str]:
    world = await new_world()
    await world.payout_under_way()
    await world.send_and_settle_down()
    return await world.told()


async def test_nothing_of_a_settlement_stays_when_it_is_rolled_back(world: World) -> None:
    await world.released()
    before, jobs = world.snapshot(), len(world.around.store.tables.jobs)

    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await world.services.settlements.run()

    assert world.snapshot() == before
    assert len(world.around.store.tables.jobs) == jobs
    assert await world.earned() == NET


class TestTerms:
    async def test_less_than_the_minimum_waits(self, world: World) -> None:
        payouts = PayoutTerms(destinations=THERE, minimums={USDT.id: NET + 1})
        world = await paid_under(world, payouts)
        assert await world.services.settlements.run() == []

        await world.released()
        [settlement] = await world.services.settlements.run()
        assert settlement.money == usdt(2 * NET)

    async def test_the_minimum_itself_is_enough(self, world: World) -> None:
        world = await paid_under(world, PayoutTerms(destinations=THERE, minimums={USDT.id: NET}))
        assert len(await world.services.settlements.run()) == 1

    async def test_who_has_no_address_here_is_not_settled(self, world: World) -> None:
        world = await paid_under(world, PayoutTerms())
        assert await world.services.settlements.run() == []
        assert (await world.earned(), await world.set_aside()) == (NET, 0)

    async def test_above_the_threshold_a_person_decides(self, world: World) -> None:
        payouts = PayoutTerms(destinations=THERE, approval_above={USDT.id: NET - 1})
        world = await paid_under(world, payouts)
        [ready] = await world.services.settlements.run()
        assert (ready.state, ready.payout_id) == (SettlementState.READY, None)
        assert len(world.around.store.tables.submissions) == 1  # The release alone.
        assert (await world.earned(), await world.set_aside()) == (0, NET)
        await world.must_be_right()

        approved = await world.services.settlements.approve(settlement_id=ready.id)
        with pytest.raises(SettlementTransitionRefused):
            await world.services.settlements.approve(settlement_id=ready.id)
        await world.send_and_settle_down()

        assert approved.state is SettlementState.APPROVED
        assert world.held(TILL) == NET
        assert await world.told(ready.id) == [
            "settlement.ready",
            "settlement.approved",
            "settlement.paid_out",
        ]
        await world.must_be_right()

    async def test_at_the_threshold_nobody_needs_to(self, world: World) -> None:
        payouts = PayoutTerms(destinations=THERE, approval_above={USDT.id: NET})
        world = await paid_under(world, payouts)
        [settlement] = await world.services.settlements.run()
        assert settlement.state is SettlementState.APPROVED

    async def test_two_approvals_at_once_make_one_payout(self, world: World) -> None:
        payouts = PayoutTerms(destinations=THERE, approval_above={USDT.id: 0})
        world = await paid_under(world, payouts)
        [ready] = await world.services.settlements.run()

        done = await asyncio.gather(
            *(
                yielding(world.around).settlements.approve(settlement_id=ready.id)
                for _ in range(2)
            ),
            return_exceptions=True,
        )

        assert sorted(type(it).__name__ for it in done) == [
            "Settlement",
            "SettlementTransitionRefused",
        ]
        assert len(world.around.store.tables.payouts) == 1

    async def test_an_address_that_was_taken_away_stops_the_approval(self, world: World) -> None:
        payouts = PayoutTerms(destinations=THERE, approval_above={USDT.id: 0})
        world = await paid_under(world, payouts)
        [ready] = await world.services.settlements.run()
        async with world.around.store.begin() as work:
            await work.merchants.save(attrs.evolve(world.merchant, payouts=PayoutTerms()))
            await work.commit()

        with pytest.raises(NoDestination):
            await world.services.settlements.approve(settlement_id=ready.id)

        assert len(world.around.store.tables.payouts) == 0
        assert await world.set_aside() == NET

    async def test_there_is_nothing_to_approve_or_retry_by_another_name(
        self, world: World
    ) -> None:
        payout = await world.payout_under_way()
        with pytest.raises(NotFound):
            await world.services.settlements.approve(settlement_id=SettlementId("set_none"))
        with pytest.raises(NotFound):
            await world.services.settlements.retry_payout(payout_id=PayoutId("po_none"))
        with pytest.raises(NotFound):
            await world.services.settlements.payout(
                owner=(await another_merchant(world)).id, payout_id=payout.id
            )
        with pytest.raises(SettlementTransitionRefused):
            await world.services.settlements.retry_payout(payout_id=payout.id)


class TestLiquidity:
    async def test_money_at_deposit_addresses_waits_for_the_sweep(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent)
        await world.settle_down()

        assert await world.earned() == NET
        assert await world.services.settlements.run() == []
        await world.must_be_right()

    async def test_what_is_promised_already_is_not_promised_again(self, world: World) -> None:
        payout = await world.payout_under_way()
        other = await another_merchant(world)
        intent = await world.intent(merchant=other)
        world.pay(intent)
        await world.settle_down()
        assert await world.services.settlements.run() == []  # Reserved for the first.

        await world.send()
        assert await world.services.settlements.run() == []  # In flight.

        await world.settle_down()
        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
        assert await world.services.settlements.run() == []  # Gone.
        await world.must_be_right()

    async def test_what_lies_in_the_hot_wallet_is_paid_and_the_rest_waits(
        self, world: World
    ) -> None:
        world.pay(await world.intent())
        await world.released()
        assert await world.earned() == 2 * NET

        [settlement] = await world.services.settlements.run()
        assert settlement.money == usdt(NET)
        assert (await world.earned(), await world.set_aside()) == (NET, NET)
        assert await world.services.settlements.run() == []
        await world.send_and_settle_down()

        assert world.held(TILL) == await world.earned() == NET
        await world.must_be_right()

    async def test_a_chain_that_is_no_longer_configured_is_passed_over(self, world: World) -> None:
        await world.released()

        settlements = attrs.evolve(world.services.settlements, places={})

        assert await settlements.run() == []
        assert await world.earned() == NET

    async def test_who_can_be_paid_is_paid_though_another_must_wait(self, world: World) -> None:
        terms = PayoutTerms(destinations=THERE, minimums={USDT.id: 2 * NET})
        patient = await another_merchant(world, payouts=terms)
        other = await another_merchant(world)
        world.pay(await world.intent(merchant=patient), 2 * DUE)
        await world.released(merchant=other)

        [settlement] = await world.services.settlements.run()

        assert settlement.merchant_id == other.id


class TestReserves:
    async def test_no_merchant_is_paid_what_it_does_not_have(self, world: World) -> None:
        await world.payout_under_way()
        hold = next(iter(world.around.store.tables.holds))

        async with world.around.store.begin() as work:
            with pytest.raises(InsufficientFunds):
                await work.ledger.book(hold.reservation(at=NOON))

        await world.must_be_right()

    async def test_a_hold_is_posted_by_the_signature_and_only_once(self, world: World) -> None:
        await world.payout_under_way()
        [hold] = world.around.store.tables.holds
        assert hold.state is HoldState.PENDING
        await world.send()
        await world.settle_down()

        [hold] = world.around.store.tables.holds
        assert hold.state is HoldState.POSTED

    async def test_the_hold_follows_the_payout_through_a_retry(self, world: World) -> None:
        payout = await self._reverted(world, await world.payout_under_way())
        again = await world.services.settlements.retry_payout(payout_id=payout.id)
        assert again.hold_id == payout.hold_id
        await world.send_and_settle_down()

        assert [it.state for it in world.around.store.tables.holds] == [HoldState.POSTED] * 2
        assert world.held(TILL) == NET

    async def _reverted(self, world: World, payout: Payout) -> Payout:
        await world.send()
        world.chain.state.move(HOT, STRANGER, usdt(NET))
        world.chain.mine()
        world.chain.state.move(STRANGER, HOT, usdt(NET))
        await world.settle_down()
        return await world.payout(payout.id)
