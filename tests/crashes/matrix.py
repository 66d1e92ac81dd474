"""The crash matrix: each story told once in peace, and once for each moment at which to die."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import attrs

from domain.shared.running import LEASE
from tests.crashes.audit import events, must_be_right
from tests.crashes.story import Act
from tests.crashes.world import PACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.crashes.scenarios import Scenario
    from tests.crashes.world import World

CLOSING = Act()
"""After the story the worker works on, until what the last act led to has been told."""

EFFECTS = ("after commit", "after sender.broadcast", "after publisher.post")
"""The steps after which the world is another one."""


@attrs.frozen
class Step:
    """A place in a story: just before or just after a call of a port."""

    act: int
    name: str

    @property
    def job(self) -> str:
        """The job it is part of."""
        return self.name.partition(": ")[0]

    @property
    def call(self) -> str:
        """The side and the call, without its number, such as ``before commit``."""
        return self.name.partition(": ")[2].partition(" #")[0]

    @property
    def is_before(self) -> bool:
        """Tell whether the call has not been made yet."""
        return self.call.startswith("before ")

    def __str__(self) -> str:
        return f"act {self.act}, {self.name}"


Run: TypeAlias = tuple[Step, ...]
"""The steps of one job, from its begin to its end."""


@attrs.frozen
class Told:
    """A story that has come to its end."""

    steps: list[Step]
    events: list[str]
    """The types of the events that its merchant was told, in order."""


ROW = "crash matrix"
"""A test records what has become of its scenario under this name, in whichever process it runs."""


@attrs.define
class Row:
    """What became of one scenario."""

    scenario: str
    steps: int = 0
    killed: int = 0
    seconds: float = 0.0
    wrong: list[str] = attrs.field(factory=list)

    def __str__(self) -> str:
        return f"{self.scenario:20} {self.steps:6} {self.killed:6} {self.seconds:8.1f}"


async def interrupt_everywhere(world: World, scenario: Scenario) -> Row:
    """Tell a scenario's story in peace, and then once for each moment, with a death at it.

    A job that finds nothing to do passes the same steps in every story; there is a scenario for
    that, and nobody dies there twice.
    """
    began = time.monotonic()
    row = Row(scenario.name)
    known = set() if scenario.is_idle else await _idle(world)
    peaceful = await _tell(world, scenario)
    for run in runs(peaceful.steps):
        if run[0].job not in scenario.kinds or run[0].act < scenario.since_act:
            continue
        if _calls(run) in known:
            continue
        if scenario.is_idle:
            known.add(_calls(run))
        row.steps += len(run)
        for step in moments(run):
            try:
                told = await _tell(world, scenario, deadly=step)
                assert told.events == peaceful.events
            except Exception as error:  # noqa: BLE001 (every step gets its turn; see the row)
                row.wrong.append(f"{scenario.name}: {step}: {type(error).__name__}: {error}")
                world.kill_worker()
            row.killed += 1
    row.seconds = time.monotonic() - began
    return row


def runs(steps: Iterable[Step]) -> list[Run]:
    """Part steps by the jobs they are of, in their order."""
    return [tuple(run) for _, run in groupby(steps, key=lambda step: (step.act, step.job))]


def moments(run: Run) -> list[Step]:
    """Return one step of a job for each moment at which a process can die in it.

    After a call is before the next one: nothing can be seen in between. The moment is named after
    the call that is done where that has changed the world, and after the one to come elsewhere.
    """
    found: list[Step] = []
    for place, step in enumerate(run):
        if step.is_before:
            is_named = place > 0 and run[place - 1].call in EFFECTS
        else:
            is_named = step.call not in EFFECTS and place + 1 < len(run)
        if not is_named:
            found.append(step)
    return found


async def _idle(world: World) -> set[tuple[str, ...]]:
    """Return the calls of jobs that find nothing to do, and of those that find empty blocks."""
    steps = await world.go_on()
    await world.outside.mine()
    steps += await world.go_on()
    return {_calls(run) for run in runs([Step(0, name) for name in steps])}


def _calls(run: Run) -> tuple[str, ...]:
    return (run[0].job, *(step.call for step in run))


async def _tell(world: World, scenario: Scenario, *, deadly: Step | None = None) -> Told:
    """Tell a story to its end and hold the world to what must be."""
    story = await scenario.begin(world)
    passed: list[Step] = []
    died = False
    for number, act in enumerate([*story.acts, CLOSING], start=1):
        await act.happens()
        await world.pass_time(PACE_SECONDS + 1)
        here = deadly.name if deadly and deadly.act == number else None
        steps = await world.work(*act.requests, starts=scenario.is_idle, deadly=here)
        if steps is None:
            died = True
            # The product's own reaper gives back what the dead process had claimed.
            await world.pass_time(LEASE.total_seconds() + 1)
            await world.end_leases()
            steps = await world.work(*act.requests, again=True)
            assert steps is not None
        if number <= len(story.acts):
            passed += [Step(number, step) for step in steps]
    assert died is (deadly is not None), f"the story never came to {deadly}"
    await story.ends_well()
    await must_be_right(world, story.merchant)
    return Told(passed, await events(world, story.merchant))
