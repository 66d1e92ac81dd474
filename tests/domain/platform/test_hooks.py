"""What operators are told: once for each thing that begins or ends, with the change itself."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import attrs
import pytest

from domain.chains.model import ChainParked, FinalBlockReplaced
from domain.chains.sequences import KeyUsedElsewhere
from domain.chains.telling import keep
from domain.jobs.service import JobService
from domain.ledger.accounts import WORLD
from domain.ledger.model import Transaction, credit, debit
from domain.shared.kinds import Queue
from domain.shared.platform import PLATFORM
from domain.shared.running import JobRunner
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, USDT, usdt
from tests.domain.ledger.divergences import final, planted, reconcile
from tests.domain.scene import HOT, PAYER, PLACES
from tests.domain.services import compose
from tests.domain.vault import HOT_MIN, HOT_TARGET, UNIT, new_vault
from tests.domain.webhooks.listening import deliver_due, one_delivery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.chains.model import Scan
    from domain.shared.events import Json
    from domain.shared.jobs import Job
    from ports.chain import ChainReader, Ours
    from tests.domain.world import World


async def told(world: World) -> list[tuple[str, Mapping[str, Json]]]:
    """Return the type and the data of each of the gateway's own events, in order."""
    async with world.around.store.begin() as work:
        found = await work.events.after(owner=PLATFORM, sequence=0, limit=99)
    return [(it.event.type, it.event.data) for it in found]


async def types(world: World) -> list[str]:
    return [type for type, _ in await told(world)]


class TestChains:
    async def test_parking_and_resuming(self, world: World) -> None:
        await world.settle_down()
        world.chain.reorg(depth=6, through_final=True)
        with pytest.raises(FinalBlockReplaced):
            await world.watch()
        for _ in range(2):
            with pytest.raises(ChainParked):
                await world.watch()
        [(type, data)] = await told(world)
        assert type == "chain.parked"
        assert (data["id"], data["object"]) == (CHAIN, "chain")
        assert str(data["reason"]).startswith("FinalBlockReplaced: ")

        for _ in range(2):
            await world.services.watcher.resume(chain=CHAIN)
        assert await types(world) == ["chain.parked", "chain.resumed"]

    async def test_a_key_that_is_used_elsewhere(self, world: World) -> None:
        await world.payout_under_way()
        world.chain.blocks._sequences.put(HOT, 3)
        with pytest.raises(KeyUsedElsewhere):
            await world.send()
        assert await types(world) == ["chain.parked"]

    async def test_a_gap_that_opens_and_is_filled(self, world: World) -> None:
        await world.settle_down()

        @attrs.frozen
        class Silent:
            def __getattr__(self, name: str) -> object:
                return getattr(world.chain, name)

            async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
                if first < PLACES.first_block:
                    raise ChainUnavailable("history was cut")
                return await world.chain.scan(first=first, last=last, ours=ours)

        lower = attrs.evolve(PLACES, first_block=1)
        services = compose(world.around, reader=cast("ChainReader", Silent()), places=lower)
        for _ in range(3):
            with contextlib.suppress(ChainUnavailable):
                await services.watcher.watch(chain=CHAIN)
        opened = {"id": CHAIN, "object": "chain", "first_block": 1}
        assert await told(world) == [("chain.gap_opened", opened)]

        healed = compose(world.around, places=lower)
        for _ in range(2):
            await healed.watcher.watch(chain=CHAIN)
        assert await types(world) == ["chain.gap_opened", "chain.gap_closed"]

    async def test_another_reason_or_gap_is_no_news(self, world: World) -> None:
        await world.settle_down()
        for reason, gap in ((None, None), ("odd", 1), ("odder", 5), (None, None), (None, None)):
            async with world.around.store.begin() as work:
                was = await work.chains.lock_cursor(CHAIN)
                assert was is not None
                now = attrs.evolve(was, parked=reason, gap=gap)
                await keep(work, now, was=was, at=world.clock.now())
                await work.commit()
        assert await types(world) == [
            "chain.parked",
            "chain.gap_opened",
            "chain.resumed",
            "chain.gap_closed",
        ]


async def test_an_asset_that_is_parked_and_moves_again(world: World) -> None:
    await final(world)
    await planted(world, usdt(5))
    for _ in range(3):
        await reconcile(world)
    [(type, data)] = await told(world)
    assert (type, data["id"], data["object"]) == ("asset.parked", USDT.id, "asset")
    assert "in the books" in str(data["reason"])

    assert await world.services.conservation.resume(asset=USDT.id)
    assert not await world.services.conservation.resume(asset=USDT.id)
    assert await types(world) == ["asset.parked", "asset.resumed"]


async def test_a_wallet_that_is_low_and_filled_again() -> None:
    vault = await new_vault()
    await vault.gift(300 * UNIT)
    await vault.moved()
    assert await told(vault.world) == []
    gone = usdt(HOT_TARGET - HOT_MIN + 1)
    vault.world.chain.transfer(gone, source=HOT, target=PAYER)
    await vault.world.settle_down()
    async with vault.begin() as work:
        moved = (debit(WORLD, gone), credit(PLACES.hot, gone))
        booking = Transaction("paid_by_hand", "by hand", moved, vault.world.clock.now())
        await work.ledger.book(booking)
        await work.commit()
    for _ in range(3):
        await vault.rebalance()
    about = {"id": f"hot:{USDT.id}", "object": "wallet", "watched": "hot", "asset": USDT.id}
    assert await told(vault.world) == [("wallet.low", about)]
    await vault.bring_back(HOT_TARGET - HOT_MIN + 1)
    for _ in range(2):
        await vault.rebalance()
    assert await types(vault.world) == ["wallet.low", "wallet.ok"]


async def test_an_endpoint_that_is_switched_off(world: World) -> None:
    delivery = await one_delivery(world)
    world.around.publisher.refuse_next(410)
    await deliver_due(world)
    await deliver_due(world)
    off = {
        "id": delivery.endpoint_id,
        "object": "webhook_endpoint",
        "merchant": world.merchant.id,
        "reason": "gone",
    }
    assert await told(world) == [("webhook_endpoint.disabled", off)]


class TestJobs:
    async def test_a_job_that_dies_is_told_once_and_so_is_its_retry(self, world: World) -> None:
        service = JobService(world.around.store.begin, world.clock)
        [job_id] = await promise(world, 1)
        runner = runner_of(world)
        last = await die(world, runner)
        # Who has lost his claim meanwhile buries nothing.
        await runner.run(last)
        dead = {
            "id": job_id,
            "object": "job",
            "name": "carry_out_test_order",
            "queue": "upkeep",
            "attempts": 5,
        }
        assert await told(world) == [("job.dead", dead)]
        await service.retry(job_id=last.id)
        assert await types(world) == ["job.dead", "job.retried"]

    async def test_one_that_ends_its_runners_is_told_of_as_well(self, world: World) -> None:
        [job_id] = await promise(world, 1)
        runner = runner_of(world)
        for _ in range(8):
            await runner.claim(limit=9)
            world.clock.advance(hours=1)
        assert [(type, data["id"]) for type, data in await told(world)] == [("job.dead", job_id)]

    async def test_many_that_are_retried_are_one_event(self, world: World) -> None:
        await promise(world, 3)
        await die(world, runner_of(world))
        service = JobService(world.around.store.begin, world.clock)
        for _ in range(2):
            await service.retry_dead(queue=Queue.UPKEEP)
        *dead, last = await told(world)
        assert [type for type, _ in dead] == ["job.dead"] * 3
        assert last == ("queue.retried", {"id": "upkeep", "object": "queue", "jobs": 3})

    async def test_a_pause_is_told_when_it_begins_and_when_it_ends(self, world: World) -> None:
        service = JobService(world.around.store.begin, world.clock)
        for _ in range(2):
            await service.pause(queue=Queue.MONEY)
        for _ in range(2):
            await service.resume(queue=Queue.MONEY)
        about = {"id": "money", "object": "queue"}
        assert await told(world) == [("queue.paused", about), ("queue.resumed", about)]


def runner_of(world: World) -> JobRunner:
    async def fail(arguments: Mapping[str, str]) -> None:
        raise RuntimeError(arguments["why"])

    around, handlers = world.around, {"carry_out_test_order": fail}
    return JobRunner(around.store.begin, world.clock, around.ids, handlers, name="here")


async def promise(world: World, number: int) -> list[str]:
    """Promise jobs that fail, five times at most; return their ids."""
    async with world.around.store.begin() as work:
        for _ in range(number):
            await work.jobs.enqueue("carry_out_test_order", arguments={"why": "no"})
        await work.commit()
    return [job.id for job in world.around.store.tables.jobs]


async def die(world: World, runner: JobRunner) -> Job:
    """Run jobs until they are dead; return one as it was claimed last."""
    claimed: list[Job] = []
    for _ in range(8):
        for job in await runner.claim(limit=9):
            claimed.append(job)
            await runner.run(job)
        world.clock.move_to(world.clock.now() + timedelta(hours=3))
    return claimed[-1]
