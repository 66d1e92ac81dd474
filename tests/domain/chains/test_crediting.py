"""What money on the chain becomes in the books: whose it is, and where it waits otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.fees.model import FeeSchedule
from domain.intents.model import IntentStatus, PaymentException
from domain.ledger.accounts import PLATFORM_FEES
from domain.merchants.model import PaymentPolicy, Verdict
from tests.builders import CHAIN
from tests.domain.scene import DUE, NET, OTHER_TOKEN
from tests.domain.world import another_merchant, with_policy

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.world import World

TO_REVIEW = PaymentPolicy(overpaid=Verdict.REVIEW, late=Verdict.REVIEW)


async def expired(world: World) -> PaymentIntent:
    """Return an intent whose time is over and that nobody has paid."""
    intent = await world.intent()
    world.clock.advance(hours=2)
    await world.settle_down()
    assert await world.services.intents.expire_due(chain=CHAIN) == 1
    return intent


class TestDepositAddresses:
    async def test_too_little_waits_for_the_rest(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent, DUE // 5)
        await world.settle_down()

        short = await world.now(intent)
        assert (short.status, short.exception) == (
            IntentStatus.REQUIRES_PAYMENT,
            PaymentException.UNDERPAID,
        )
        assert short.remaining == DUE - DUE // 5
        assert await world.suspense() == DUE // 5
        assert await world.earned() == 0
        await world.must_be_right()

        world.pay(intent, short.remaining)
        await world.settle_down()

        whole = await world.now(intent)
        assert (whole.status, whole.exception) == (IntentStatus.SUCCEEDED, PaymentException.NONE)
        assert (await world.suspense(), await world.earned()) == (0, NET)
        await world.must_be_right()

    async def test_two_payments_in_one_block_both_count(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent, DUE - 1)
        world.pay(intent, 1)
        await world.settle_down()

        paid = await world.now(intent)
        assert (paid.status, paid.received, paid.captured) == (IntentStatus.SUCCEEDED, DUE, DUE)
        assert (await world.told(intent.id)).count("payment.confirmed") == 2
        assert await world.earned() == NET
        await world.must_be_right()

    async def test_the_same_payment_twice_counts_twice(self, world: World) -> None:
        intent = await world.intent()
        for _ in range(2):
            world.pay(intent, DUE // 2)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        await world.must_be_right()

    async def test_a_little_less_is_enough_within_the_tolerance(self, world: World) -> None:
        world = await with_policy(world, PaymentPolicy(underpaid_tolerance_bps=100))
        intent, short = await world.intent(), await world.intent()
        enough = DUE - DUE // 100
        world.pay(intent, enough)
        world.pay(short, enough - 1)
        await world.settle_down()

        paid = await world.now(intent)
        assert (paid.status, paid.captured) == (IntentStatus.SUCCEEDED, enough)
        assert (await world.now(short)).status is IntentStatus.REQUIRES_PAYMENT
        await world.must_be_right()

    async def test_too_much_is_taken_where_the_merchant_takes_it(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent, DUE + 200)
        await world.settle_down()

        over = await world.now(intent)
        assert (over.status, over.exception) == (
            IntentStatus.SUCCEEDED,
            PaymentException.OVERPAID,
        )
        assert over.captured == DUE + 200
        assert (await world.earned(), await world.suspense()) == (NET + 198, 0)
        await world.must_be_right()

    async def test_too_much_waits_where_the_merchant_wants_to_decide(self, world: World) -> None:
        world = await with_policy(world, TO_REVIEW)
        intent = await world.intent()
        world.pay(intent, DUE + 200)
        await world.settle_down()

        over = await world.now(intent)
        assert (over.exception, over.captured) == (PaymentException.OVERPAID, DUE)
        assert (await world.earned(), await world.suspense()) == (NET, 200)
        await world.must_be_right()

    async def test_the_merchant_can_decide_to_take_too_much(self, world: World) -> None:
        world = await with_policy(world, TO_REVIEW)
        intent = await world.intent()
        world.pay(intent, DUE + 200)
        await world.settle_down()

        taken = await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)

        assert taken.captured == DUE + 200
        assert (await world.earned(), await world.suspense()) == (NET + 198, 0)
        await world.must_be_right()

    async def test_money_after_the_end_waits_for_a_decision(self, world: World) -> None:
        intent = await expired(world)
        world.pay(intent)
        await world.settle_down()

        late = await world.now(intent)
        assert (late.status, late.exception) == (
            IntentStatus.NEEDS_REVIEW,
            PaymentException.LATE,
        )
        assert (await world.earned(), await world.suspense()) == (0, DUE)
        await world.must_be_right()

        await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert (await world.earned(), await world.suspense()) == (NET, 0)
        await world.must_be_right()

    async def test_money_after_the_end_is_taken_where_the_merchant_takes_it(
        self, world: World
    ) -> None:
        world = await with_policy(world, PaymentPolicy(late=Verdict.ACCEPT))
        intent = await expired(world)
        world.pay(intent)
        await world.settle_down()

        late = await world.now(intent)
        assert (late.status, late.captured) == (IntentStatus.SUCCEEDED, DUE)
        assert await world.earned() == NET
        await world.must_be_right()

    async def test_late_and_too_much_is_not_all_taken_by_a_merchant_who_reviews_that(
        self, world: World
    ) -> None:
        policy = PaymentPolicy(late=Verdict.ACCEPT, overpaid=Verdict.REVIEW)
        world = await with_policy(world, policy)
        intent = await expired(world)
        world.pay(intent, DUE + 200)
        await world.settle_down()

        assert (await world.now(intent)).captured == DUE
        assert await world.suspense() == 200
        await world.must_be_right()

    async def test_what_was_captured_never_becomes_less(self, world: World) -> None:
        policy = PaymentPolicy(late=Verdict.REVIEW, overpaid=Verdict.REVIEW)
        world = await with_policy(world, policy)
        intent = await expired(world)
        world.pay(intent, DUE + 200)
        await world.settle_down()
        await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)

        world.pay(intent, 1, asset=OTHER_TOKEN.id)
        await world.read()
        world.pay(intent, 5)
        await world.settle_down()

        captured = (await world.now(intent)).captured
        assert captured >= DUE + 200
        assert "payment.captured" in await world.told(intent.id)
        assert await world.earned() + await world.booked(PLATFORM_FEES) == captured
        await world.must_be_right()

    async def test_dust_does_not_reopen_what_has_succeeded(self, world: World) -> None:
        intent = await expired(world)
        world.pay(intent)
        await world.settle_down()
        await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)

        world.pay(intent, 5)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        await world.must_be_right()

    async def test_money_for_a_canceled_intent_waits_for_a_decision(self, world: World) -> None:
        intent = await world.intent()
        await world.services.intents.cancel(owner=world.merchant.id, intent_id=intent.id)
        world.pay(intent)
        await world.settle_down()

        late = await world.now(intent)
        assert (late.status, late.exception) == (
            IntentStatus.NEEDS_REVIEW,
            PaymentException.LATE,
        )
        assert await world.suspense() == DUE
        await world.must_be_right()

    async def test_another_token_is_kept_and_counts_for_nothing(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent, 700, asset=OTHER_TOKEN.id)
        await world.settle_down()

        wrong = await world.now(intent)
        assert (wrong.status, wrong.exception) == (
            IntentStatus.REQUIRES_PAYMENT,
            PaymentException.WRONG_ASSET,
        )
        assert (wrong.received, wrong.final) == (0, 0)
        assert await world.suspense(OTHER_TOKEN.id) == 700
        await world.must_be_right()

        world.pay(intent)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await world.suspense(OTHER_TOKEN.id) == 700
        await world.must_be_right()

    async def test_another_token_does_not_hide_that_money_came_late(self, world: World) -> None:
        intent = await expired(world)
        world.pay(intent)
        await world.read()
        world.pay(intent, 1, asset=OTHER_TOKEN.id)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.NEEDS_REVIEW
        assert await world.suspense() == DUE

    async def test_a_retraction_does_not_hide_that_other_money_came_late(
        self, world: World
    ) -> None:
        intent = await expired(world)
        world.pay(intent)
        await world.read()
        gone = world.pay(intent, 1)
        await world.read()
        world.chain.reorg(depth=1, drop=[gone])
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.NEEDS_REVIEW
        assert await world.suspense() == DUE

    async def test_more_money_after_a_short_payment_was_accepted_is_not_stuck(
        self, world: World
    ) -> None:
        intent = await world.intent()
        world.pay(intent, 100)
        await world.settle_down()
        world.clock.advance(hours=2)
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)
        await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)

        world.pay(intent, 200)
        await world.settle_down()

        # Taken at once, or kept where the merchant can still decide to take it.
        if (await world.now(intent)).captured != 300:
            await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)
        assert await world.suspense() == 0
        assert await world.earned() == 99 + 198
        await world.must_be_right()

    async def test_the_fee_is_booked_once_and_rounded_down(self, world: World) -> None:
        merchant = await another_merchant(
            world, fees=FeeSchedule(bps=333), payments=PaymentPolicy(underpaid_tolerance_bps=1)
        )
        world = attrs.evolve(world, merchant=merchant)
        intent = await world.intent()
        odd = DUE - 7
        world.pay(intent, odd)
        await world.settle_down()
        await world.settle_down()

        fee = odd * 333 // 10_000
        assert odd * 333 % 10_000, "nothing to round"
        assert await world.booked(PLATFORM_FEES) == fee
        assert await world.earned() == odd - fee
        booked = world.around.store.tables.transactions.where(reference=intent.id)
        assert [it.transaction.kind for it in booked].count("capture") == 1
        await world.must_be_right()


async def test_a_chain_event_is_credited_once(world: World) -> None:
    intent = await world.intent()
    world.pay(intent)
    await world.settle_down()
    [paid] = world.around.store.tables.observations

    async with world.around.store.begin() as work:
        assert not await work.chains.claim(paid)
    for _ in range(2):
        await world.settle_down()

    deposits = [
        it for it in world.around.store.tables.transactions if it.transaction.kind == "deposit"
    ]
    assert len(deposits) == 1
    assert (await world.now(intent)).final == DUE
