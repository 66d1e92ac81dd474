"""The gateway's processes: workers that run jobs, an API that answers, each with many lives."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from config.jobs import handlers, schedules
from config.simulation.process import ConnectionLost
from config.simulation.rails import TON, TON_PACE
from config.simulation.turns import WAKE, Park
from domain.chains.model import ChainParked, CoverageGap, FinalBlockReplaced
from domain.shared.running import LEASE, JobRunner
from ports.chain import ChainUnavailable
from ports.stars import StarsUnavailable
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from datetime import datetime

    from config.bootstrap import WorkerServices
    from config.simulation.process import Process
    from config.simulation.trace import Trace
    from config.simulation.turns import Strand
    from config.simulation.world import Gateway, World
    from domain.shared.jobs import Job
    from domain.shared.running import Handler, Schedule

_T = TypeVar("_T")

OFTEN = ("watch_chain", "send_transactions")
"""What is done so often that a second chain would cost too much of a day, and is done less."""
THREADS = 4
"""How many jobs a worker runs at once."""
WORKERS = ("worker-1", "worker-2")
APIS = ("api-1",)
FORESEEN = (
    ChainUnavailable,
    StarsUnavailable,
    StorageUnavailable,
    ChainParked,
    CoverageGap,
    FinalBlockReplaced,
)
"""How a job may fail, for a reason outside the gateway."""


@attrs.frozen
class QueueFault:
    """What befalls the next job of a kind."""

    kind: str
    """``twice``, ``late``, ``lost``."""
    seconds: int = 0


class Fleet:
    """Starts processes, and others in their place when they die."""

    def __init__(
        self,
        world: World,
        trace: Trace,
        *,
        unforeseen: Callable[[str, Exception], None],
        adapt: Callable[[Any], None] | None = None,
    ) -> None:
        self.alive: dict[str, Gateway] = {}
        self.queue_faults: list[QueueFault] = []
        self.lives: Counter[str] = Counter()
        self.shuffles = False
        """Whether claimed jobs are begun in another order than they are due."""
        self.no_workers_until: datetime | None = None
        self._world = world
        self._trace = trace
        self._unforeseen = unforeseen
        self._adapt = adapt
        self._random = world.random("queue")
        self._gaps = world.random("gaps between lives")

    def start(self) -> None:
        """Start every process."""
        for name in (*WORKERS, *APIS):
            self._begin_life(name)

    async def request(
        self, name: str, what: str, verb: Callable[[Gateway], Coroutine[Any, Any, _T]]
    ) -> _T:
        """Ask a process for something, as a client of it.

        Raises:
            ConnectionLost: it is dead, or dies over it.
        """
        gateway = self.alive.get(name)
        if gateway is None:
            raise ConnectionLost(name)
        asleep: list[Strand] = []
        done: list[Strand] = []

        def on_end(strand: Strand) -> None:
            done.append(strand)
            for client in asleep:
                self._world.turns.wake(client)

        gateway.process.start(what, _as_park(verb(gateway)), on_end=on_end)
        asleep.append(self._world.turns.current)
        if not done:
            await WAKE
        [strand] = done
        if strand.dead:
            raise ConnectionLost(name)
        if strand.error is not None:
            raise strand.error
        result: _T = strand.result
        return result

    def _begin_life(self, name: str) -> None:
        self.lives[name] += 1
        far = self._gaps.randrange(10) == 0
        skew = timedelta(milliseconds=self._gaps.randrange(-1500, 1500) * (200 if far else 1))
        gateway = self._world.gateway(name, skew=skew, adapt=self._adapt)
        self.alive[name] = gateway
        gateway.process.on_death = lambda: self._ended(name)
        if name in WORKERS:
            work = _as_park(self._work(gateway))
            gateway.process.start("claims", work, on_end=self._stopped_claiming)

    def _stopped_claiming(self, strand: Strand) -> None:
        if strand.error is not None:
            self._unforeseen(strand.name, strand.error)

    def _ended(self, name: str) -> None:
        self._trace.note(name, "dies", f"after {self.alive[name].process.steps} steps")
        self._trace.counts["crashes"] += 1
        del self.alive[name]
        gap = timedelta(milliseconds=self._gaps.randrange(500, 90_000))
        self._world.turns.start(f"{name} again", self._again(name, gap))

    async def _again(self, name: str, gap: timedelta) -> None:
        await Park(until=self._world.clock.now() + gap)
        if name in WORKERS and self.no_workers_until is not None:
            await Park(until=max(self.no_workers_until, self._world.clock.now()))
        self._begin_life(name)
        self._trace.note(name, "starts", f"life {self.lives[name]}")

    async def _work(self, gateway: Gateway) -> None:
        """Claim jobs and run them, for ever."""
        services, process = gateway.worker(), gateway.process
        runner = JobRunner(
            begin=services.begin,
            clock=services.clock,
            ids=services.ids,
            handlers=self._traced(process, handlers(services)),
            schedules=self._schedules(services),
            calendar=services.calendar,
            name=process.name,
        )
        running: dict[str, Job] = {}
        begun = False
        while True:
            try:
                if not begun:
                    await runner.begin_schedules()
                    begun = True
                jobs = await runner.claim(limit=THREADS - len(running))
            except StorageUnavailable:
                await process.sleep(timedelta(seconds=1))
                continue
            self._begin_jobs(process, runner, list(jobs), running)
            if len(running) >= THREADS or not jobs:
                await self._rest(process, running)

    def _schedules(self, services: WorkerServices) -> Sequence[Schedule]:
        """Return the jobs that come back; those of the second chain do so seldom."""
        settings, with_stars = self._world.settings.worker, services.stars is not None
        return [
            attrs.evolve(it, every=TON_PACE)
            if it.arguments.get("chain") == TON and it.name in OFTEN
            else it
            for it in schedules(settings, services.chains, with_stars=with_stars)
        ]

    async def _rest(self, process: Process, running: Mapping[str, Job]) -> None:
        """Wait for a job to be due, or for a thread to be free."""
        turns = self._world.turns
        if len(running) < THREADS:
            due = turns.next_job_at()
            if due is not None and due <= turns.clock.now():
                # It is due by another machine's clock, or another worker was quicker.
                await process.sleep(timedelta(seconds=2))
                return
            turns.idle.append(turns.current)
            await WAKE
            return
        await process.sleep(timedelta(seconds=1))

    async def _renew(
        self, process: Process, runner: JobRunner, running: Mapping[str, Job]
    ) -> None:
        """Keep what runs here, as long as it runs."""
        while True:
            await process.sleep(LEASE / 3)
            if not running:
                return
            try:
                await runner.renew(list(running.values()))
            except StorageUnavailable:
                continue

    def _begin_jobs(
        self, process: Process, runner: JobRunner, jobs: list[Job], running: dict[str, Job]
    ) -> None:
        if self.shuffles:
            self._random.shuffle(jobs)
        if jobs and not running:
            process.start("renewals", _as_park(self._renew(process, runner, running)))
        for job in jobs:
            if job.id in running:
                continue  # It has outlived its lease and is run here already.
            fault = self.queue_faults.pop(0) if self.queue_faults else None
            if fault is not None:
                self._trace.note(process.name, f"queue: {job.name} {fault.kind}")
                self._trace.counts["faults"] += 1
            if fault is not None and fault.kind == "lost":
                continue
            running[job.id] = job
            late = fault.seconds if fault is not None and fault.kind == "late" else 0
            twice = fault is not None and fault.kind == "twice"
            for _ in range(2 if twice else 1):
                run = _as_park(self._run(process, runner, job, late))
                process.start(job.name, run, on_end=_leaving(running, job))

    async def _run(self, process: Process, runner: JobRunner, job: Job, late: int) -> None:
        if late:
            await process.sleep(timedelta(seconds=late))
        try:
            await runner.run(job)
        except StorageUnavailable:
            self._trace.note(process.name, job.name, "its end could not be stored")

    def _traced(self, process: Process, known: Mapping[str, Handler]) -> dict[str, Handler]:
        def traced(name: str, handler: Handler) -> Handler:
            async def run(arguments: Mapping[str, str]) -> None:
                about = arguments.get("delivery", "")
                try:
                    await handler(arguments)
                except FORESEEN as error:
                    self._trace.note(process.name, f"{name} {about}", type(error).__name__)
                    raise
                except Exception as error:
                    self._trace.note(process.name, f"{name} {about}", f"{error!r}")
                    self._unforeseen(name, error)
                    raise
                self._trace.note(process.name, f"{name} {about}", "done")

            return run

        return {name: traced(name, handler) for name, handler in known.items()}


def _leaving(running: dict[str, Job], job: Job) -> Callable[[Strand], None]:
    """Return what frees a thread when a job has ended."""

    def leave(_: Strand) -> None:
        running.pop(job.id, None)

    return leave


def _as_park(body: Coroutine[Any, Any, _T]) -> Coroutine[Park, None, _T]:
    """Return a coroutine as what it is here: one that stops at nothing but parks."""
    return body
