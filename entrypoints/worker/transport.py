"""How jobs that are due come to threads: through this process's memory, or through RabbitMQ.

Either way the row in the job table is the truth about a job, and what goes through Dramatiq's
broker is its id alone: nothing is lost with a message, and one that comes twice, or late, finds
that there is nothing to be done. Trying again is the job table's business, never the broker's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import dramatiq
from dramatiq.brokers.stub import StubBroker

from domain.shared.ids import JobId

if TYPE_CHECKING:
    from dramatiq import Broker
    from dramatiq.middleware import Middleware

    from domain.shared.running import JobRunner
    from entrypoints.worker.in_hand import InHand
    from ports.jobs import JobNotices

POLL_SECONDS = 0.2
"""How long the job table is left alone when nothing in it has moved."""

AHEAD = 3
"""How many jobs are claimed for each thread: one to run, the rest to be at hand."""


class Transport(Protocol):
    """Brings jobs that are due to the threads of this process, or of others."""

    broker: Broker

    def listen(self) -> None:
        """Let jobs be run: everything they stand on is open."""
        ...

    async def feed(self) -> None:
        """Look once at the job table and send on what is due; wait a little where nothing is.

        Raises:
            StorageUnavailable: the storage did not answer.
        """
        ...

    def close(self) -> None:
        """Let go of the broker. No thread uses it any more."""
        ...


class MemoryTransport:
    """One process's own: claims as much as its threads can take, and a little ahead."""

    def __init__(
        self,
        runner: JobRunner,
        in_hand: InHand,
        notices: JobNotices,
        *,
        threads: int,
        middleware: list[Middleware],
    ) -> None:
        # The stub broker keeps messages in memory, which is all that one process needs.
        self.broker: Broker = StubBroker(middleware=middleware)
        self._runner = runner
        self._in_hand = in_hand
        self._notices = notices
        self._threads = threads
        self._run_job = dramatiq.actor(actor_name="run_job", broker=self.broker)(self._run)

    def listen(self) -> None:
        """Do nothing: what was not claimed cannot come."""

    async def feed(self) -> None:
        """Keep the threads busy, a few jobs ahead; where there are none, wait for one.

        A claim costs as much for one job as for several, so it waits until it is worth it.
        """
        while len(self._in_hand) > self._threads:
            if not await self._in_hand.wait(seconds=POLL_SECONDS):
                return
        free = self._threads * AHEAD - len(self._in_hand)
        jobs = await self._runner.claim(limit=free, reaps=False)
        for job in jobs:
            if self._in_hand.take(job):
                self._run_job.send(job.id)
        if not jobs:
            await self._notices.wait(seconds=POLL_SECONDS)

    def close(self) -> None:
        """Forget everything."""
        self.broker.close()

    async def _run(self, job_id: str) -> None:
        await self._in_hand.run(JobId(job_id))
