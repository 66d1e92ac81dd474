"""Blocks that are replaced: what was seen is taken back, what was final parks the chain."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.memory.chain import InMemoryChain
from domain.chains.model import ChainParked, FinalBlockReplaced, Finality
from domain.intents.model import IntentStatus, PaymentException
from domain.settlements.payouts import PayoutState
from ports.chain import ChainUnavailable
from tests.builders import CHAIN
from tests.domain.mishaps import Died, Mortal
from tests.domain.scene import DUE, HOT, NET, OTHER_TOKEN
from tests.domain.services import compose
from tests.domain.world import new_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.submissions import Inclusion
    from tests.domain.world import World

STEPS_MAX = 2_000


@attrs.frozen
class ReaderOfAnotherFork:
    """Reads the same blocks, and finds our transactions in others."""

    reader: InMemoryChain

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the reader has)
        return getattr(self.reader, name)

    async def inclusions(self, hashes: Sequence[str]) -> list[Inclusion]:
        found = await self.reader.inclusions(hashes)
        return [attrs.evolve(inclusion, block_hash="0x" + "f" * 64) for inclusion in found]


class TestReorgs:
    async def test_money_that_is_gone_is_retracted(self, world: World) -> None:
        intent = await world.intent()
        transaction = world.pay(intent)
        await world.read()
        await world.read(2)

        world.chain.reorg(depth=3, drop=[transaction])
        await world.watch()

        gone = await world.now(intent)
        assert (gone.status, gone.exception) == (
            IntentStatus.REQUIRES_PAYMENT,
            PaymentException.RETRACTED,
        )
        assert (gone.received, gone.final, gone.captured) == (0, 0, 0)
        assert await world.told(intent.id) == [
            "payment_intent.created",
            "payment.received",
            "payment_intent.processing",
            "payment.retracted",
            "payment_intent.requires_payment",
        ]
        await world.settle_down()
        assert await world.earned() == await world.suspense() == 0
        await world.must_be_right()

    async def test_another_token_that_is_gone_is_retracted(self, world: World) -> None:
        intent = await world.intent()
        transaction = world.pay(intent, 3, asset=OTHER_TOKEN.id)
        await world.read()
        assert (await world.now(intent)).exception is PaymentException.WRONG_ASSET

        world.chain.reorg(depth=1, drop=[transaction])
        await world.watch()

        assert (await world.now(intent)).exception is PaymentException.RETRACTED
        assert (await world.told(intent.id))[-1] == "payment.retracted"
        await world.settle_down()
        assert await world.suspense(OTHER_TOKEN.id) == 0

    async def test_one_of_two_other_tokens_that_stays_is_shown(self, world: World) -> None:
        intent = await world.intent()
        gone = world.pay(intent, 3, asset=OTHER_TOKEN.id)
        world.pay(intent, 4, asset=OTHER_TOKEN.id)
        await world.read()

        world.chain.reorg(depth=1, drop=[gone])
        await world.settle_down()

        assert (await world.now(intent)).exception is PaymentException.WRONG_ASSET
        assert await world.suspense(OTHER_TOKEN.id) == 4
        await world.must_be_right()

    async def test_money_that_comes_back_in_another_block_counts_again_and_once(
        self, world: World
    ) -> None:
        intent = await world.intent()
        world.pay(intent)
        await world.read()

        world.chain.reorg(depth=1)
        await world.watch()
        assert (await world.now(intent)).received == 0
        await world.settle_down()

        back = await world.now(intent)
        assert (back.status, back.exception) == (IntentStatus.SUCCEEDED, PaymentException.NONE)
        assert (back.received, back.final, back.captured) == (DUE, DUE, DUE)
        assert (await world.told(intent.id)).count("payment.confirmed") == 1
        assert await world.earned() == NET
        await world.must_be_right()

    async def test_a_reorg_between_two_looks_is_nothing_to_tell(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent)
        await world.read()
        world.chain.reorg(depth=1)
        world.chain.mine()

        await world.settle_down()

        assert (await world.now(intent)).captured == DUE
        assert await world.earned() == NET

    async def test_an_escrow_payment_is_retracted_and_held_later(self, world: World) -> None:
        intent = await world.escrow_intent()
        world.pay_escrow(intent)
        await world.read()
        assert (await world.now(intent)).status is IntentStatus.PROCESSING

        world.chain.reorg(depth=1)
        await world.watch()
        assert (await world.now(intent)).status is IntentStatus.REQUIRES_PAYMENT
        await world.settle_down()

        held = await world.now(intent)
        assert (held.status, held.final) == (IntentStatus.PROCESSING, DUE)
        assert (await world.told((await world.escrow(intent)).id)) == ["escrow.held"]
        await world.must_be_right()

    async def test_reorgs_over_and_over_end_where_a_quiet_chain_does(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent)
        await world.read()
        for depth in (1, 2, 3, 2, 1):
            world.chain.reorg(depth=depth)
            await world.watch()
            await world.read(depth)
        await world.settle_down()

        assert (await world.now(intent)).captured == DUE
        assert await world.earned() == NET
        states = [it.finality for it in world.around.store.tables.observations]
        assert states == [Finality.FINAL]
        await world.must_be_right()

    async def test_a_watcher_that_dies_in_a_reorg_leaves_nothing_half_done(self) -> None:
        async def reorganized() -> World:
            world = await new_world()
            intent, short = await world.intent(), await world.intent()
            world.pay(intent)
            gone = world.pay(short, 7)
            await world.read()
            world.chain.reorg(depth=1, drop=[gone])
            world.chain.mine()
            return world

        quiet = await reorganized()
        await quiet.watch()
        expected = quiet.snapshot()
        for step in range(1, STEPS_MAX):
            world = await reorganized()
            try:
                await Mortal(world.around, dies_at=step).services.watcher.watch(chain=CHAIN)
            except Died:
                pass
            else:
                return
            await world.watch()
            assert world.snapshot() == expected, f"died at step {step}"

    async def test_a_replaced_final_block_parks_the_chain(self, world: World) -> None:
        await world.payout_under_way()
        owed = await world.paid_escrow()
        await world.services.escrows.release(owner=owed.merchant_id, intent_id=owed.id)
        overdue = await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()
        before = world.snapshot()

        world.chain.reorg(depth=6, through_final=True)
        with pytest.raises(FinalBlockReplaced):
            await world.watch()
        for _ in range(2):
            with pytest.raises(ChainParked):
                await world.watch()
        with pytest.raises(ChainParked):
            await world.send()
        assert await world.services.settlements.run() == []
        assert await world.services.intents.expire_due(chain=CHAIN) == 0

        assert {**world.snapshot(), "cursors": before["cursors"]} == before
        assert (await world.now(overdue)).status is IntentStatus.REQUIRES_PAYMENT
        assert world.chain.blocks.sequence(HOT) == 1

    async def test_a_parked_chain_goes_on_when_a_person_says_so(self, world: World) -> None:
        async with world.around.store.begin() as work:
            cursor = await work.chains.lock_cursor(CHAIN)
            assert cursor is not None
            await work.chains.save_cursor(attrs.evolve(cursor, parked="looked odd"))
            await work.commit()
        intent = await world.intent()
        world.pay(intent)
        world.chain.mine()
        with pytest.raises(ChainParked) as parked:
            await world.watch()
        assert parked.value.reason == "looked odd"

        await world.services.watcher.resume(chain=CHAIN)
        await world.settle_down()

        assert (await world.now(intent)).captured == DUE
        await world.must_be_right()

    async def test_a_node_that_lags_takes_nothing_back(self, world: World) -> None:
        intent = await world.intent()
        world.pay(intent)
        await world.read()
        seen = world.snapshot()

        world.chain.lag(2)
        with contextlib.suppress(ChainUnavailable):
            await world.services.watcher.watch(chain=CHAIN)

        assert world.snapshot() == seen
        assert "payment.retracted" not in await world.told(intent.id)

    async def test_a_node_that_lags_far_has_not_broken_its_word(self, world: World) -> None:
        await world.settle_down()
        before = world.snapshot()

        world.chain.lag(8)
        with contextlib.suppress(ChainUnavailable):
            await world.services.watcher.watch(chain=CHAIN)

        assert world.snapshot() == before

    async def test_a_payout_is_not_confirmed_by_a_node_on_another_fork(self, world: World) -> None:
        payout = await world.payout_under_way()
        await world.send()
        world.chain.mine()
        world.chain.finalize()
        forked = compose(world.around, reader=ReaderOfAnotherFork(world.chain)).watcher
        before = world.snapshot()

        with pytest.raises(ChainUnavailable):
            await forked.watch(chain=CHAIN)

        assert world.snapshot() == before
        await world.watch()
        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
        await world.must_be_right()
