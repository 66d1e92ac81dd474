"""Many seeds at once: a thousand merchant-days, and every scenario that has found something."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from config.simulation.pinned import PINNED
from config.simulation.run import simulate
from config.simulation.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.simulation.run import Outcome

SEEDS = 15
DAYS = 7
MERCHANTS = 10
"""Together more than a thousand merchant-days."""


def scenarios(first_seed: int = 1) -> list[Scenario]:
    """Return what a campaign plays: each pinned scenario, and seeds from the first one on."""
    fresh = [
        Scenario(seed=seed, days=DAYS, merchants=MERCHANTS)
        for seed in range(first_seed, first_seed + SEEDS)
    ]
    return [*fresh, *(pinned.scenario for pinned in PINNED)]


def play_all(wanted: Iterable[Scenario], *, processes: int | None = None) -> Iterator[Outcome]:
    """Play scenarios on all cores; return their outcomes in the order of the scenarios."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=context) as pool:
        yield from pool.map(simulate, wanted)
