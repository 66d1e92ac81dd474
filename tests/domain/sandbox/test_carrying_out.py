"""What comes of orders on a devnet: each situation arises, once, whatever fails in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.memory.sandbox import InMemorySandbox
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus, PaymentException
from domain.sandbox.carrying_out import INTERRUPTED, NO_DEVNET
from domain.sandbox.model import OrderState
from ports.unit_of_work import NotFound
from tests.builders import CHAIN
from tests.domain.sandbox.ordering import Ordering
from tests.domain.scene import DUE, OTHER_TOKEN

if TYPE_CHECKING:
    from domain.escrow.model import EscrowTerms
    from domain.intents.model import PaymentIntent
    from domain.sandbox.model import SandboxOrder
    from domain.shared.money import Money
    from tests.domain.world import World

_S, _E = IntentStatus, PaymentException


@pytest.fixture
def ordering(world: World) -> Ordering:
    return Ordering.of(world)


async def paid(
    ordering: Ordering,
    intent: PaymentIntent,
    **changes: Any,  # noqa: ANN401 (of any type)
) -> SandboxOrder:
    """Order a payment and let the worker carry it out."""
    order = await ordering.service.pay(
        merchant=ordering.world.merchant, intent_id=intent.id, **changes
    )
    return await ordering.carry_out(order)


class TestPaying:
    async def test_an_intent_is_paid(self, world: World, ordering: Ordering) -> None:
        intent = await world.intent()
        order = await paid(ordering, intent)
        assert (order.state, order.reason) == (OrderState.DONE, None)
        assert order.transaction is not None
        assert world.chain.blocks.number_of(order.transaction) is not None
        await world.watch()
        assert (await world.now(intent)).status is _S.PROCESSING

        await world.settle_down()
        assert (await world.now(intent)).status is _S.SUCCEEDED

    @pytest.mark.parametrize(
        ("changes", "exception"),
        [
            ({"amount": DUE - 1}, _E.UNDERPAID),
            ({"amount": DUE + 1}, _E.OVERPAID),
            ({"asset": OTHER_TOKEN.id}, _E.WRONG_ASSET),
        ],
        ids=["too little", "too much", "another asset"],
    )
    async def test_it_is_paid_wrongly(
        self,
        world: World,
        ordering: Ordering,
        changes: dict[str, Any],
        exception: PaymentException,
    ) -> None:
        intent = await world.intent()
        await paid(ordering, intent, **changes)
        await world.settle_down()

        assert (await world.now(intent)).exception is exception

    async def test_an_escrow_holds_it(self, world: World, ordering: Ordering) -> None:
        intent = await world.escrow_intent()
        order = await paid(ordering, intent)
        await world.settle_down()

        assert order.state is OrderState.DONE
        assert (await world.escrow(intent)).state is EscrowState.HELD

    async def test_the_contracts_refusal_is_told(self, world: World, ordering: Ordering) -> None:
        intent = await world.escrow_intent()
        await paid(ordering, intent)
        again = await paid(ordering, intent)

        assert (again.state, again.reason) == (OrderState.FAILED, "reverted")

    async def test_it_comes_late(self, world: World, ordering: Ordering) -> None:
        intent = await world.intent()
        await world.read()
        await paid(ordering, intent, late=True)
        await world.settle_down()

        late = await world.now(intent)
        assert (late.status, late.exception) == (_S.NEEDS_REVIEW, _E.LATE)
        assert late.expires_at < intent.expires_at

    async def test_late_in_two_parts_is_late_too(self, world: World, ordering: Ordering) -> None:
        intent = await world.intent()
        world.pay(intent, 10)
        await world.read()
        await paid(ordering, intent, late=True)
        await world.settle_down()

        assert (await world.now(intent)).exception is _E.LATE

    async def test_what_has_ended_is_paid_late_as_it_is(
        self, world: World, ordering: Ordering
    ) -> None:
        intent = await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)
        await paid(ordering, intent, late=True)
        await world.settle_down()

        late = await world.now(intent)
        assert (late.status, late.exception) == (_S.NEEDS_REVIEW, _E.LATE)
        assert late.expires_at == intent.expires_at

    async def test_a_reorg_takes_a_payment_back(self, world: World, ordering: Ordering) -> None:
        intent = await world.intent()
        await world.settle_down()
        await world.read(4)
        await paid(ordering, intent)
        await world.watch()
        assert (await world.now(intent)).status is _S.PROCESSING
        order = await ordering.service.reorganize(merchant=world.merchant, chain=CHAIN, depth=2)
        assert (await ordering.carry_out(order)).state is OrderState.DONE
        await world.settle_down()

        gone = await world.now(intent)
        assert (gone.status, gone.exception) == (_S.REQUIRES_PAYMENT, _E.RETRACTED)


class TestOnce:
    async def test_what_was_done_is_not_done_again(self, world: World, ordering: Ordering) -> None:
        order = await paid(ordering, await world.intent())
        assert await ordering.carry_out(order) == order
        assert ordering.sandbox.asked == 1

    async def test_a_refusal_is_told(self, world: World, ordering: Ordering) -> None:
        ordering.sandbox.refuse_next("nobody gives it away")
        order = await paid(ordering, await world.intent())

        assert (order.state, order.reason) == (OrderState.FAILED, "nobody gives it away")
        assert order.ended_at is not None

    async def test_a_lost_answer_leaves_it_unknown(self, world: World, ordering: Ordering) -> None:
        ordering.sandbox.time_out_after_doing()
        order = await paid(ordering, await world.intent())
        assert order.state is OrderState.UNKNOWN

        assert await ordering.carry_out(order) == order
        assert ordering.sandbox.asked == 1

    async def test_a_worker_that_dies_while_it_pays_is_followed_by_none_that_pays(
        self, world: World, ordering: Ordering
    ) -> None:
        intent = await world.intent()
        dying = Dying(world.chain)
        works = attrs.evolve(ordering.works, sandboxes={CHAIN: dying})
        order = await ordering.service.pay(merchant=world.merchant, intent_id=intent.id)
        with pytest.raises(asyncio.CancelledError):
            await works.carry_out(order_id=order.id)
        assert (await ordering.now(order)).state is OrderState.PENDING

        after = await ordering.carry_out(order)
        assert (after.state, after.reason) == (OrderState.UNKNOWN, INTERRUPTED)
        assert (dying.asked, ordering.sandbox.asked) == (1, 0)
        await world.settle_down()
        assert (await world.now(intent)).status is _S.SUCCEEDED

    async def test_one_that_is_taken_for_dead_may_still_tell_how_it_ended(
        self, world: World, ordering: Ordering
    ) -> None:
        slow = Slow(world.chain)
        works = attrs.evolve(ordering.works, sandboxes={CHAIN: slow})
        intent = await world.intent()
        order = await ordering.service.pay(merchant=world.merchant, intent_id=intent.id)
        paying = asyncio.create_task(works.carry_out(order_id=order.id))
        await slow.begun.wait()
        assert (await ordering.carry_out(order)).state is OrderState.UNKNOWN

        slow.may_go_on.set()
        await paying
        assert (await ordering.now(order)).state is OrderState.DONE

    async def test_a_devnet_that_does_not_answer_was_asked_for_nothing(
        self, world: World, ordering: Ordering
    ) -> None:
        world.chain.fail_next()
        order = await paid(ordering, await world.intent())

        assert order.state is OrderState.FAILED
        assert "does not answer" in str(order.reason)
        assert ordering.sandbox.asked == 0

    async def test_a_node_that_is_no_devnet_is_asked_for_nothing(
        self, world: World, ordering: Ordering
    ) -> None:
        ordering.sandbox.turn_real()
        order = await paid(ordering, await world.intent())

        assert (order.state, order.reason) == (OrderState.FAILED, "it signs for nobody")
        assert ordering.sandbox.asked == 0

    async def test_a_worker_without_the_devnet(self, world: World, ordering: Ordering) -> None:
        works = attrs.evolve(ordering.works, sandboxes={})
        intent = await world.intent()
        order = await ordering.service.pay(merchant=world.merchant, intent_id=intent.id)
        await works.carry_out(order_id=order.id)

        assert (await ordering.now(order)).reason == NO_DEVNET


class Dying(InMemorySandbox):
    """A devnet whose worker is killed when the payment is made, before it hears of it."""

    async def pay(self, *, target: str, money: Money, memo: str | None = None) -> str:
        await super().pay(target=target, money=money, memo=memo)
        raise asyncio.CancelledError


@attrs.define(eq=False)
class Slow(InMemorySandbox):
    """A devnet that takes its time."""

    begun: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    may_go_on: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)

    async def pay(self, *, target: str, money: Money, memo: str | None = None) -> str:
        self.begun.set()
        await self.may_go_on.wait()
        return await super().pay(target=target, money=money, memo=memo)

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        raise NotImplementedError


async def test_orders_are_dropped_thirty_days_after_their_end(
    world: World, ordering: Ordering
) -> None:
    order = await paid(ordering, await world.intent())
    waiting = await ordering.service.pay(
        merchant=world.merchant, intent_id=(await world.intent()).id
    )
    world.clock.advance(days=30)
    assert await ordering.works.prune() == 0

    world.clock.advance(seconds=1)

    assert await ordering.works.prune() == 1
    with pytest.raises(NotFound):
        await ordering.now(order)
    assert await ordering.now(waiting) == waiting
