"""The audit log in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, BigInteger, bindparam, func, insert, or_, select, tuple_

from adapters.postgres.documents import write_json
from adapters.postgres.insertions import array, insertion_of_rows
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, given_rows, written
from adapters.postgres.tables.audit import AUDIT_ENTRY, AUDIT_SEAL
from adapters.postgres.tables.columns import INSTANT, NAME
from domain.audit.model import DETAIL_MAX, Entry, Outcome, RecordedEntry
from domain.audit.model import written as objects_among
from domain.audit.seals import AuditSeal
from domain.shared.actors import ActorKind
from ports.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, FromClause

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.audit.model import Place, Wanted
    from domain.shared.actors import Actor

_E, _S = AUDIT_ENTRY.c, AUDIT_SEAL.c


def _add_done() -> Statement:
    """Compile the entry of what is done: constants are part of the text, and nothing comes back.

    SQLAlchemy would ask for the place that the database gives, and the server keep it for that.
    """
    known = {"outcome": Outcome.DONE.value, "times": 1}
    asked = {
        column.name: bindparam(column.name, type_=column.type)
        for column in AUDIT_ENTRY.columns
        if column.name not in ("sequence", "status", "problem", *known)
    }
    return compiled(insert(AUDIT_ENTRY).values(**known, **asked).inline())


def _add_many() -> Statement:
    names = written(AUDIT_ENTRY)
    rows = given_rows("entries", *(_E[name] for name in names))
    return compiled(
        insert(AUDIT_ENTRY).from_select(names, select(*(rows.c[name] for name in names)))
    )


def _page(entries: FromClause) -> Statement:
    """Compile the query of a page of entries.

    Planned with the values it is asked for, its conditions on what is left open vanish, and the
    planner knows how rare an action is: the same page is read off the index that is best for it.
    """

    def given(name: str, type_: Any, holds: ColumnElement[bool]) -> ColumnElement[bool]:  # noqa: ANN401 (SQLAlchemy's types have no common one)
        return or_(bindparam(name, type_=type_).is_(None), holds)

    def equal(name: str) -> ColumnElement[bool]:
        return given(name, NAME, column[name] == bindparam(name, type_=NAME))

    column = entries.c
    at, sequence = bindparam("at", type_=INSTANT), bindparam("sequence", type_=BigInteger)
    since, until = bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT)
    page = select(entries).where(
        equal("merchant_id"),
        equal("actor_id"),
        equal("action"),
        given("since", INSTANT, column.at >= since),
        given("until", INSTANT, column.at < until),
        given("at", INSTANT, tuple_(column.at, column.sequence) < tuple_(at, sequence)),
    )
    page = page.order_by(column.at.desc(), column.sequence.desc()).limit(bindparam("limit"))
    return attrs.evolve(compiled(page), planned_anew=True)


_ADD = _add_done()
_ADD_MANY = _add_many()
_PAGE = _page(AUDIT_ENTRY)
_of_object = select(AUDIT_ENTRY).where(
    _E.objects.bool_op("@>")(bindparam("objects", type_=ARRAY(NAME)))
)
# All of them at once, which are few. The planner knows nothing of how many name an object, and
# would look for it along the times.
_PAGE_OF_OBJECT = _page(_of_object.cte("of_object").prefix_with("MATERIALIZED"))
_SETTLED = compiled(select(func.begin_sealing_audit().label("settled")), takes_locks=True)
_LAST = compiled(select(AUDIT_SEAL).order_by(_S.number.desc()).limit(1))
_ADD_SEAL = insertion_of_rows(AUDIT_SEAL, *written(AUDIT_SEAL))
_SEALS = compiled(
    select(AUDIT_SEAL)
    .where(_S.number > bindparam("after"))
    .order_by(_S.number)
    .limit(bindparam("limit"))
)
_BETWEEN = compiled(
    select(AUDIT_ENTRY)
    .where(_E.sequence > bindparam("after"), _E.sequence <= bindparam("last"))
    .order_by(_E.sequence)
    .limit(bindparam("limit"))
)


@attrs.define(eq=False)
class PostgresAuditLog:
    """See ``ports.audit.AuditLog``."""

    _session: Session
    _clock: Clock = attrs.field(kw_only=True)
    _detail: str | None = attrs.field(default=None, init=False)

    def note(self, detail: str) -> None:
        """Say more in the entry of this unit of work."""
        self._detail = detail[:DETAIL_MAX]

    def tell(self, actor: Actor) -> bool:
        """Have what an actor has written recorded by the same commit; return whether it is."""
        if not self._session.has_written:
            return False
        entry = Entry.of(actor, at=self._clock.now(), objects=objects_among(self._session.written))
        row = _row(entry)
        row["objects"] = array(entry.objects) if entry.objects else "{}"
        row["detail"] = self._detail
        self._session.append(_ADD, row)
        return True

    async def record(self, entries: Sequence[Entry]) -> None:
        """Add entries of what was done, refused or failed elsewhere."""
        rows = [{**_row(entry), "at": entry.at.isoformat()} for entry in entries]
        await self._session.write(_ADD_MANY, {"entries": write_json(rows)})

    async def page(
        self, wanted: Wanted, *, before: Place | None, limit: int
    ) -> Sequence[RecordedEntry]:
        """Return entries, newest first; ``before`` is the place of the last of the page before."""
        rows = await self._session.rows(
            _PAGE if wanted.object is None else _PAGE_OF_OBJECT,
            merchant_id=wanted.merchant_id,
            actor_id=wanted.actor_id,
            action=wanted.action,
            objects=[wanted.object],
            since=wanted.since,
            until=wanted.until,
            at=before and before.at,
            sequence=before and before.sequence,
            limit=limit,
        )
        return [_recorded(row) for row in rows]

    async def unsealed(self, *, limit: int) -> Sequence[RecordedEntry]:
        """Return the entries that follow the newest seal, and keep other sealers out.

        A function in the database says up to where nothing can appear any more.
        """
        [row] = await self._session.rows(_SETTLED)
        last = await self.last_seal()
        return await self.between(last.last if last else 0, row["settled"], limit=limit)

    async def last_seal(self) -> AuditSeal | None:
        """Return the newest seal."""
        row = await self._session.row(_LAST)
        return AuditSeal(**row) if row else None

    async def add_seal(self, seal: AuditSeal) -> None:
        """Store a seal; a number that has one raises AlreadyExists."""
        row = (seal.number, seal.last, f"\\x{seal.marks.hex()}", f"\\x{seal.hash.hex()}")
        await self._session.write(*_ADD_SEAL.of([row]))

    async def seals(self, *, after: int, limit: int) -> Sequence[AuditSeal]:
        """Return seals that follow a number, in order."""
        rows = await self._session.rows(_SEALS, after=after, limit=limit)
        return [AuditSeal(**row) for row in rows]

    async def between(self, after: int, last: int, *, limit: int) -> Sequence[RecordedEntry]:
        """Return the entries behind a place, up to another, in order."""
        rows = await self._session.rows(_BETWEEN, after=after, last=last, limit=limit)
        return [_recorded(row) for row in rows]


_FIELDS = tuple(field.name for field in attrs.fields(Entry))


def _row(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _FIELDS}


def _recorded(row: Row) -> RecordedEntry:
    sequence = row.pop("sequence")
    return RecordedEntry(
        sequence,
        Entry(
            **{
                **row,
                "actor": None if row["actor"] is None else ActorKind(row["actor"]),
                "outcome": Outcome(row["outcome"]),
                "objects": tuple(row["objects"]),
            }
        ),
    )
