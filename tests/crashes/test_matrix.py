"""A worker dies at each step of each way that money takes, and nothing is lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from tests.crashes.matrix import ROW, interrupt_everywhere
from tests.crashes.scenarios import DEPOSITS, SCENARIOS, TOGETHER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.crashes.scenarios import Scenario
    from tests.crashes.world import World

    Record = Callable[[str, object], None]

pytestmark = pytest.mark.asyncio(loop_scope="session")


IDLE = [it for it in SCENARIOS if it.is_idle]
"""Their world is their own: what another story has left could come due in the middle of it."""


@pytest.mark.parametrize("scenario", IDLE, ids=lambda scenario: scenario.name)
async def test_a_worker_may_die_at_any_step_of_doing_nothing(
    own_world: World, scenario: Scenario, record_property: Record
) -> None:
    await _interrupt(own_world, scenario, record_property)


@pytest.mark.parametrize(
    "scenario",
    [it for it in SCENARIOS if not it.is_idle],
    ids=lambda scenario: scenario.name,
)
async def test_a_worker_may_die_at_any_step(
    world: World, scenario: Scenario, record_property: Record
) -> None:
    await _interrupt(world, scenario, record_property)


@pytest.mark.parametrize("scenario", DEPOSITS, ids=lambda scenario: scenario.name)
async def test_a_worker_may_die_at_any_step_over_deposit_addresses(
    own_world: World, scenario: Scenario, record_property: Record
) -> None:
    await _interrupt(own_world, scenario, record_property)


@pytest.mark.parametrize("scenario", TOGETHER, ids=lambda scenario: scenario.name)
async def test_a_worker_may_die_at_any_step_where_many_are_swept_at_once(
    collecting_world: World, scenario: Scenario, record_property: Record
) -> None:
    await _interrupt(collecting_world, scenario, record_property)


async def _interrupt(world: World, scenario: Scenario, record: Record) -> None:
    row = await interrupt_everywhere(world, scenario)
    record(ROW, attrs.asdict(row))

    assert row.wrong == []
    assert row.killed > 0
