"""Stuck transactions on PostgreSQL: two processes outbid, take back, and watch at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from adapters.memory.offers import REPLACEMENTS_MAX, STUCK_AFTER
from domain.chains.canceling import Canceling
from domain.chains.submissions import SubmissionState, SubmissionTransitionRefused
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN
from tests.concurrency.gateway import at_once
from tests.domain.scene import ASSETS, NET, PLACES, TILL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.submissions import Submission
    from domain.settlements.payouts import Payout
    from domain.shared.ids import SubmissionId
    from tests.concurrency.gateway import Gateways
    from tests.domain.services import Services

SEEDS = range(5)
ENDS = {PayoutState.CONFIRMED: SubmissionState.CONFIRMED,
        PayoutState.REFUSED: SubmissionState.CANCELED}  # fmt: skip


async def stuck(gateways: Gateways) -> Payout:
    """Return a payout whose transaction offers too little and has waited long enough."""
    world = gateways.world
    await world.released()
    [settlement] = await world.services.settlements.run()
    assert settlement.payout_id is not None
    await world.send()
    gateways.around.chain.stick()
    await world.read(STUCK_AFTER)
    return await world.payout(settlement.payout_id)


async def newest(gateways: Gateways, payout: Payout) -> Submission:
    assert payout.submission_id is not None
    async with gateways.process(0).begin() as work:
        return await work.chains.lock_submission(payout.submission_id)


async def send(gateways: Gateways, process: Services) -> None:
    for _ in range(3):
        await gateways.hesitate.wait(times=3)
        await process.sender.send(chain=CHAIN)


async def watch(gateways: Gateways, process: Services) -> None:
    for _ in range(4):
        await gateways.hesitate.wait(times=3)
        await process.watcher.watch(chain=CHAIN)


async def chain_goes_on(gateways: Gateways) -> None:
    for _ in range(6):
        await gateways.hesitate.wait(times=4)
        gateways.around.chain.mine()


async def cancel(gateways: Gateways, process: Services, id: SubmissionId) -> None:
    await gateways.hesitate.wait(times=6)
    around = gateways.around
    places = {CHAIN: PLACES}
    canceling = Canceling(process.begin, around.clock, around.ids, ASSETS, places)
    with suppress(SubmissionTransitionRefused):
        await canceling.cancel(submission_id=id)


@pytest.mark.parametrize("canceled", [False, True])
async def test_a_stuck_payout_is_paid_or_comes_back_once_whoever_does_what_when(
    gateways: Gateways, *, canceled: bool
) -> None:
    ends: list[PayoutState] = []
    for seed in SEEDS:
        gateways.around.chain.ease()
        gateways.reseed(seed)
        had = gateways.world.held(TILL)
        payout = await stuck(gateways)
        assert payout.submission_id is not None
        processes = [gateways.process(number) for number in range(4)]
        tasks = [
            chain_goes_on(gateways),
            *(send(gateways, it) for it in processes),
            *(watch(gateways, it) for it in processes[:3]),
        ]
        if canceled:
            tasks.append(cancel(gateways, processes[1], payout.submission_id))

        await at_once(tasks, seed=seed)
        await gateways.world.send_and_settle_down()

        ended, now = await newest(gateways, payout), await gateways.world.payout(payout.id)
        assert ended.state is ENDS[now.state]
        assert len(ended.attempts) <= REPLACEMENTS_MAX + 1
        assert len({it.sequence for it in ended.attempts}) == 1
        paid = gateways.world.held(TILL) - had
        assert paid == (payout.money.amount if now.state is PayoutState.CONFIRMED else 0)
        await gateways.must_be_right()
        ends.append(now.state)
    if not canceled:
        assert set(ends) == {PayoutState.CONFIRMED}


async def test_two_processes_replace_once(gateways: Gateways) -> None:
    payout = await stuck(gateways)

    await asyncio.gather(
        *(gateways.process(number).sender.send(chain=CHAIN) for number in range(4))
    )

    assert len((await newest(gateways, payout)).attempts) == 2


async def test_two_processes_never_sign_one_number_for_two_submissions(
    gateways: Gateways, postgres_dsn: str
) -> None:
    for _ in range(3):
        await gateways.world.released()
        await gateways.world.services.settlements.run()
        await asyncio.gather(
            *(gateways.process(number).sender.send(chain=CHAIN) for number in range(4))
        )
        await gateways.world.settle_down()

    numbers = await _numbers(postgres_dsn)
    assert numbers == [*range(len(numbers))]
    assert gateways.world.held(TILL) == 3 * NET


async def _numbers(dsn: str) -> Sequence[int]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(
            "select sequence from submission where sequence is not null order by sequence"
        )
        return [row[0] for row in await cursor.fetchall()]
