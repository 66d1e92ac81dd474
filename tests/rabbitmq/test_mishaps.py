"""A broker that is away, a worker that is killed: no job is lost, none is run beside itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rabbitmq.conftest import Field


def begun(field: Field) -> Counter[str]:
    return Counter(delivery for delivery, _ in field.lines())


async def test_a_broker_killed_under_load_loses_nothing(field: Field) -> None:
    jobs = [f"short_{number:03}" for number in range(600)]
    async with field.worker(threads=2), field.worker(threads=2):
        await field.promise(*jobs)
        await field.wait_for(lambda: len(field.lines()) > 50)
        await asyncio.to_thread(field.rabbit.kill)
        await asyncio.to_thread(field.rabbit.start)
        assert len(field.lines()) < len(jobs)
        await field.wait_for(field.all_done)

    assert begun(field) == Counter(jobs)


async def test_a_broker_that_is_away_is_waited_for(field: Field) -> None:
    field.rabbit.kill()
    async with field.worker():
        await field.promise("short_1")
        await field.wait_for(lambda: "RabbitMQ does not answer" in field.said())
        assert {state for _, state, _, _ in field.rows()} <= {"ready", "queued"}
        await asyncio.to_thread(field.rabbit.start)
        await field.wait_for(field.all_done)

    assert begun(field) == {"short_1": 1}


async def test_another_takes_over_from_a_worker_that_is_killed(field: Field) -> None:
    async with field.worker() as doomed:
        await field.promise("slow_1")
        await field.wait_for(field.lines)
        doomed.kill()
        await doomed.wait()
    async with field.worker() as heir:
        await field.wait_for(field.all_done)

    assert field.lines() == [["slow_1", str(doomed.pid)], ["slow_1", str(heir.pid)]]
    [(_, _, claims, attempts)] = field.rows()
    assert (claims, attempts) == (2, 2)
