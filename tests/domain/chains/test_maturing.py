"""Large amounts that wait for more than the chain's own word, in the whole of the gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.finality import Rung
from domain.chains.model import ChainParked, FinalBlockReplaced
from domain.intents.model import IntentStatus
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN, usdt
from tests.domain.careful import BASE, DEEP, careful, cursor_of, final
from tests.domain.depositing import address_of_customer, pay_customer
from tests.domain.scene import DUE, HOT, NET, OTHER_TOKEN, STRANGER

if TYPE_CHECKING:
    from tests.domain.world import World


@pytest.fixture
def deep(world: World) -> World:
    return careful(world)


class TestDepth:
    async def test_a_small_payment_is_final_at_once(self, deep: World) -> None:
        intent = await deep.intent()
        deep.pay(intent)
        await deep.read(1 + BASE)

        assert (await deep.now(intent)).status is IntentStatus.SUCCEEDED
        assert await deep.earned() == NET

    async def test_a_large_one_is_shown_and_waits(self, deep: World) -> None:
        intent = await deep.intent()
        deep.pay(intent, 2 * DUE)
        await deep.read(DEEP)
        shown = await deep.now(intent)
        assert (shown.status, shown.received) == (IntentStatus.PROCESSING, 2 * DUE)
        assert (shown.final, await deep.earned()) == (0, 0)
        assert await final(deep) == deep.chain.blocks.latest - DEEP

        await deep.read()

        paid = await deep.now(intent)
        assert (paid.status, paid.final) == (IntentStatus.SUCCEEDED, 2 * DUE)
        assert await deep.earned() == 2 * NET
        assert await final(deep) == deep.chain.blocks.latest - BASE
        await deep.must_be_right()

    async def test_nobody_is_kept_busy_by_what_waits(self, deep: World) -> None:
        deep.pay(await deep.intent(), 2 * DUE)
        deep.chain.mine(1 + BASE)
        await deep.watch()

        progress = await deep.services.watcher.watch(chain=CHAIN)

        assert progress.behind == 0
        assert progress.final < deep.chain.blocks.latest - BASE

    async def test_a_small_one_after_it_waits_with_it_and_one_before_does_not(
        self, deep: World
    ) -> None:
        before, large, after = [await deep.intent() for _ in range(3)]
        deep.pay(before, DUE - 1)
        await deep.read()
        deep.pay(large, 2 * DUE)
        await deep.read()
        deep.pay(after)
        await deep.read(BASE + 1)

        assert (await deep.now(before)).final == DUE - 1
        assert (await deep.now(large)).final == 0
        assert (await deep.now(after)).final == 0

        await deep.read(DEEP - BASE)
        assert (await deep.now(large)).final == 2 * DUE
        assert (await deep.now(after)).final == DUE

    async def test_splitting_a_payment_gains_nothing(self, deep: World) -> None:
        one, other = await deep.intent(), await deep.intent()
        deep.pay(one)
        await deep.read(2)
        deep.pay(other)
        await deep.read(BASE + 1)
        assert (await deep.now(one)).final == DUE
        assert (await deep.now(other)).final == 0, "what is booked of the first is at risk too"

        # It is final when the first of both is deep, for its own amount is small.
        await deep.read(DEEP - BASE - 2)
        assert (await deep.now(other)).final == DUE

    async def test_another_token_is_not_asked_for_more(self, deep: World) -> None:
        intent = await deep.intent()
        deep.pay(intent, 10**12, asset=OTHER_TOKEN.id)
        await deep.read(1 + BASE)

        assert await deep.suspense(OTHER_TOKEN.id) == 10**12

    async def test_an_escrow_payment_counts_once(self, world: World) -> None:
        deep = careful(world, Rung(at_least=usdt(DUE + 1), confirmations=DEEP))
        deep.pay_escrow(await deep.escrow_intent())
        await deep.read(1 + BASE)
        assert await final(deep) == deep.chain.blocks.latest - BASE

        deep.pay_escrow(await deep.escrow_intent())
        await deep.read(1 + BASE)
        assert await final(deep) < deep.chain.blocks.latest - BASE

    @pytest.mark.parametrize("of_customers", [False, True])
    async def test_what_is_swept_is_no_new_money(
        self, world: World, *, of_customers: bool
    ) -> None:
        for place in range(3):
            if of_customers:
                address = await address_of_customer(world, f"customer {place}")
                pay_customer(world, address, DUE)
            else:
                world.pay(await world.intent())
            await world.settle_down()
        world.chain.mine(DEEP)
        await world.watch()
        deep = careful(world, Rung(at_least=usdt(DUE), confirmations=DEEP))
        await deep.sweep()
        for _ in range(3):
            await deep.send()
            deep.chain.mine()
            deep.chain.finalize()
            await deep.watch()

        assert deep.held(HOT) == 3 * DUE
        assert await final(deep) == deep.chain.blocks.latest - BASE

    async def test_money_of_nobody_s_counts_too(self, deep: World) -> None:
        money = usdt(2 * DUE)
        deep.chain.transfer(money, source=STRANGER, target=HOT)
        await deep.read(1 + BASE)
        assert await deep.suspense() == 0

        await deep.read(DEEP - BASE)
        assert await deep.suspense() == 2 * DUE


class TestWaiting:
    async def test_nothing_expires_by_a_block_that_is_held_up(self, deep: World) -> None:
        large, overdue = await deep.intent(), await deep.intent()
        deep.pay(large, 2 * DUE)
        await deep.read()
        deep.clock.advance(hours=2)
        await deep.read(DEEP - 1)
        assert await deep.services.intents.expire_due(chain=CHAIN) == 0
        assert (await deep.now(large)).status is IntentStatus.PROCESSING

        await deep.read(BASE)
        assert await deep.services.intents.expire_due(chain=CHAIN) == 1
        assert (await deep.now(overdue)).status is IntentStatus.EXPIRED
        assert (await deep.now(large)).status is IntentStatus.SUCCEEDED

    async def test_payouts_are_confirmed_with_it(self, world: World) -> None:
        payout = await world.payout_under_way()
        deep = careful(world, Rung(at_least=usdt(DUE), confirmations=DEEP))
        deep.pay(await deep.intent())
        await deep.read()
        await deep.send()
        await deep.read(1 + BASE)
        assert (await deep.payout(payout.id)).state is PayoutState.BROADCAST

        await deep.read(DEEP)
        assert (await deep.payout(payout.id)).state is PayoutState.CONFIRMED
        await deep.must_be_right()

    @pytest.mark.parametrize("depth", range(1, DEEP + 1))
    async def test_a_reorg_takes_back_what_waits_and_it_counts_once_when_it_is_back(
        self, deep: World, depth: int
    ) -> None:
        intent = await deep.intent()
        deep.pay(intent, 2 * DUE)
        await deep.read(depth)
        assert (await deep.now(intent)).received == 2 * DUE

        # Down to below what is final by the chain's own word, but not by ours.
        deep.chain.reorg(depth=depth, through_final=True)
        await deep.watch()
        assert (await deep.now(intent)).received == 0
        assert await deep.earned() == 0

        await deep.read(DEEP)
        assert (await deep.now(intent)).received == 2 * DUE
        assert (await deep.now(intent)).final == 0
        await deep.read()
        assert await deep.earned() == 2 * NET
        assert (await deep.told(intent.id)).count("payment.confirmed") == 1
        await deep.must_be_right()

    async def test_a_reorg_below_it_parks_the_chain_as_ever(self, deep: World) -> None:
        deep.pay(await deep.intent(), 2 * DUE)
        await deep.read(1 + BASE)

        deep.chain.reorg(depth=2 + BASE, through_final=True)

        with pytest.raises(FinalBlockReplaced):
            await deep.watch()
        with pytest.raises(ChainParked):
            await deep.watch()


class TestAge:
    async def test_a_large_payment_waits_until_it_is_old_by_the_chain_s_time(
        self, world: World
    ) -> None:
        old = careful(world, age=timedelta(minutes=5))
        intent = await old.intent()
        old.pay(intent, 2 * DUE)
        await old.read(3 * DEEP)
        assert (await old.now(intent)).final == 0

        old.clock.advance(seconds=299)
        await old.read(1 + BASE)
        assert (await old.now(intent)).final == 0

        old.clock.advance(seconds=1)
        await old.read()
        assert (await old.now(intent)).final == 2 * DUE


class TestGaps:
    @pytest.mark.parametrize("evidence", [{"confirmations": 30}, {"quorum": 2}])
    async def test_what_was_left_out_is_read_when_it_has_all_evidence(
        self, world: World, evidence: dict[str, int]
    ) -> None:
        intent = await world.intent()
        world.pay(intent)
        world.chain.mine()
        hidden = world.chain.blocks.latest
        cursor = await cursor_of(world)
        async with world.around.store.begin() as work:
            skipped = attrs.evolve(cursor, seen=world.chain.blocks.mined[hidden].block)
            await work.chains.save_cursor(skipped)
            await work.chains.remember(CHAIN, [skipped.seen])
            await work.commit()
        wary = careful(world, **evidence)
        await wary.read(3 * BASE)
        assert (await wary.now(intent)).received == 0
        assert (await cursor_of(wary)).gap == hidden

        wary.chain.witnesses.count = 2
        await wary.read(30)
        await wary.read()
        assert (await wary.now(intent)).final == DUE
        assert (await cursor_of(wary)).gap is None
