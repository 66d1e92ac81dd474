"""Jobs through a real RabbitMQ: each once, none lost, and nothing but ids on the way."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pika  # type: ignore[import-untyped] # It has no types.
from dramatiq import Message
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from domain.shared.kinds import STANDINGS
from domain.shared.running import JobRunner
from entrypoints.worker.in_hand import InHand
from entrypoints.worker.rabbitmq import QUEUE_PREFIX, RabbitTransport
from ports.jobs import JobNotices

if TYPE_CHECKING:
    from tests.rabbitmq.conftest import Field

WEBHOOKS = f"{QUEUE_PREFIX}webhooks"


class NoNotices(JobNotices):
    async def wait(self, *, seconds: float) -> None:
        await asyncio.sleep(seconds)


def begun(field: Field) -> Counter[str]:
    return Counter(delivery for delivery, _ in field.lines())


async def test_two_workers_share_the_jobs_and_run_each_once(field: Field) -> None:
    jobs = [f"short_{number:03}" for number in range(300)]
    async with field.worker() as one, field.worker() as other:
        for first in range(0, 300, 50):
            await field.promise(*jobs[first : first + 50])
        await field.wait_for(field.all_done)

    assert begun(field) == Counter(jobs)
    by = Counter(pid for _, pid in field.lines())
    assert by.keys() == {str(one.pid), str(other.pid)}
    assert min(by.values()) > 30
    assert {attempts for _, _, _, attempts in field.rows()} == {1}


async def test_a_message_that_comes_again_or_late_changes_nothing(field: Field) -> None:
    runner = JobRunner(field.storage.begin, SystemClock(), RandomIds(), {}, name="relay")
    await field.promise("short_1", "short_2")
    jobs = await runner.hand_over(limit=9)
    async with field.worker(relay=False):
        publishing = RabbitmqBroker(url=field.rabbit.url, max_priority=3, middleware=[])
        with closing(publishing) as broker:
            broker.declare_queue(WEBHOOKS)
            for claims in (1, 1, 1, 2, 0):
                for job in jobs:
                    broker.enqueue(_message(job.id, claims))
            await field.wait_for(field.all_done)
            for job in jobs:
                broker.enqueue(_message(job.id, 1))
            await field.wait_for(lambda: _left(broker) == 0)

    assert begun(field) == {"short_1": 1, "short_2": 1}
    assert {row[2:] for row in field.rows()} == {(1, 1)}


async def test_a_message_is_an_id_and_a_number(field: Field) -> None:
    await field.promise("secret_1")
    runner = JobRunner(field.storage.begin, SystemClock(), RandomIds(), {}, name="relay")
    in_hand = InHand(runner, runner.clock)
    relay = RabbitTransport(
        runner,
        in_hand,
        NoNotices(),
        url=field.rabbit.url,
        threads=1,
        relay=True,
        middleware=[],
    )
    relay.listen()
    await relay.feed()
    relay.close()

    with closing(pika.BlockingConnection(pika.URLParameters(field.rabbit.url))) as connection:
        channel = connection.channel()
        method, properties, body = channel.basic_get(WEBHOOKS, auto_ack=True)
        assert method is not None
    [(job_id, state, claims, attempts)] = field.rows()
    told = json.loads(body)
    assert told["args"] == [job_id, claims]
    assert (told["kwargs"], set(told["options"])) == ({}, {"broker_priority"})
    assert b"secret" not in body
    assert (state, claims, attempts) == ("queued", 1, 0)
    assert (properties.delivery_mode, properties.priority) == (2, STANDINGS - 2)


def _message(job_id: str, claims: int) -> Message[None]:
    return Message(
        queue_name=WEBHOOKS,
        actor_name="run_webhooks",
        args=(job_id, claims),
        kwargs={},
        options={},
    )


def _left(broker: RabbitmqBroker) -> int:
    ready, _, _ = broker.get_queue_message_counts(WEBHOOKS)
    return int(ready)
