"""A worker dies at each step of each way that money takes, and nothing is lost or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.crashes.matrix import interrupt_everywhere
from tests.crashes.scenarios import DEPOSITS, SCENARIOS

if TYPE_CHECKING:
    from tests.crashes.matrix import Row
    from tests.crashes.scenarios import Scenario
    from tests.crashes.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_worker_may_die_at_any_step(
    world: World, scenario: Scenario, rows: list[Row]
) -> None:
    await _interrupt(world, scenario, rows)


@pytest.mark.parametrize("scenario", DEPOSITS, ids=lambda scenario: scenario.name)
async def test_a_worker_may_die_at_any_step_over_deposit_addresses(
    own_world: World, scenario: Scenario, rows: list[Row]
) -> None:
    await _interrupt(own_world, scenario, rows)


async def _interrupt(world: World, scenario: Scenario, rows: list[Row]) -> None:
    row = await interrupt_everywhere(world, scenario)
    rows.append(row)

    assert row.wrong == []
    assert row.killed > 0
