"""What an intent's rows cost by themselves: one hand-written statement, one commit, no gateway.

It runs in a process of its own: ``python -m tests.benchmarks.bare_intents '{"dsn": …}'``. The rows
are copies of an intent that the API has just made, with new names, and of another merchant.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import attrs
import psycopg
import uvloop
from psycopg import AsyncRawCursor
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.dialects.postgresql.base import PGDialect

from adapters.postgres.statements import written
from adapters.postgres.tables.events import EVENT
from adapters.postgres.tables.idempotency import IDEMPOTENCY_KEY
from adapters.postgres.tables.intents import PAYMENT_INTENT, QUOTE
from tests.benchmarks.load import Outcome, percentile_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table

MERCHANT = "mer_bare"
_TABLES = (QUOTE, PAYMENT_INTENT, IDEMPOTENCY_KEY, EVENT)
_DIALECT = PGDialect()  # type: ignore[no-untyped-call] # SQLAlchemy has no types here.
_FILLED = ("sequence", "kept_at", "relayed")
"""Columns with a value of the database's own, here or in the product."""
_NEWEST = {
    QUOTE: "id desc",
    PAYMENT_INTENT: "id desc",
    IDEMPOTENCY_KEY: "kept_at desc",
    EVENT: "position desc",
}


@attrs.frozen(kw_only=True)
class Order:
    """How many tasks at a time add intents, and for how long."""

    dsn: str
    tasks: int
    seconds: float
    connections: int = 16


@attrs.frozen
class Template:
    """The newest intent's rows, all values as text, and the statement that adds such rows."""

    sql: str
    names: tuple[str, ...]
    """Of the parameters: ``quote.id`` and so on, in order."""
    values: tuple[str | None, ...]

    def filled(self, name: str) -> list[str | None]:
        """Return the parameters of a copy with names of its own."""
        new: dict[str, str | None] = {
            "quote.id": f"qt_{name}",
            "payment_intent.quote_id": f"qt_{name}",
            "payment_intent.id": f"pi_{name}",
            "idempotency_key.key": name,
            "event.id": f"evt_{name}",
            "event.object_id": f"pi_{name}",
        }
        for table in ("quote", "payment_intent", "event"):
            new[f"{table}.merchant_id"] = MERCHANT
        new["idempotency_key.owner"] = MERCHANT
        place = json.loads(self.values[self.names.index("payment_intent.pay_to")] or "{}")
        if "address" in place:
            place["address"] = "0x" + secrets.token_hex(20)
            new["payment_intent.pay_to"] = json.dumps(place)
        return [new.get(name, value) for name, value in zip(self.names, self.values, strict=True)]


def template(dsn: str) -> Template:
    """Read the newest intent and what belongs to it."""
    names: list[str] = []
    values: list[str | None] = []
    parts: list[str] = []
    with psycopg.connect(dsn) as connection:
        for table in _TABLES:
            columns = written(table, without=_FILLED)
            row = _newest(connection, table, columns)
            marks = [f"${len(names) + place}" for place in range(1, len(columns) + 1)]
            names += (f"{table.name}.{column}" for column in columns)
            values += row
            parts.append(_insertion(table, columns, marks))
    *first, event = parts
    expressions = ", ".join(f"added_{place} as ({part})" for place, part in enumerate(first))
    return Template(f"with {expressions}, {event}", tuple(names), tuple(values))


def _newest(
    connection: psycopg.Connection[tuple[object, ...]], table: Table, columns: Sequence[str]
) -> list[str | None]:
    listed = ", ".join(f"{column}::text" for column in columns)
    query = f"select {listed} from {table.name} order by {_NEWEST[table]} limit 1"  # noqa: S608 (our own names)
    row = connection.execute(query.encode()).fetchone()
    if row is None:
        raise LookupError(f"no {table.name} to copy")
    return [None if value is None else str(value) for value in row]


def _insertion(table: Table, columns: Sequence[str], marks: Sequence[str]) -> str:
    listed, given = ", ".join(columns), ", ".join(marks)
    into = f"insert into {table.name} ({listed}"
    if table is not EVENT:
        return f"{into}) values ({given})"
    # Inside a SELECT a parameter does not take its column's type by itself.
    typed = ", ".join(
        f"{mark}::{table.c[column].type.compile(dialect=_DIALECT)}"
        for column, mark in zip(columns, marks, strict=True)
    )
    counted = (
        f"insert into event_counter values ('{MERCHANT}', 1) on conflict (merchant_id) "  # noqa: S608 (a constant)
        "do update set last = event_counter.last + 1 returning last"
    )
    return f"counted as ({counted}) {into}, sequence) select {typed}, last from counted"  # noqa: S608 (as above)


async def put(order: Order) -> Outcome:
    """Add intents until the time is over."""
    made = template(order.dsn)
    run = secrets.token_hex(8)
    numbers = itertools.count()
    seconds: list[float] = []
    sql = made.sql.encode()

    async def add() -> None:
        while (start := time.perf_counter()) < deadline:
            async with pool.connection() as connection:
                await connection.execute(sql, made.filled(f"{run}_{next(numbers)}"))
            seconds.append(time.perf_counter() - start)

    async with AsyncConnectionPool(
        order.dsn,
        min_size=order.connections,
        max_size=order.connections,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
        open=False,
    ) as pool:
        await pool.wait()
        began, cpu = time.perf_counter(), time.process_time()
        deadline = began + order.seconds
        async with asyncio.TaskGroup() as tasks:
            for _ in range(order.tasks):
                tasks.create_task(add())
    return Outcome(
        answers=Counter({"added": len(seconds)}),
        seconds=time.perf_counter() - began,
        p50_ms=percentile_ms(seconds, 50),
        p95_ms=percentile_ms(seconds, 95),
        p99_ms=percentile_ms(seconds, 99),
        cpu_seconds=time.process_time() - cpu,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(put(Order(**json.loads(sys.argv[1]))))
    sys.stdout.write(json.dumps(attrs.asdict(outcome)))
