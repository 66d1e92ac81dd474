"""The job table, and the queues that an operator has paused."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Table
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    document,
    instant,
    key,
    name,
    small,
    text,
)


def _grown(name: str, kind: Any, default: str) -> Column[Any]:  # noqa: ANN401 (a column's type)
    """Return a column that programs of the schema before leave to the server."""
    return Column(name, kind, nullable=False, server_default=sql_text(default))


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
    _grown("queue", NAME, "'upkeep'"),
    _grown("priority", Integer, "1"),
    _grown("standing", Integer, "1"),
    _grown("claims", BigInteger, "0"),
    name("pace", nullable=True),
    name("runner", nullable=True),
    instant("started_at", nullable=True),
    instant("finished_at", nullable=True),
    _grown("log", JSONB, "'[]'"),
)

PAUSED_QUEUE = Table("paused_queue", METADATA, key("queue"), instant("since"))

UNFINISHED = sql_text("state in ('ready', 'queued', 'running')")
"""The jobs among which a dedupe key is unique."""

LEASED = sql_text("state in ('queued', 'running')")
FINISHED = sql_text("state in ('done', 'dead')")

_C = JOB.c
_READY = _C.state == "ready"
Index("job_dedupe_key", _C.dedupe_key, unique=True, postgresql_where=UNFINISHED)
Index("job_ready_idx", _C.queue, _C.standing, _C.run_at, _C.id, postgresql_where=_READY)
Index("job_leased_idx", _C.lease_until, postgresql_where=LEASED)
Index("job_pace_idx", _C.dedupe_key, postgresql_where=_C.pace.is_not(None))
Index("job_finished_idx", _C.state, _C.finished_at, postgresql_where=FINISHED)
Index("job_dead_idx", _C.queue, _C.id, postgresql_where=_C.state == "dead")
