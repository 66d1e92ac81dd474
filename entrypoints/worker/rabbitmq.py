"""RabbitMQ between many machines: a message is a job's id and the number of its claim."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import BrokerConnectionError

from domain.shared.ids import JobId
from domain.shared.kinds import STANDINGS, Queue
from domain.shared.running import QUEUED_LEASE
from entrypoints.worker.transport import POLL_SECONDS
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dramatiq import Actor, Broker
    from dramatiq.middleware import Middleware

    from domain.shared.jobs import Job
    from domain.shared.running import JobRunner
    from entrypoints.worker.in_hand import InHand
    from ports.jobs import JobNotices

QUEUED_AHEAD: Final = 32
"""How many jobs each relay keeps with the broker for each of its threads, at most.

Few, so that a message is hardly ever older than its job's lease; what is more waits in the table,
where it can still be overtaken by what is more urgent.
"""

BUSY_POLL_SECONDS: Final = 0.02
"""The same as ``POLL_SECONDS`` while jobs are under way, of which the broker may want more."""

BROKER_PAUSE_SECONDS: Final = 1.0
"""How long to wait before a broker that did not answer is tried again."""

TIMEOUTS: Final = {"blocked_connection_timeout": "30", "socket_timeout": "5", "heartbeat": "30"}
"""How long the broker may be silent, in seconds, where the URL does not say."""

QUEUE_PREFIX: Final = "switchyard."

log = logging.getLogger(__name__)


class RabbitTransport:
    """Hands jobs that are due to RabbitMQ, and runs those that it brings."""

    def __init__(
        self,
        runner: JobRunner,
        in_hand: InHand,
        notices: JobNotices,
        *,
        url: str,
        threads: int,
        relay: bool,
        middleware: list[Middleware],
    ) -> None:
        # The library tells of each lost connection in many lines and with a traceback.
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        self.broker: Broker = RabbitmqBroker(
            url=_bounded(url),
            confirm_delivery=True,
            max_priority=STANDINGS - 1,
            middleware=middleware,
        )
        self._runner = runner
        self._in_hand = in_hand
        self._notices = notices
        self._relay = relay
        self._queued_max = threads * QUEUED_AHEAD
        self._actors: dict[Queue, Actor[..., None]] = {}
        self._down = False
        # A connection belongs to the thread that has opened it, so one thread publishes.
        self._publisher = ThreadPoolExecutor(1, thread_name_prefix="publisher")

    def listen(self) -> None:
        """Have the broker bring jobs of the queues that this process serves."""
        for queue in self._runner.queues or Queue:
            self._actors[queue] = dramatiq.actor(
                actor_name=f"run_{queue}", queue_name=QUEUE_PREFIX + queue, broker=self.broker
            )(self._run)

    async def feed(self) -> None:
        """Hand over what is due; while the broker is away, try it with one job at a time."""
        if not self._relay:
            await asyncio.sleep(POLL_SECONDS)
            return
        jobs = await self._runner.hand_over(limit=1 if self._down else self._queued_max)
        unsent = await asyncio.get_running_loop().run_in_executor(
            self._publisher, self._publish, jobs
        )
        if unsent:
            await self._runner.put_back(unsent)
            await asyncio.sleep(BROKER_PAUSE_SECONDS)
        elif not jobs:
            busy = len(self._in_hand) > 0
            await self._notices.wait(seconds=BUSY_POLL_SECONDS if busy else POLL_SECONDS)

    def close(self) -> None:
        """Close the connections."""
        self._publisher.shutdown()
        self.broker.close()

    def _publish(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Publish jobs, each one confirmed by the broker; return those that it did not take."""
        for place, job in enumerate(jobs):
            try:
                self._actors[job.queue].send_with_options(
                    args=(job.id, job.claims), broker_priority=STANDINGS - 1 - job.standing
                )
            except (BrokerConnectionError, OSError) as error:
                if not self._down:
                    log.warning("RabbitMQ does not answer, jobs stay ready: %r", error)
                self._down = True
                return jobs[place:]
            if self._down:
                log.warning("RabbitMQ answers again")
                self._down = False
        return ()

    async def _run(self, job_id: str, claims: int) -> None:
        job = await self._start(JobId(job_id), claims)
        if job is not None and self._in_hand.take(job):
            await self._in_hand.run(job.id)

    async def _start(self, job_id: JobId, claims: int) -> Job | None:
        """Begin a job; where the storage is away, try for as long as the message counts."""
        for _ in range(int(QUEUED_LEASE.total_seconds())):
            try:
                return await self._runner.start(job_id, claims=claims)
            except StorageUnavailable as error:
                log.warning("job %s cannot be begun yet: %s", job_id, error)
                await asyncio.sleep(1)
        return None


def _bounded(url: str) -> str:
    """Return a URL that says how long the broker may be silent."""
    parts = urlsplit(url)
    return parts._replace(query=urlencode(TIMEOUTS | dict(parse_qsl(parts.query)))).geturl()
