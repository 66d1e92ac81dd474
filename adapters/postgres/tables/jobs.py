"""The job table."""

from __future__ import annotations

from sqlalchemy import Index, Table
from sqlalchemy import text as sql_text

from adapters.postgres.tables.columns import (
    METADATA,
    document,
    instant,
    key,
    name,
    small,
    text,
)

JOB = Table(
    "job",
    METADATA,
    key(),
    name("name"),
    document("arguments"),
    instant("run_at"),
    name("state"),
    small("attempts"),
    small("attempts_max"),
    name("dedupe_key", nullable=True),
    instant("lease_until", nullable=True),
    text("last_error", nullable=True),
)

UNFINISHED = sql_text("state in ('ready', 'running')")
"""The jobs among which a dedupe key is unique."""

Index("job_dedupe_key", JOB.c.dedupe_key, unique=True, postgresql_where=UNFINISHED)
Index("job_ready_idx", JOB.c.run_at, JOB.c.id, postgresql_where=JOB.c.state == "ready")
Index("job_running_idx", JOB.c.lease_until, postgresql_where=JOB.c.state == "running")
