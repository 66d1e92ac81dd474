"""Playing a scenario from beginning to end."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

import attrs

from config.simulation.broken import Broken
from config.simulation.checkpoints import Checkpoints
from config.simulation.configured import CHAIN
from config.simulation.faults import Faults
from config.simulation.fleet import Fleet
from config.simulation.invariants import Invariants
from config.simulation.operator import Operator
from config.simulation.people import People
from config.simulation.rails import TON
from config.simulation.scenario import Scenario
from config.simulation.telegram import Posts
from config.simulation.trace import Trace
from config.simulation.turns import Park, Stuck
from config.simulation.world import TANKS, World
from domain.chains.submissions import SubmissionState
from domain.escrow.model import EscrowState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from config.simulation.rails import Rail
    from config.simulation.scenario import Act

AFTERWARDS = timedelta(days=7)
"""How long there is at most, after the faults stop, for everything to come to an end."""
PAUSE = timedelta(days=20, hours=2)
"""How long nothing is played after the first day where Stars are taken, which come of age after
21 days. In the first hours what was begun comes to rest; then the machines stand still."""
REST = timedelta(hours=2)


@attrs.frozen
class Outcome:
    """How a simulation ended."""

    scenario: Scenario
    broken: str | None
    """The invariant that did not hold, or None where all did."""
    what: str
    after: timedelta
    """How much virtual time went by."""
    digest: str
    """The SHA-256 of the trace."""
    counts: Mapping[str, int]
    tail: Sequence[str]
    """The last lines of the trace."""

    @property
    def ok(self) -> bool:
        """Tell whether everything held."""
        return self.broken is None


def simulate(
    scenario: Scenario,
    *,
    file: IO[str] | None = None,
    adapt: Callable[[Any], None] | None = None,
) -> Outcome:
    """Play a scenario; the same one gives the same outcome, trace and all.

    ``adapt`` may put other adapters under each process: that is how tests break things.
    """
    with _silence():
        play = Play(scenario, file=file, adapt=adapt)
        try:
            play.run()
        except Broken as broken:
            play.trace.note("broken", broken.invariant, broken.what)
            return play.outcome(broken.invariant, broken.what)
        except Stuck:
            play.trace.note("broken", "the store is held for ever")
            return play.outcome("nothing is stuck for ever", "the store is held for ever")
        finally:
            play.world.turns.close()
        return play.outcome(None, "")


class Play:
    """One scenario being played."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        file: IO[str] | None = None,
        adapt: Callable[[Any], None] | None = None,
    ) -> None:
        self.scenario = scenario
        self.world = World(seed=scenario.seed, rails=scenario.rails)
        self._began = self.world.clock.now()
        self.trace = Trace(self.world.clock, file=file)
        self.invariants = Invariants(self.world)
        self._acts = scenario.acts()
        self._surprise: Broken | None = None
        world, trace = self.world, self.trace
        self.fleet = Fleet(world, trace, unforeseen=self._unforeseen, adapt=adapt)
        self.people = People(world, self.fleet, trace, unforeseen=self._unforeseen)
        self.operator = Operator(
            world, self.fleet, trace, self.people, unforeseen=self._unforeseen
        )
        self.faults = Faults(world, self.fleet, trace)
        self.checkpoints = Checkpoints(world, self.people)
        self.auditor = world.gateway("auditor", truthful=True)
        if world.telegram is not None:
            posts = Posts(world, self.fleet, trace, unforeseen=self._unforeseen)
            world.telegram.begin(posts.tell)
        self._pauses = world.telegram is not None and scenario.days > 1
        self._paused = timedelta()

    def run(self) -> None:
        """Play it.

        Raises:
            Broken: an invariant did not hold.
        """
        world, turns = self.world, self.world.turns
        turns.on_turn = lambda strand: self.trace.turn(strand.name)
        world.store.on_commit = self.invariants.after
        self.do(self._open())
        self.fleet.start()
        for rail in world.rails.values():
            name = "chain" if rail.places.chain == CHAIN else str(rail.places.chain)
            turns.start(name, self._mine(rail, name))
        turns.start("stage", self._stage(self._acts))
        turns.start("operator", self.operator.rounds())
        for day in range(1, self.scenario.days + 1):
            turns.run(until=self._began + self._paused + timedelta(days=day))
            self._checkpoint()
            if day == 1 and self._pauses:
                self._pause()
        self.faults.stop()
        self.trace.note("faults", "stop")
        self._come_to_an_end()
        self.checkpoints.nothing_is_left()

    def outcome(self, broken: str | None, what: str) -> Outcome:
        """Return how it ended."""
        tables, counts = self.world.store.tables, self.trace.counts
        counts["payouts"] = len(tables.payouts)
        counts["settlements"] = len(tables.settlements)
        counts["escrows"] = len(tables.escrows)
        counts["sweeps"] = len(tables.sweeps)
        counts["events"] = len(tables.events)
        counts["deliveries"] = len(tables.deliveries)
        counts["transactions"] = len(tables.transactions)
        counts["observations"] = len(tables.observations)
        counts["commits"] = self.invariants.commits
        counts["turns"] = self.world.turns.given
        counts["lies"] = self.world.lies()
        counts["charges"] = len(tables.star_payments)
        counts["deposits"] = len(tables.deposits)
        counts["replaced"] = sum(bool(it.earlier) for it in tables.submissions)
        counts["canceled"] = sum(it.state is SubmissionState.CANCELED for it in tables.submissions)
        counts["batches"] = sum(len(it.parts) > 1 for it in tables.submissions)
        counts["expired"] = sum(it.state is SubmissionState.EXPIRED for it in tables.submissions)
        counts["acts"] = len(self._acts)
        return Outcome(
            scenario=self.scenario,
            broken=broken,
            what=what,
            after=self.world.clock.now() - self._began,
            digest=self.trace.digest,
            counts=dict(sorted(counts.items())),
            tail=tuple(self.trace.tail),
        )

    async def _open(self) -> None:
        """Fill the gas tanks, have the chains' first blocks final, and merchants register."""
        chains = [rail.chain for rail in self.world.rails.values()]
        self.world.rails[CHAIN].fill_tank(self.world.random("tank").choice(TANKS))
        if TON in self.world.rails:
            self.world.rails[TON].fill_tank(TANKS[1])
        for _ in range(3):
            self.world.clock.advance(seconds=12)
            for chain in chains:
                chain.mine()
        for chain in chains:
            chain.finalize()
            await self.auditor.books.book_gas(chain=chain.chain)
        await self.people.join(self.auditor, self.scenario.merchants)

    async def _stage(self, acts: Sequence[Act]) -> None:
        for act in acts:
            later = PAUSE if self._pauses and act.at >= timedelta(days=1) else timedelta()
            await Park(until=self._began + later + act.at)
            self.world.turns.start(f"#{act.number}", self._play(act))

    def _play(self, act: Act) -> Coroutine[Park, None, None]:
        """Return what carries an act out."""
        match act.verb:
            case "settle":
                return self.operator.settle()
            case "call_off":
                return self.operator.call_off(act)
        return self.faults.play(act) if act.kind else self.people.play(act)

    def _pause(self) -> None:
        """Let what was begun come to rest, and move on to when the next acts are."""
        self._paused = PAUSE
        until = self.world.clock.now() + PAUSE
        self.world.turns.run(until=self.world.clock.now() + REST)
        self.world.clock.move_to(until)
        self.trace.note("clock", "moves on", f"by {PAUSE - REST}")

    async def _mine(self, rail: Rail, name: str) -> None:
        first = rail.places.chain == CHAIN
        random = self.world.random("blocks" if first else f"blocks of {rail.places.chain}")
        least, most = rail.block_minutes
        while True:
            length = random.randrange(least * 60, most * 60)
            await Park(until=self.world.clock.now() + timedelta(seconds=length))
            rail.mine(now=self.world.clock.now())
            self.trace.counts["blocks"] += 1
            newest = rail.chain.blocks.mined[-1]
            self.trace.note(
                name, f"block {newest.block.number}", f"{len(newest.transactions)} transactions"
            )

    def _checkpoint(self) -> None:
        if self._surprise is not None:
            raise self._surprise
        self.do(self.checkpoints.look(self.auditor))
        self.trace.note("auditor", "all is right")

    def _come_to_an_end(self) -> None:
        """Give everything the time it needs, now that nothing goes wrong any more."""
        until = self.world.clock.now() + AFTERWARDS
        while self.world.clock.now() < until:
            self.world.turns.run(until=self.world.clock.now() + timedelta(hours=6))
            self._checkpoint()
            self._arbitrate()
            if not any(self.checkpoints.left()):
                return

    def _arbitrate(self) -> None:
        """Have the arbiter decide what is still in dispute."""
        for escrow in self.world.store.tables.escrows:
            if escrow.state is EscrowState.DISPUTED:
                self.world.chain.resolve(escrow.terms, payer_amount=0)

    def do(self, body: Any) -> None:  # noqa: ANN401 (a coroutine)
        """Have the auditor do something, to its end, at this time.

        Raises:
            Broken: an invariant does not hold after it.
        """
        ended: list[Exception | None] = []
        self.auditor.process.start("audit", body, on_end=lambda it: ended.append(it.error))
        self.world.turns.run(until=self.world.clock.now())
        for error in ended:
            if error is not None:
                raise error
        if not ended:
            raise Stuck

    def _unforeseen(self, what: str, error: Exception) -> None:
        self._surprise = self._surprise or Broken("nothing fails unforeseen", f"{what}: {error!r}")


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the domain from logging each failure that was ordered: the trace tells of them."""
    log = logging.getLogger("domain")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
