"""What is paid to a customer's address: seen, final, gone again, too little, and swept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.customers.model import DepositStatus
from domain.fees.model import FeeSchedule
from domain.intents.model import IntentStatus
from domain.ledger.accounts import PLATFORM_FEES, available
from domain.merchants.model import PaymentPolicy
from domain.shared.money import Assets
from domain.suspense.model import NotATopUp, Why
from domain.suspense.service import OwnAddress
from tests.builders import CHAIN, COIN, USD, USDT
from tests.domain.depositing import (
    CUSTOMER,
    address_of_customer,
    deposits_of,
    in_suspense,
    pay_customer,
    standing,
    the_deposit,
    with_minimum,
)
from tests.domain.mishaps import Died, Mortal
from tests.domain.scene import DUE, FEE, HOT, NET, OTHER_TOKEN, PLACES
from tests.domain.services import compose
from tests.domain.sweeping import swept
from tests.domain.world import another_merchant, new_world

if TYPE_CHECKING:
    from tests.domain.world import World

PENDING, SUCCEEDED = DepositStatus.PENDING, DepositStatus.SUCCEEDED
BELOW, RETRACTED = DepositStatus.BELOW_MINIMUM, DepositStatus.RETRACTED
STEPS_MAX = 2_000


async def test_a_deposit_is_pending_until_it_is_final(world: World) -> None:
    address = await address_of_customer(world)
    transaction = pay_customer(world, address, DUE)
    await world.read()

    seen = await the_deposit(world)
    assert (seen.status, seen.customer, seen.address_id) == (PENDING, CUSTOMER, address.id)
    assert (seen.key.transaction, seen.fee, seen.net) == (transaction, None, None)
    assert await world.earned() == 0
    await world.must_be_right()

    await world.settle_down()

    credited = await the_deposit(world)
    assert (credited.id, credited.status) == (seen.id, SUCCEEDED)
    assert (credited.fee, credited.net) == (FEE, NET)
    assert await world.earned() == NET
    assert await world.booked(PLATFORM_FEES) == FEE
    assert await world.booked(PLACES.deposits) == DUE
    assert await world.suspense() == 0
    assert await world.told(seen.id) == ["deposit.received", "deposit.succeeded"]
    await world.must_be_right()


async def test_merchants_are_told_who_how_much_and_by_which_transaction(world: World) -> None:
    address = await address_of_customer(world)
    transaction = pay_customer(world, address, DUE)
    await world.settle_down()

    data = (await world.feed())[-1].event.data
    assert (data["customer"], data["address"]) == (CUSTOMER, address.address)
    assert data["transaction"] == transaction
    amounts = [data["amount"], data["fee"], data["net"]]
    assert [it["amount"] for it in amounts if isinstance(it, dict)] == [
        str(DUE), str(FEE), str(NET),
    ]  # fmt: skip


async def test_two_payments_in_a_block_are_two_deposits(world: World) -> None:
    address = await address_of_customer(world)
    for _ in range(2):
        pay_customer(world, address, DUE)
    await world.settle_down()

    assert await standing(world) == [(SUCCEEDED, DUE)] * 2
    assert await world.earned() == 2 * NET
    await world.must_be_right()


async def test_nothing_is_no_deposit(world: World) -> None:
    address = await address_of_customer(world)
    pay_customer(world, address, 0)
    await world.settle_down()

    assert await deposits_of(world) == []


async def test_every_token_of_the_list_is_taken(world: World) -> None:
    address = await address_of_customer(world)
    pay_customer(world, address, 700, asset=OTHER_TOKEN.id)
    await world.settle_down()

    assert await standing(world) == [(SUCCEEDED, 700)]
    assert await world.booked(available(world.merchant.id), OTHER_TOKEN.id) == 693
    await world.must_be_right()


async def test_a_token_that_has_left_the_list_waits_in_suspense(world: World) -> None:
    listed = Assets.of([USD, USDT, COIN])
    shorter = attrs.evolve(world, services=compose(world.around, assets=listed))
    address = await address_of_customer(world)
    pay_customer(world, address, 700, asset=OTHER_TOKEN.id)
    await shorter.settle_down()

    assert await deposits_of(world) == []
    [item] = await in_suspense(world)
    assert (item.why, item.paid_to, item.left) == (Why.WRONG_ASSET, address.id, 700)
    await world.must_be_right()


class TestReorgs:
    async def test_what_is_gone_is_retracted_and_never_booked(self, world: World) -> None:
        transaction = pay_customer(world, await address_of_customer(world), DUE)
        await world.read(3)

        world.chain.reorg(depth=3, drop=[transaction])
        await world.settle_down()

        assert await standing(world) == [(RETRACTED, DUE)]
        assert await world.told() == ["deposit.received", "deposit.retracted"]
        assert await world.earned() == await world.suspense() == 0
        await world.must_be_right()

    async def test_what_comes_again_is_the_same_deposit_and_credited_once(
        self, world: World
    ) -> None:
        pay_customer(world, await address_of_customer(world), DUE)
        await world.read()
        first = await the_deposit(world)

        for _ in range(2):
            world.chain.reorg(depth=1)
            await world.watch()
            assert (await the_deposit(world)).status is RETRACTED
            await world.read()
            assert (await the_deposit(world)).status is PENDING
        await world.settle_down()

        last = await the_deposit(world)
        assert (last.id, last.status, last.created_at) == (first.id, SUCCEEDED, first.created_at)
        again = ["deposit.retracted", "deposit.received"]
        assert await world.told() == ["deposit.received", *again, *again, "deposit.succeeded"]
        assert await world.earned() == NET
        await world.must_be_right()

    async def test_one_of_two_stays(self, world: World) -> None:
        address = await address_of_customer(world)
        gone = pay_customer(world, address, DUE)
        pay_customer(world, address, 3)
        await world.read()
        world.chain.reorg(depth=1, drop=[gone])
        await world.settle_down()

        # What stays has moved up in its block, and is the same deposit nevertheless.
        assert await standing(world) == [(RETRACTED, DUE), (SUCCEEDED, 3)]
        await world.must_be_right()


class TestFees:
    async def test_the_fee_is_rounded_down(self, world: World) -> None:
        merchant = await another_merchant(world, fees=FeeSchedule(bps=333))
        address = await address_of_customer(world, merchant=merchant)
        odd = DUE - 7
        pay_customer(world, address, odd)
        pay_customer(world, address, 30)
        await world.settle_down()

        fees = odd * 333 // 10_000 + 0
        assert odd * 333 % 10_000, "nothing to round"
        assert await world.booked(PLATFORM_FEES) == fees
        assert await world.booked(available(merchant.id)) == odd + 30 - fees
        await world.must_be_right()

    async def test_the_fee_is_the_one_of_when_it_was_seen(self, world: World) -> None:
        address = await address_of_customer(world)
        pay_customer(world, address, DUE)
        await world.read()
        dearer = attrs.evolve(world.merchant, fees=FeeSchedule(bps=1000))
        async with world.around.store.begin() as work:
            await work.merchants.save(dearer)
            await work.commit()
        await world.settle_down()
        pay_customer(world, address, 100)
        await world.settle_down()

        first, second = await deposits_of(world)
        assert (first.fee, second.fee) == (FEE, 10)
        await world.must_be_right()


class TestMinimum:
    async def test_less_than_the_minimum_waits_in_suspense_and_is_told(self, world: World) -> None:
        world = with_minimum(world, 100)
        address = await address_of_customer(world)
        for amount in (99, 100):
            pay_customer(world, address, amount)
        await world.settle_down()

        assert await standing(world) == [(BELOW, 99), (SUCCEEDED, 100)]
        little, _ = await deposits_of(world)
        assert (await world.told(little.id))[-1] == "deposit.below_minimum"
        assert (await world.suspense(), await world.earned()) == (99, 99)
        [item] = await in_suspense(world)
        assert (item.why, item.paid_to, item.left) == (Why.BELOW_MINIMUM, address.id, 99)
        await world.must_be_right()

    async def test_it_is_no_operators_own(self, world: World) -> None:
        world = with_minimum(world, 100)
        address = await address_of_customer(world)
        pay_customer(world, address, 99)
        await world.settle_down()
        [item] = await in_suspense(world)

        with pytest.raises(NotATopUp) as refusal:
            await world.services.suspense.top_up(item_id=item.id, by="Olive", note="mine?")
        assert refusal.value.paid_to == address.id

    async def test_it_can_be_an_intent_s(self, world: World) -> None:
        tolerant = PaymentPolicy(underpaid_tolerance_bps=500)
        merchant = await another_merchant(world, payments=tolerant)
        world = with_minimum(attrs.evolve(world, merchant=merchant), DUE)
        pay_customer(world, await address_of_customer(world), DUE - 1)
        await world.settle_down()
        [item] = await in_suspense(world)
        intent = await world.intent()

        paid = await world.services.suspense.assign(
            item_id=item.id, intent_id=intent.id, by="Olive", note="agreed by telephone"
        )

        assert (paid.status, paid.captured) == (IntentStatus.SUCCEEDED, DUE - 1)
        await world.must_be_right()


class TestSweeps:
    async def test_an_address_is_swept_as_often_as_it_is_paid(self, world: World) -> None:
        address = await address_of_customer(world)
        for times in (1, 2):
            for _ in range(2):
                pay_customer(world, address, DUE)
            await world.settle_down()
            await swept(world)

            assert world.held(address.address) == 0
            assert world.held(HOT) == 2 * times * DUE
            assert await world.booked(PLACES.hot) == 2 * times * DUE
            assert await world.booked(PLACES.deposits) == 0
            await world.must_be_right()
        assert await standing(world) == [(SUCCEEDED, DUE)] * 4
        assert await world.earned() == 4 * NET
        assert await world.suspense() == 0

    async def test_gas_of_ours_is_no_deposit(self, world: World) -> None:
        pay_customer(world, await address_of_customer(world), DUE)
        await world.settle_down()
        await swept(world)

        assert await standing(world) == [(SUCCEEDED, DUE)]
        assert await world.told() == ["deposit.received", "deposit.succeeded"]

    async def test_what_is_too_little_to_be_credited_is_swept_with_the_rest(
        self, world: World
    ) -> None:
        world = with_minimum(world, DUE)
        address = await address_of_customer(world)
        for amount in (DUE - 1, DUE):
            pay_customer(world, address, amount)
        await world.settle_down()
        await swept(world)

        assert world.held(HOT) == 2 * DUE - 1
        await world.must_be_right()

    async def test_nobody_is_paid_back_to_a_customers_address(self, world: World) -> None:
        world = with_minimum(world, 2 * DUE)
        address = await address_of_customer(world)
        pay_customer(world, address, DUE)
        await world.settle_down()
        await swept(world)
        [item] = await in_suspense(world)

        with pytest.raises(OwnAddress):
            await world.services.suspense.give_back(
                item_id=item.id, to=address.address, by="Olive", note="to where it came from"
            )


async def test_a_watcher_that_dies_credits_once(world: World) -> None:
    async def paid() -> World:
        world = await new_world()
        address = await address_of_customer(world)
        pay_customer(world, address, DUE)
        gone = pay_customer(world, address, 7)
        await world.read()
        world.chain.reorg(depth=1, drop=[gone])
        world.chain.mine()
        world.chain.finalize()
        return world

    async def told(world: World) -> object:
        stable = [(it.status, it.money, it.fee) for it in await deposits_of(world)]
        return stable, world.snapshot()

    quiet = await paid()
    await quiet.watch()
    expected = await told(quiet)
    for step in range(1, STEPS_MAX):
        world = await paid()
        try:
            await Mortal(world.around, dies_at=step).services.watcher.watch(chain=CHAIN)
        except Died:
            pass
        else:
            break
        await world.watch()
        assert await told(world) == expected, f"died at step {step}"
    assert await world.earned() == NET
