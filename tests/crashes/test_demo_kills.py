"""A demo that is killed, whole or in part, at moments that nobody has chosen."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from tests.end_to_end.running_demo import RunningDemo, data_directory, wait_until_gone
from tests.end_to_end.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20_261_121


async def test_nothing_is_lost_or_doubled_whatever_is_killed() -> None:
    moments = random.Random(SEED)  # noqa: S311 (moments, not secrets)
    with data_directory() as directory:
        shop = Shop(directory)
        for after_seconds in (moments.uniform(2, 4), moments.uniform(4, 7)):
            starting = RunningDemo.start(directory)
            await asyncio.sleep(after_seconds)
            starting.kill_supervisor()

        shop.order("escrow")
        demo = RunningDemo.ready(directory)
        await _paying(demo, shop, until=moments.uniform(0.1, 3), then=demo.kill_supervisor)

        shop.order("escrow")
        demo = RunningDemo.ready(directory)
        await _paying(demo, shop, until=moments.uniform(4, 9), then=demo.kill_everything)

        shop.order("address", "address")
        demo = RunningDemo.ready(directory)
        worker = demo.process_of("worker")
        await _paying(demo, shop, until=moments.uniform(1, 6), then=worker.kill)
        assert demo.process.wait(30) == 1
        assert f"worker does not run; the end of {directory}" in demo.said()
        assert "Traceback" not in demo.said()
        wait_until_gone(directory, timeout_seconds=1)

        demo = RunningDemo.ready(directory)
        await shop.go_on(demo)
        await shop.reckon(demo)
        assert demo.interrupt() == 0


async def _paying(
    demo: RunningDemo, shop: Shop, *, until: float, then: Callable[[], object]
) -> None:
    """Let the shop do business for so many seconds, and end it by force."""
    business = asyncio.create_task(shop.go_on(demo))
    await asyncio.sleep(until)
    await asyncio.to_thread(then)
    business.cancel()
    await asyncio.gather(business, return_exceptions=True)
