"""The event log in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Integer,
    any_,
    bindparam,
    delete,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.documents import write_json
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, given_rows, select_by_id
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.events import EVENT, EVENT_COUNTER
from domain.shared.events import Event, RecordedEvent
from domain.shared.platform import PLATFORM
from ports.ids import Ids
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from adapters.postgres.session import Row, Write
    from adapters.postgres.statements import Statement
    from domain.shared.ids import EventId, MerchantId

_GIVEN = ("id", "merchant_id", "type", "object_id", "occurred_at", "data")


def _record() -> Statement:
    """Compile the statement that numbers events and adds them.

    It locks the counters of the merchants in the order of their ids, adds how many events each
    one has, and counts back from there.
    """
    listed = given_rows("event", Column("place", Integer), *(EVENT.c[name] for name in _GIVEN))
    given = select(*listed.c).cte("told")
    wanted = select(given.c.merchant_id, func.count()).group_by(given.c.merchant_id)
    counting = insert(EVENT_COUNTER).from_select(
        ["merchant_id", "last"], wanted.order_by(given.c.merchant_id)
    )
    counted = (
        counting.on_conflict_do_update(
            index_elements=[EVENT_COUNTER.c.merchant_id],
            set_={"last": EVENT_COUNTER.c.last + counting.excluded.last},
        )
        .returning(EVENT_COUNTER.c.merchant_id, EVENT_COUNTER.c.last)
        .cte("counted")
    )
    merchant = given.c.merchant_id
    sequence = (
        counted.c.last
        - func.count().over(partition_by=merchant)
        + func.row_number().over(partition_by=merchant, order_by=given.c.place)
    )
    rows = (
        # What is the gateway's own is handed to no webhooks.
        select(*(given.c[name] for name in _GIVEN), sequence, merchant == PLATFORM)
        .join_from(given, counted, counted.c.merchant_id == given.c.merchant_id)
        .order_by(given.c.place)
    )
    return compiled(insert(EVENT).from_select([*_GIVEN, "sequence", "relayed"], rows))


_RECORD = _record()
_AFTER = compiled(
    select(EVENT)
    .where(EVENT.c.merchant_id == bindparam("owner"), EVENT.c.sequence > bindparam("after"))
    .order_by(EVENT.c.sequence)
    .limit(bindparam("limit"))
)
_LAST = compiled(
    select(EVENT_COUNTER.c.last).where(EVENT_COUNTER.c.merchant_id == bindparam("owner"))
)
_place = given_rows("places", Column("owner", NAME), Column("after", BigInteger))
_next = (
    select(EVENT)
    .where(EVENT.c.merchant_id == _place.c.owner, EVENT.c.sequence > _place.c.after)
    .order_by(EVENT.c.sequence)
    .limit(bindparam("each"))
    .lateral("following")
)
_AFTER_EACH = compiled(
    # One look into the index for each merchant, whether there is anything new or not.
    select(*_next.c).select_from(_place.join(_next, true())).limit(bindparam("limit"))
)
_GET = select_by_id(EVENT)
_NAMED = compiled(select(EVENT).where(EVENT.c.id == any_(bindparam("ids", type_=ARRAY(NAME)))))
_OF_OBJECTS = compiled(
    select(EVENT)
    .where(
        EVENT.c.object_id == any_(bindparam("ids", type_=ARRAY(NAME))),
        EVENT.c.merchant_id == bindparam("owner"),
    )
    .order_by(EVENT.c.sequence.desc())
    .limit(bindparam("limit"))
)
_oldest = (
    select(
        EVENT.c.id,
        # Clocks differ: one that is to be kept keeps those that follow it.
        func.bool_and(EVENT.c.occurred_at < bindparam("before", type_=INSTANT))
        .over(order_by=EVENT.c.sequence)
        .label("old"),
    )
    .where(EVENT.c.merchant_id == bindparam("owner"))
    .order_by(EVENT.c.sequence)
    .limit(bindparam("limit"))
    .cte("oldest")
)
_PRUNE = compiled(
    delete(EVENT).where(EVENT.c.id == _oldest.c.id, _oldest.c.old).returning(EVENT.c.id)
)
_untaken = (
    select(EVENT.c.id)
    .where(EVENT.c.relayed.is_(False))
    .order_by(EVENT.c.position)
    .limit(bindparam("limit"))
    .with_for_update()
    .cte("untaken")
)
_TAKE = compiled(
    update(EVENT).values(relayed=True).where(EVENT.c.id == _untaken.c.id).returning(EVENT)
)


@attrs.frozen
class PostgresEventLog:
    """See ``ports.events.EventLog``."""

    _session: Session
    _ids: Ids = attrs.field(kw_only=True)
    _waiting: list[dict[str, object]] = attrs.field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._session.last = self._take_waiting

    async def record(self, *events: Event) -> None:
        """Let events wait for the commit, which numbers them."""
        for event in events:
            self._waiting.append(
                {
                    "place": len(self._waiting),
                    "id": self._ids.new("event"),
                    "merchant_id": event.merchant_id,
                    "type": event.type,
                    "object_id": event.object_id,
                    "occurred_at": event.occurred_at.isoformat(),
                    "data": event.data,
                }
            )

    async def after(
        self, *, owner: MerchantId, sequence: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return a merchant's events that follow a number, in order."""
        await self._number()
        rows = await self._session.rows(_AFTER, owner=owner, after=sequence, limit=limit)
        return [_event(row) for row in rows]

    async def last(self, *, owner: MerchantId) -> int:
        """Return the number of a merchant's newest event; 0 where there is none."""
        await self._number()
        row = await self._session.row(_LAST, owner=owner)
        return 0 if row is None else row["last"]

    async def after_each(
        self, places: Mapping[MerchantId, int], *, each: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return events of many merchants that follow the number given for each."""
        await self._number()
        named = write_json([{"owner": owner, "after": place} for owner, place in places.items()])
        rows = await self._session.rows(_AFTER_EACH, places=named, each=each, limit=limit)
        return [_event(row) for row in rows]

    async def get(self, event_id: EventId) -> RecordedEvent:
        """Return an event, or raise NotFound."""
        await self._number()
        row = await self._session.row(_GET, id=event_id)
        if row is None:
            raise NotFound("event", event_id)
        return _event(row)

    async def named(self, ids: Sequence[EventId]) -> Sequence[RecordedEvent]:
        """Return the events of these names, in any order."""
        await self._number()
        rows = await self._session.rows(_NAMED, ids=[*ids])
        return [_event(row) for row in rows]

    async def of_objects(
        self, ids: Sequence[str], *, owner: MerchantId, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return the newest events of some of a merchant's objects, oldest first."""
        await self._number()
        rows = await self._session.rows(_OF_OBJECTS, ids=[*ids], owner=owner, limit=limit)
        return [_event(row) for row in reversed(rows)]

    async def prune(self, *, owner: MerchantId, before: datetime, limit: int) -> int:
        """Drop a feed's oldest events, those of before a time; return how many."""
        await self._number()
        return len(await self._session.rows(_PRUNE, owner=owner, before=before, limit=limit))

    async def take_unrelayed(self, *, limit: int) -> Sequence[RecordedEvent]:
        """Return events not yet handed to the webhooks and mark them, one taker after another."""
        await self._number()
        rows = await self._session.rows(_TAKE, limit=limit)
        return [_event(row) for row in sorted(rows, key=lambda row: row["position"])]

    async def _number(self) -> None:
        """Number waiting events before the commit, for a unit of work that reads events."""
        if write := self._take_waiting():
            await self._session.flush()
            await self._session.write(*write)
            await self._session.flush()

    def _take_waiting(self) -> Write | None:
        if not self._waiting:
            return None
        parameters = {"event": write_json(self._waiting)}
        self._waiting.clear()
        return _RECORD, parameters


def _event(row: Row) -> RecordedEvent:
    return RecordedEvent(
        id=row["id"],
        sequence=row["sequence"],
        event=Event(
            type=row["type"],
            merchant_id=row["merchant_id"],
            object_id=row["object_id"],
            occurred_at=row["occurred_at"],
            data=row["data"],
        ),
    )
