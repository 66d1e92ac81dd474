"""What PostgreSQL looks at to claim and to end a job: never at what others wait for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from adapters.postgres import job_ends
from adapters.postgres.job_claims import CLAIM
from adapters.postgres.job_console import BACKLOG
from domain.shared.kinds import STANDINGS, Queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.postgres.statements import Statement

DELAYED = 20_000
NOW = datetime.now(UTC)
PARAMETERS = {
    "at": NOW,
    "limit": 8,
    "lease": timedelta(minutes=1),
    "queues": [*Queue],
    "runner": "here",
    "job_id": "job_1",
    "claims_": 1,
    "due_at": NOW,
}
FLOOD = f"""
insert into job (id, name, arguments, run_at, state, attempts, attempts_max, queue, standing)
select 'job_' || n, 'deliver_webhook', '{{}}', now() + interval '1 hour', 'ready', 1, 20,
    'webhooks', 2
from generate_series(1, {DELAYED}) n
"""  # noqa: S608 (a constant)


@pytest.fixture
def flooded(postgres_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with many deliveries that are due in an hour, as its statistics know."""
    with psycopg.connect(
        postgres_dsn, autocommit=True, cursor_factory=psycopg.RawCursor
    ) as connection:
        connection.execute(FLOOD.encode())
        connection.execute("analyze job")
        yield connection


def looked_at(connection: psycopg.Connection[Any], statement: Statement) -> tuple[int, set[str]]:
    """Return how many pages a statement looks at, and by which indexes."""
    text = f"explain (analyze, buffers, format json) {statement.text}"
    row = connection.execute(text.encode(), statement.arrange(PARAMETERS)).fetchone()
    assert row is not None
    [explained] = row[0] if isinstance(row[0], list) else json.loads(row[0])
    plan = explained["Plan"]
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return pages, set(_indexes(plan))


def _indexes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _indexes(part)


def test_a_claim_does_not_look_at_what_is_due_later(
    flooded: psycopg.Connection[Any],
) -> None:
    pages, indexes = looked_at(flooded, CLAIM)

    assert "job_ready_idx" in indexes
    # A few for each queue and class, however many jobs wait.
    assert pages < 6 * len(Queue) * STANDINGS


@pytest.mark.parametrize("end", ["COMPLETE", "REPEAT"])
def test_a_job_is_ended_by_its_id(flooded: psycopg.Connection[Any], end: str) -> None:
    _, indexes = looked_at(flooded, getattr(job_ends, end))

    assert indexes == {"job_pkey"}


def test_a_backlog_is_counted_without_a_look_at_what_is_done(
    flooded: psycopg.Connection[Any],
) -> None:
    flooded.execute("update job set state = 'done', finished_at = now() where id not like '%77'")
    flooded.execute("vacuum analyze job")

    _, indexes = looked_at(flooded, BACKLOG)

    # Of what is ready two know, and each would do; the table as a whole is not read.
    assert indexes - {"job_ready_idx", "job_dedupe_key"} == {"job_leased_idx", "job_dead_idx"}
    assert len(indexes) == 3


def test_leases_that_are_over_are_found_by_their_index(flooded: psycopg.Connection[Any]) -> None:
    """The server's clock stands still within a statement, or each lease would be looked at."""
    flooded.execute("update job set state = 'running', lease_until = now() + interval '1 hour'")
    flooded.execute("vacuum analyze job")
    pages, indexes = looked_at(flooded, job_ends.REAP)

    assert indexes == {"job_leased_idx", "job_pkey"}
    assert pages < 12
