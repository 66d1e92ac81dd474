"""Jobs as rows, and their logs as documents in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal, literal_column, null
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB

from adapters.postgres.documents import read, write_json
from adapters.postgres.tables.columns import INSTANT
from adapters.postgres.tables.jobs import JOB
from domain.jobs.model import NOTES_MAX, Note
from domain.shared.jobs import Job, JobState
from domain.shared.kinds import Priority, Queue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from adapters.postgres.session import Row
    from domain.jobs.model import Happening

JOB_COLUMNS = tuple(column for column in JOB.columns if column.name != "log")
"""What a job is; its log is fetched only to be shown."""

_C = JOB.c

NOW = func.statement_timestamp(type_=INSTANT)
"""The server's time, which leases go by: that of the statement, so that an index is used."""

LEASE_END = NOW + bindparam("lease", type_=INTERVAL)

STATE_OF_ONE = _C.state.concat("")
"""The state of a job that is found by its id.

Written so that no index of some states is taken for it: hardly anything lives in those, but what
has passed through them since the last vacuum would have to be looked at.
"""


def job_row(job: Job) -> Row:
    """Return a job as a row."""
    return {
        "id": job.id,
        "name": job.name,
        "arguments": write_json(dict(job.arguments)),
        "run_at": job.run_at,
        "state": job.state,
        "attempts": job.attempts,
        "attempts_max": job.attempts_max,
        "dedupe_key": job.dedupe_key,
        "lease_until": job.lease_until,
        "last_error": job.last_error,
        "queue": job.queue,
        "priority": int(job.priority),
        "standing": int(job.standing),
        "claims": job.claims,
        "pace": job.pace,
        "runner": job.runner,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def job_of(row: Row) -> Job:
    """Return the job of a row."""
    return Job(
        **{
            **row,
            "state": JobState(row["state"]),
            "arguments": read(row["arguments"], dict[str, str]),
            "queue": Queue(row["queue"]),
            "priority": Priority(row["priority"]),
        }
    )


def log_of(stored: object) -> Sequence[Note]:
    """Return the notes of a log."""
    return tuple(read(stored, list[Note]))


def storable(text: str) -> str:
    """Replace what PostgreSQL cannot keep in a text: an error may quote anything."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def noted(
    what: ColumnElement[Any] | Happening,
    *,
    at: str,
    error: ColumnElement[Any] | None = None,
    traceback: ColumnElement[Any] | None = None,
    attempted: bool = True,
) -> ColumnElement[Any]:
    """Return a job's log with one note more, of the newest ones; ``at`` is a parameter's name.

    ``attempted`` says that the note is about the row's last attempt.
    """
    note = func.jsonb_build_object(
        *_pair("at", bindparam(at, type_=INSTANT)),
        *_pair("what", what if not isinstance(what, str) else literal(what.value)),
        *_pair("attempt", _C.attempts),
        *_pair("runner", _C.runner if attempted else null()),
        *_pair("since", _C.started_at if attempted else null()),
        *_pair("error", null() if error is None else error),
        *_pair("traceback", null() if traceback is None else traceback),
    )
    newest: ColumnElement[Any] = literal_column(f"'$[last - {NOTES_MAX - 1} to last]'::jsonpath")
    return func.jsonb_path_query_array(
        _C.log.op("||")(func.jsonb_build_array(note, type_=JSONB)), newest, type_=JSONB
    )


def _pair(name: str, value: Any) -> tuple[Any, Any]:  # noqa: ANN401 (any expression)
    return literal_column(f"'{name}'"), value
