"""Use cases that end an intent: cancel, accept, expire."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.intents.model import IntentStatus, IntentTransitionRefused
from tests.builders import CHAIN
from tests.domain.mishaps import yielding
from tests.domain.scene import DUE, OTHER_TOKEN

if TYPE_CHECKING:
    from tests.domain.world import World


class TestCancel:
    async def test_only_an_intent_that_nobody_began_to_pay_is_canceled(self, world: World) -> None:
        intent, begun = await world.intent(), await world.intent()
        cancel = world.services.intents.cancel
        world.pay(begun, 1)
        await world.read()

        canceled = await cancel(owner=world.merchant.id, intent_id=intent.id)

        assert canceled.status is IntentStatus.CANCELED
        assert await world.told(intent.id) == [
            "payment_intent.created",
            "payment_intent.canceled",
        ]
        for ended in (intent, begun):
            with pytest.raises(IntentTransitionRefused):
                await cancel(owner=world.merchant.id, intent_id=ended.id)

    async def test_a_canceled_intent_does_not_expire(self, world: World) -> None:
        intent = await world.intent()
        await world.services.intents.cancel(owner=world.merchant.id, intent_id=intent.id)
        world.clock.advance(days=1)
        await world.settle_down()

        assert await world.services.intents.expire_due(chain=CHAIN) == 0


class TestAccept:
    async def test_nothing_can_be_accepted_before_it_is_final(self, world: World) -> None:
        intent = await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)
        world.pay(intent)
        await world.read()
        accept = world.services.intents.accept

        with pytest.raises(IntentTransitionRefused):
            await accept(owner=world.merchant.id, intent_id=intent.id)
        await world.settle_down()
        await accept(owner=world.merchant.id, intent_id=intent.id)

        assert (await world.now(intent)).captured == DUE

    async def test_two_at_once_take_the_money_once(self, world: World) -> None:
        intent = await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()
        world.pay(intent)
        await world.settle_down()

        done = await asyncio.gather(
            *(
                yielding(world.around).intents.accept(owner=world.merchant.id, intent_id=intent.id)
                for _ in range(2)
            ),
            return_exceptions=True,
        )

        assert sorted(type(it).__name__ for it in done) == [
            "IntentTransitionRefused",
            "PaymentIntent",
        ]
        assert await world.earned() == DUE - DUE // 100
        await world.must_be_right()

    async def test_money_in_an_escrow_is_not_accepted_but_released(self, world: World) -> None:
        intent = await world.escrow_intent()
        await world.services.intents.cancel(owner=world.merchant.id, intent_id=intent.id)
        world.pay_escrow(intent)
        await world.settle_down()
        assert (await world.now(intent)).status is IntentStatus.NEEDS_REVIEW

        with pytest.raises(IntentTransitionRefused):
            await world.services.intents.accept(owner=world.merchant.id, intent_id=intent.id)
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        await world.send_and_settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        await world.must_be_right()


class TestExpiry:
    async def test_only_so_many_expire_in_one_go(self, world: World) -> None:
        for _ in range(5):
            await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()
        expire = world.services.intents.expire_due

        assert await expire(chain=CHAIN, limit=3) == 3
        assert await expire(chain=CHAIN, limit=3) == 2
        assert await expire(chain=CHAIN, limit=3) == 0

    async def test_two_at_once_expire_an_intent_once(self, world: World) -> None:
        intent = await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()

        ended = await asyncio.gather(
            *(yielding(world.around).intents.expire_due(chain=CHAIN) for _ in range(2))
        )

        assert sum(ended) == 1
        assert (await world.told(intent.id)).count("payment_intent.expired") == 1

    async def test_one_that_was_paid_meanwhile_does_not_keep_the_others_from_expiring(
        self, world: World
    ) -> None:
        paid, due = await world.intent(), await world.intent()
        world.pay(paid)
        await world.read()
        world.clock.advance(hours=2)
        await world.settle_down()

        assert await world.services.intents.expire_due(chain=CHAIN) == 1
        assert (await world.now(paid)).status is IntentStatus.SUCCEEDED
        assert (await world.now(due)).status is IntentStatus.EXPIRED

    async def test_every_open_intent_has_an_end(self, world: World) -> None:
        """Whatever was begun and left, nothing waits for ever without a person knowing."""
        intents = [await world.intent() for _ in range(4)]
        world.pay(intents[1], 1)
        world.pay(intents[2], 3, asset=OTHER_TOKEN.id)
        gone = world.pay(intents[3])
        await world.read()
        world.chain.reorg(depth=1, drop=[gone])
        await world.watch()
        world.clock.advance(hours=2)
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)

        assert [(await world.now(it)).status.value for it in intents] == [
            "expired",
            "needs_review",
            "expired",
            "expired",
        ]
