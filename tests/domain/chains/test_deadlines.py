"""Deadlines are met by blocks that were read, never by the clock on the wall."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.intents.attempts import AttemptState
from domain.intents.model import IntentStatus, PaymentException
from tests.builders import CHAIN
from tests.domain.services import Surroundings, compose

if TYPE_CHECKING:
    from tests.domain.world import World


class TestDeadlines:
    async def test_nothing_expires_by_the_wall_clock(self, world: World) -> None:
        intent = await world.intent()
        world.clock.advance(days=3)

        assert await world.services.intents.expire_due(chain=CHAIN) == 0
        assert (await world.now(intent)).status is IntentStatus.REQUIRES_PAYMENT

    async def test_nothing_expires_before_the_block_after_the_deadline_is_final(
        self, world: World
    ) -> None:
        intent = await world.intent()
        world.clock.move_to(intent.expires_at + timedelta(seconds=1))
        await world.read(4)
        assert await world.services.intents.expire_due(chain=CHAIN) == 0

        await world.read()
        assert await world.services.intents.expire_due(chain=CHAIN) == 1

        assert (await world.now(intent)).status is IntentStatus.EXPIRED

    async def test_a_payment_in_time_counts_though_it_is_read_days_later(
        self, world: World
    ) -> None:
        intent = await world.intent()
        world.pay(intent)
        world.chain.mine()
        world.clock.advance(days=3)
        world.chain.finalize()

        assert await world.services.intents.expire_due(chain=CHAIN) == 0
        await world.watch()
        assert await world.services.intents.expire_due(chain=CHAIN) == 0

        paid = await world.now(intent)
        assert (paid.status, paid.exception) == (IntentStatus.SUCCEEDED, PaymentException.NONE)

    async def test_a_chain_that_was_never_read_ends_nothing(self) -> None:
        around = Surroundings()
        around.clock.advance(days=30)
        assert await compose(around).intents.expire_due(chain=CHAIN) == 0

    async def test_the_exact_end_of_the_time_is_still_in_time(self, world: World) -> None:
        intent = await world.intent()
        world.clock.move_to(intent.expires_at)
        world.pay(intent)
        await world.settle_down()
        assert await world.services.intents.expire_due(chain=CHAIN) == 0

        assert (await world.now(intent)).exception is PaymentException.NONE

    async def test_a_part_of_the_money_waits_for_a_person(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent, 10)
        await world.settle_down()
        world.clock.advance(hours=2)
        await world.settle_down()

        assert await world.services.intents.expire_due(chain=CHAIN) == 1

        waiting = await world.now(intent)
        assert waiting.status is IntentStatus.NEEDS_REVIEW
        assert waiting.attempt.state is AttemptState.SUBMITTED
        assert await world.suspense() == 10

    async def test_late_money_that_vanished_does_not_keep_an_intent_under_review_for_ever(
        self, world: World
    ) -> None:
        intent = await world.intent()
        world.clock.move_to(intent.expires_at + timedelta(seconds=1))
        await world.read(4)
        part = world.pay(intent, 10)
        await world.read()
        await world.services.intents.expire_due(chain=CHAIN)
        assert (await world.now(intent)).status is IntentStatus.NEEDS_REVIEW

        world.chain.reorg(depth=1, drop=[part])
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)

        # With nothing received there is nothing for a person to decide on.
        assert (await world.now(intent)).status is IntentStatus.EXPIRED
