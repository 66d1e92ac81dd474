"""``switchyard jobs``: what an operator does with jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from domain.shared.ids import JobId
from domain.shared.jobs import JobState
from domain.shared.kinds import Queue
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.jobs.model import Note
    from domain.shared.jobs import Job

_queues = click.Choice([queue.value for queue in Queue])
_states = click.Choice([state.value for state in JobState])
COUNTED = ("ready", "scheduled", "queued", "running", "done", "dead")


@click.group()
def jobs() -> None:
    """Jobs: what waits, what failed, and what to do about it."""


@jobs.command()
@settings_option
def stats(file: Path | None) -> None:
    """Print how many jobs of each queue are in which state."""

    async def run(services: OperatorServices) -> int:
        click.echo("\t".join(("queue", *COUNTED, "oldest due", "paused since")))
        for queue in await services.jobs.stats():
            counts = (str(getattr(queue, name)) for name in COUNTED)
            times = (_time(queue.oldest_due), _time(queue.paused_since))
            click.echo("\t".join((queue.queue, *counts, *times)))
        return 0

    operate(file, run)


@jobs.command(name="list")
@click.option("--state", type=_states, help="Only jobs in this state.")
@click.option("--queue", type=_queues, help="Only jobs of this queue.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--before", help="The last job of the page before.")
@settings_option
def list_(
    file: Path | None, state: str | None, queue: str | None, limit: int, before: str | None
) -> None:
    """Print jobs, the newest first."""

    async def run(services: OperatorServices) -> int:
        page = await services.jobs.page(
            limit=limit,
            state=JobState(state) if state else None,
            queue=Queue(queue) if queue else None,
            before=JobId(before) if before else None,
        )
        for job in page:
            click.echo("\t".join(_row(job)))
        return 0

    operate(file, run)


@jobs.command()
@click.argument("job_id")
@settings_option
def show(job_id: str, file: Path | None) -> None:
    """Print a job and its log."""

    async def run(services: OperatorServices) -> int:
        history = await services.jobs.show(job_id=JobId(job_id))
        job = history.job
        click.echo("\t".join(_row(job)))
        for name, value in job.arguments.items():
            click.echo(f"  {name} = {value}")
        if job.pace:
            click.echo(f"  comes back: {job.pace}")
        for note in history.log:
            _tell(note)
        return 0

    operate(file, run)


@jobs.command()
@click.argument("job_id", required=False)
@click.option("--dead-of", "queue", type=_queues, help="All dead jobs of this queue.")
@settings_option
def retry(job_id: str | None, queue: str | None, file: Path | None) -> None:
    """Make a dead job, or all those of a queue, ready again with all its attempts."""
    if (job_id is None) == (queue is None):
        raise click.UsageError("name a job, or a queue by --dead-of")

    async def run(services: OperatorServices) -> int:
        if queue is not None:
            retried = await services.jobs.retry_dead(queue=Queue(queue))
            click.echo(f"{retried} ready again")
        elif job_id is not None:
            await services.jobs.retry(job_id=JobId(job_id))
            click.echo(f"{job_id} ready again")
        return 0

    operate(file, run)


@jobs.command()
@click.argument("queue", type=_queues)
@settings_option
def pause(queue: str, file: Path | None) -> None:
    """Have nothing of a queue taken any more; what runs ends."""

    async def run(services: OperatorServices) -> int:
        await services.jobs.pause(queue=Queue(queue))
        click.echo(f"{queue} paused")
        return 0

    operate(file, run)


@jobs.command()
@click.argument("queue", type=_queues)
@settings_option
def resume(queue: str, file: Path | None) -> None:
    """Have jobs of a queue taken again."""

    async def run(services: OperatorServices) -> int:
        await services.jobs.resume(queue=Queue(queue))
        click.echo(f"{queue} goes on")
        return 0

    operate(file, run)


@jobs.command()
@click.argument("state", type=click.Choice([JobState.DONE.value, JobState.DEAD.value]))
@click.option("--older-than-days", type=click.IntRange(0), required=True)
@click.option("--queue", type=_queues, help="Only jobs of this queue.")
@settings_option
def clean(state: str, older_than_days: int, queue: str | None, file: Path | None) -> None:
    """Delete jobs that ended long ago, with their logs."""

    async def run(services: OperatorServices) -> int:
        deleted = await services.jobs.clean(
            state=JobState(state),
            older_than=timedelta(days=older_than_days),
            queue=Queue(queue) if queue else None,
        )
        click.echo(f"{deleted} deleted")
        return 0

    operate(file, run)


def _row(job: Job) -> tuple[str, ...]:
    return (
        job.id,
        job.queue,
        job.name,
        job.state,
        _time(job.run_at),
        f"{job.attempts}/{job.attempts_max}",
        job.last_error or "-",
    )


def _tell(note: Note) -> None:
    who = f" by {note.runner}" if note.runner else ""
    since = f" begun {_time(note.since)}" if note.since else ""
    click.echo(f"{_time(note.at)}  {note.what}  attempt {note.attempt}{who}{since}")
    if note.error:
        click.echo(f"    {note.error}")
    for line in (note.traceback or "").splitlines():
        click.echo(f"    {line}")


def _time(at: datetime | None) -> str:
    return "-" if at is None else at.isoformat(timespec="seconds")
