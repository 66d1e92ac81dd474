"""Use cases of escrows: asking the contract for an end, once."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.chains.instructions import RefundEscrow, ReleaseEscrow
from domain.escrow.model import (
    EscrowAction,
    EscrowActionInProgress,
    EscrowState,
    EscrowTransitionRefused,
)
from domain.intents.model import IntentStatus
from domain.shared.idempotency import Idempotency, RequestReplayed
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.builders import CHAIN
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import NET, PAYER
from tests.domain.world import new_world, terms_for

if TYPE_CHECKING:
    from domain.escrow.model import (
        Escrow,
    )
    from tests.domain.world import World


def once(key: str = "release-1") -> Idempotency[Escrow]:
    return Idempotency(key=key, fingerprint=b"release", render=lambda it: it.id.encode())


async def test_a_request_promises_a_transaction_and_tells_of_it(world: World) -> None:
    intent = await world.paid_escrow()

    asked = await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)

    tables = world.around.store.tables
    [submission] = tables.submissions
    assert submission.instruction == ReleaseEscrow(terms_for(intent))
    assert (submission.id, submission.purpose) == (asked.submission_id, asked.id)
    assert asked.requested is EscrowAction.RELEASE
    assert (await world.escrow(intent)) == asked
    assert (await world.told(asked.id))[-1] == "escrow.release_requested"
    [job] = tables.jobs
    assert (job.name, job.arguments) == ("send_transactions", {"chain": CHAIN})


async def test_nothing_of_a_request_stays_when_it_is_rolled_back(world: World) -> None:
    intent = await world.paid_escrow()
    before, told = world.snapshot(), await world.told()

    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)

    assert world.snapshot() == before
    assert await world.told() == told
    assert len(world.around.store.tables.jobs) == 0


async def test_who_asks_twice_is_told_that_it_is_under_way(world: World) -> None:
    intent = await world.paid_escrow()
    escrows, owner = world.services.escrows, world.merchant.id
    await escrows.release(owner=owner, intent_id=intent.id)

    for ask in (escrows.release, escrows.refund):
        with pytest.raises(EscrowActionInProgress) as refusal:
            await ask(owner=owner, intent_id=intent.id)
        assert refusal.value.action is EscrowAction.RELEASE

    assert len(world.around.store.tables.submissions) == 1


@pytest.mark.parametrize("verbs", [("release", "release"), ("release", "refund")])
async def test_of_two_at_once_one_wins(world: World, verbs: tuple[str, str]) -> None:
    intent = await world.paid_escrow()
    before = world.held(PAYER)

    done = await asyncio.gather(
        *(
            getattr(yielding(world.around).escrows, verb)(
                owner=world.merchant.id, intent_id=intent.id
            )
            for verb in verbs
        ),
        return_exceptions=True,
    )
    await world.send_and_settle_down()

    assert sorted(type(it).__name__ for it in done) == ["Escrow", "EscrowActionInProgress"]
    [submission] = world.around.store.tables.submissions
    released = isinstance(submission.instruction, ReleaseEscrow)
    state = (await world.escrow(intent)).state
    assert state is (EscrowState.RELEASED if released else EscrowState.REFUNDED)
    assert await world.earned() == (NET if released else 0)
    assert (world.held(PAYER) == before) is released
    await world.must_be_right()


async def test_an_escrow_that_has_ended_or_is_disputed_is_not_released(world: World) -> None:
    disputed, refunded = await world.paid_escrow(), await world.paid_escrow()
    world.chain.dispute(terms_for(disputed), by=PAYER)
    await world.services.escrows.refund(owner=world.merchant.id, intent_id=refunded.id)
    await world.send_and_settle_down()

    for intent in (disputed, refunded):
        with pytest.raises(EscrowTransitionRefused):
            await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)


async def test_there_is_no_escrow_before_the_payment_is_final(world: World) -> None:
    intent = await world.escrow_intent()
    world.pay_escrow(intent)
    await world.read()

    with pytest.raises(NotFound):
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)


async def test_one_key_is_one_request(world: World) -> None:
    intent = await world.paid_escrow()
    for _ in range(2):
        with contextlib.suppress(RequestReplayed):
            await world.services.escrows.release(
                owner=world.merchant.id, intent_id=intent.id, idempotency=once()
            )

    # The answer is the one of then, though the escrow has moved on since.
    await world.send_and_settle_down()
    with pytest.raises(RequestReplayed):
        await world.services.escrows.release(
            owner=world.merchant.id, intent_id=intent.id, idempotency=once()
        )
    assert len(world.around.store.tables.submissions) == 1


async def test_a_request_that_died_anywhere_is_made_once_in_the_end() -> None:
    for step in range(1, 200):
        world = await new_world()
        intent = await world.paid_escrow()
        owner = world.merchant.id
        mortal = Mortal(world.around, dies_at=step).services
        try:
            await mortal.escrows.refund(owner=owner, intent_id=intent.id, idempotency=once())
        except Died:
            pass
        else:
            assert step > 10, "the request was hardly looked at"
            return
        with contextlib.suppress(RequestReplayed):
            await world.services.escrows.refund(
                owner=owner, intent_id=intent.id, idempotency=once()
            )
        [submission] = world.around.store.tables.submissions
        assert isinstance(submission.instruction, RefundEscrow)
        await world.send_and_settle_down()
        assert (await world.escrow(intent)).state is EscrowState.REFUNDED


class TestAutoRelease:
    async def test_what_is_due_is_released(self, world: World) -> None:
        intent = await world.paid_escrow()
        due = terms_for(intent).auto_release_at
        world.clock.move_to(due - timedelta(seconds=1))
        assert await world.services.escrows.release_due() == 0

        world.clock.move_to(due)
        assert await world.services.escrows.release_due() == 1
        assert await world.services.escrows.release_due() == 0
        await world.send_and_settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        await world.must_be_right()

    async def test_a_dispute_keeps_the_money_where_it_is(self, world: World) -> None:
        intent = await world.paid_escrow()
        world.chain.dispute(terms_for(intent), by=PAYER)
        await world.settle_down()
        world.clock.move_to(terms_for(intent).auto_release_at)

        assert await world.services.escrows.release_due() == 0

    async def test_two_at_once_ask_once(self, world: World) -> None:
        intent = await world.paid_escrow()
        world.clock.move_to(terms_for(intent).auto_release_at)

        asked = await asyncio.gather(
            *(yielding(world.around).escrows.release_due() for _ in range(2))
        )

        assert sum(asked) == len(world.around.store.tables.submissions) == 1

    async def test_only_so_many_are_released_in_one_go(self, world: World) -> None:
        intents = [await world.paid_escrow() for _ in range(3)]
        world.clock.move_to(terms_for(intents[-1]).auto_release_at)

        assert await world.services.escrows.release_due(limit=2) == 2
        assert await world.services.escrows.release_due(limit=2) == 1
