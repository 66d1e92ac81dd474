"""What API keys are used for, and what is taken of their quotas, in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, case, delete, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.documents import write_json
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, given_rows
from adapters.postgres.tables.merchants import API_KEY, API_KEY_QUOTA, API_KEY_USAGE
from domain.limits.model import Lease
from domain.usage.model import USED_EVERY, Requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from adapters.postgres.statements import Statement
    from domain.limits.model import Kind
    from domain.shared.ids import KeyId


def _lease() -> Statement:
    table, quota = API_KEY_QUOTA.c, bindparam("quota", type_=API_KEY_QUOTA.c.taken.type)
    wanted = bindparam("wanted", type_=table.taken.type)
    new = insert(API_KEY_QUOTA).values(
        key_id=bindparam("key_id"),
        kind=bindparam("kind"),
        window_number=bindparam("window"),
        taken=func.least(wanted, quota),
        granted=func.least(wanted, quota),
    )
    begins = new.excluded.window_number > table.window_number
    # A quota that was made smaller meanwhile must not give anything back.
    before = case((begins, literal(0)), else_=table.taken)
    granted = func.greatest(0, func.least(wanted, quota - before))
    leased = new.on_conflict_do_update(
        index_elements=[table.key_id, table.kind],
        set_={
            "window_number": func.greatest(table.window_number, new.excluded.window_number),
            "taken": before + granted,
            "granted": granted,
        },
    ).returning(table.window_number, table.taken, table.granted)
    # The only statement of its unit of work, it is a transaction by itself: one round trip.
    return attrs.evolve(compiled(leased), needs_transaction=False)


def _count() -> Statement:
    rows = given_rows("requests", *API_KEY_USAGE.columns)
    new = insert(API_KEY_USAGE).from_select(
        [column.name for column in API_KEY_USAGE.columns],
        # In the order given, in which every process locks.
        select(*(rows.c[column.name] for column in API_KEY_USAGE.columns)),
    )
    return compiled(
        new.on_conflict_do_update(
            index_elements=list(API_KEY_USAGE.primary_key),
            set_={"count": API_KEY_USAGE.c.count + new.excluded.count},
        )
    )


def _note_used() -> Statement:
    rows = given_rows("used", API_KEY.c.id, API_KEY.c.last_used_at)
    return compiled(
        update(API_KEY)
        .values(last_used_at=rows.c.last_used_at)
        .where(
            API_KEY.c.id == rows.c.id,
            func.coalesce(
                API_KEY.c.last_used_at <= rows.c.last_used_at - USED_EVERY, literal(value=True)
            ),
        )
    )


_LEASE = _lease()
_COUNT = _count()
_NOTE_USED = _note_used()
_DAYS = compiled(
    select(API_KEY_USAGE)
    .where(API_KEY_USAGE.c.key_id == bindparam("key_id"), API_KEY_USAGE.c.day >= bindparam("day"))
    .order_by(API_KEY_USAGE.c.day, API_KEY_USAGE.c.status_class)
)

_U = API_KEY_USAGE.c
_NAME = tuple_(_U.key_id, _U.day, _U.status_class)
_old = (
    select(_U.key_id, _U.day, _U.status_class)
    .where(_U.day < bindparam("before", type_=_U.day.type))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_PRUNE = compiled(delete(API_KEY_USAGE).where(_NAME.in_(_old)).returning(_U.key_id))


@attrs.frozen
class PostgresKeyUsage:
    """See ``ports.key_usage.KeyUsage``."""

    _session: Session

    async def lease(
        self, key_id: KeyId, kind: Kind, *, window: int, wanted: int, quota: int
    ) -> Lease:
        """Take as much of a window's quota as is wanted, or what is left of it."""
        [row] = await self._session.rows(
            _LEASE, key_id=key_id, kind=kind, window=window, wanted=wanted, quota=quota
        )
        left = max(0, quota - row["taken"])
        return Lease(row["window_number"], granted=row["granted"], left=left)

    async def count(self, requests: Sequence[Requests]) -> None:
        """Add requests to those counted before."""
        rows = [{**attrs.asdict(it), "day": it.day.isoformat()} for it in requests]
        await self._session.write(_COUNT, {"requests": write_json(rows)})

    async def note_used(self, used: Mapping[KeyId, datetime]) -> None:
        """Note when keys were last used, where what is noted is a minute older or more."""
        rows = [{"id": key, "last_used_at": used[key].isoformat()} for key in sorted(used)]
        await self._session.write(_NOTE_USED, {"used": write_json(rows)}, *used)

    async def days(self, key_id: KeyId, *, since: date) -> Sequence[Requests]:
        """Return what was counted from a day on, by day and then by status."""
        rows = await self._session.rows(_DAYS, key_id=key_id, day=since)
        return [Requests(**row) for row in rows]

    async def prune(self, *, before: date, limit: int) -> int:
        """Drop what was counted before a day; return how many rows."""
        return len(await self._session.rows(_PRUNE, before=before, limit=limit))
