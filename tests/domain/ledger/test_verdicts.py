"""When a difference is a divergence: at two looks, and when nothing else can explain it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.model import FinalBlockReplaced
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN, USDT, usdt
from tests.domain.ledger.divergences import blocks, busy, final, planted, reconcile
from tests.domain.mishaps import Died, Mortal, in_between, yielding
from tests.domain.services import Surroundings, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.money import AssetId, Money
    from tests.domain.world import World


class TestVerdicts:
    async def test_it_is_told_once_and_loudly(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        await planted(world, usdt(5))
        await final(world)

        [parked] = await reconcile(world)
        assert await reconcile(world) == []

        [error] = [it for it in caplog.records if it.levelno == logging.ERROR]
        assert parked.asset in error.getMessage()
        assert str(parked.entry) in error.getMessage()

    async def test_one_look_is_not_enough(self, world: World) -> None:
        """A node that has answered wrongly once parks nothing."""
        await busy(world)
        lies = 1

        class Liar:
            def __getattr__(self, name: str) -> object:
                return getattr(world.chain, name)

            async def balances(
                self, addresses: Sequence[str], asset: AssetId, *, at_block: int
            ) -> Sequence[Money]:
                nonlocal lies
                money = await world.chain.balances(addresses, asset, at_block=at_block)
                if asset == USDT.id and lies:
                    lies -= 1
                    return [usdt(1), *money[1:]]
                return money

        services = compose(world.around, reader=Liar())  # type: ignore[arg-type]  # A reader.

        assert await services.conservation.reconcile(chain=CHAIN) == []
        assert lies == 0

    async def test_a_chain_that_was_not_read_or_is_parked_has_none(self, world: World) -> None:
        assert await compose(Surroundings()).conservation.reconcile(chain=CHAIN) == ()
        await final(world)
        await planted(world, usdt(5))
        world.chain.reorg(depth=7, through_final=True)
        world.chain.mine(10)
        assert await reconcile(world) == []
        with pytest.raises(FinalBlockReplaced):
            await world.watch()
        assert await reconcile(world) == []
        assert world.around.store.tables.parked.get(USDT.id) is None

    async def test_a_parked_chain_has_none_whatever_its_blocks_say(self, world: World) -> None:
        await planted(world, usdt(5))
        await final(world)
        tables = world.around.store.tables
        cursor = tables.cursors.get(CHAIN)
        assert cursor is not None
        tables.cursors.put(CHAIN, attrs.evolve(cursor, parked="a person looks"))
        world.around.store.journal.forget()

        assert await reconcile(world) == []

        await world.services.watcher.resume(chain=CHAIN)
        assert len(await reconcile(world)) == 1

    async def test_a_transaction_of_ours_whose_end_is_not_booked_yet_defers_it(
        self, world: World
    ) -> None:
        payout = await world.payout_under_way()
        await world.send()
        world.clock.advance(seconds=12)
        world.chain.mine()
        world.chain.finalize()
        hide = world.chain.inclusions

        async def late(hashes: object) -> object:
            del hashes
            return []

        world.chain.inclusions = late  # type: ignore[method-assign, assignment]  # A node that lags.
        await world.watch()
        assert (await world.payout(payout.id)).state is PayoutState.BROADCAST
        world.chain.inclusions = hide  # type: ignore[method-assign]  # It has caught up.

        assert await reconcile(world) == []

        await world.watch()
        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
        await world.must_be_right()

    async def test_a_watcher_that_books_meanwhile_is_no_divergence(self, world: World) -> None:
        async def trading() -> None:
            for _ in range(6):
                world.pay(await world.intent())
                world.clock.advance(seconds=12)
                world.chain.mine()
                await yielding(world.around).watcher.watch(chain=CHAIN)

        async def look() -> None:
            for _ in range(12):
                services = yielding(world.around)
                assert await services.conservation.reconcile(chain=CHAIN) in ([], ())

        await asyncio.gather(trading(), look(), look())

        assert len(world.around.store.tables.parked) == 0

    async def test_every_step_is_a_place_to_read_on(self, world: World) -> None:
        """Whatever the watcher does between two steps of a look, nothing is parked."""
        await busy(world)
        inside = False

        async def others() -> None:
            nonlocal inside
            if inside or world.around.store.held_by is not None:
                return
            inside = True
            world.pay(await world.intent())
            await blocks(world)
            inside = False

        services = in_between(world.around, others)

        for _ in range(3):
            assert await services.conservation.reconcile(chain=CHAIN) in ([], ())

    async def test_a_process_that_dies_at_any_step_parks_it_in_the_end(self, world: World) -> None:
        await busy(world)
        wrong = await planted(world, usdt(5), at=world.clock.now())
        await final(world)

        for step in range(1, 400):
            with suppress(Died):
                process = Mortal(world.around, dies_at=step)
                await process.services.conservation.reconcile(chain=CHAIN)
                break

        assert step > 20
        parked = world.around.store.tables.parked.get(USDT.id)
        assert parked is not None
        assert wrong in str(parked.entry)
