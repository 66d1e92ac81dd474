"""``switchyard jobs`` over a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.bootstrap import operator
from config.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from domain.shared.jobs import Job


@pytest.fixture
def settings_file(written: Callable[..., Path], postgres_dsn: str) -> Path:
    return written(database={"url": postgres_dsn})


@pytest.fixture
def jobs(switchyard: Callable[..., Result], settings_file: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        return switchyard("jobs", *arguments, "--settings", str(settings_file))

    return run


@pytest.fixture
def dead(settings_file: Path) -> list[Job]:
    """Two deliveries that have failed for good, the newest first."""

    async def run() -> list[Job]:
        services = operator(load(settings_file))
        async with services.resources[0], services.jobs.begin() as work:
            for number in range(2):
                await work.jobs.enqueue("deliver_webhook", arguments={"delivery": f"wd_{number}"})
            now = services.jobs.clock.now()
            taken = await work.jobs.claim(
                at=now, limit=9, lease=timedelta(minutes=1), runner="host:1"
            )
            for job in taken:
                await work.jobs.bury(job, at=now, error="Boom: no", traceback="line 1\nline 2")
            await work.commit()
            return sorted(taken, key=lambda job: job.id, reverse=True)

    return asyncio.run(run())


def cells(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.output.splitlines()]


def test_an_operator_finds_what_is_dead_and_why(
    jobs: Callable[..., Result], dead: list[Job]
) -> None:
    first = cells(jobs("list", "--state", "dead", "--limit", "1"))
    rest = cells(jobs("list", "--queue", "webhooks", "--before", first[0][0]))
    assert [row[0] for row in first + rest] == [job.id for job in dead]
    assert first[0][1:4] == ["webhooks", "deliver_webhook", "dead"]
    assert first[0][-2:] == ["1/20", "Boom: no"]

    shown = jobs("show", dead[0].id)
    assert shown.exit_code == 0
    for part in ("delivery = wd_1", "buried  attempt 1 by host:1 begun", "    line 2"):
        assert part in shown.output


def test_what_is_dead_is_retried(jobs: Callable[..., Result], dead: list[Job]) -> None:
    assert jobs("retry", dead[0].id).output == f"{dead[0].id} ready again\n"
    again = jobs("retry", dead[0].id)
    assert again.exit_code == 1
    assert "is not dead" in again.stderr
    assert jobs("retry", "--dead-of", "webhooks").output == "1 ready again\n"
    assert jobs("show", "job_none").exit_code == 1
    assert jobs("retry").exit_code == 2


def test_queues_are_paused_resumed_and_counted(
    jobs: Callable[..., Result], dead: list[Job]
) -> None:
    assert len(dead) == 2
    assert jobs("pause", "webhooks").output == "webhooks paused\n"
    head, *rows = cells(jobs("stats"))
    by_queue = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert list(by_queue) == ["chains", "money", "upkeep", "webhooks"]
    assert by_queue["webhooks"]["dead"] == "2"
    assert by_queue["webhooks"]["paused since"] != "-"
    assert by_queue["money"]["paused since"] == by_queue["money"]["oldest due"] == "-"

    assert jobs("resume", "webhooks").output == "webhooks goes on\n"
    assert cells(jobs("stats"))[-1][-1] == "-"
    assert jobs("pause", "letters").exit_code == 2


def test_old_jobs_are_cleaned(jobs: Callable[..., Result], dead: list[Job]) -> None:
    assert len(dead) == 2
    assert jobs("clean", "dead", "--older-than-days", "1").output == "0 deleted\n"
    assert jobs("clean", "dead", "--older-than-days", "0", "--queue", "money").output == (
        "0 deleted\n"
    )
    assert jobs("clean", "dead", "--older-than-days", "0").output == "2 deleted\n"
    assert jobs("clean", "ready", "--older-than-days", "0").exit_code == 2
