"""Suspense in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, or_, select, tuple_

from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.chains import OBSERVATION
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.suspense import SUSPENSE_DECISION, SUSPENSE_ITEM
from domain.chains.model import Finality, ObservationKey
from domain.shared.money import Money
from domain.suspense.model import WAITING, Decision, ItemState, SuspenseItem, Verdict, Why
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.shared.ids import IntentId, PayoutId, SuspenseId

_C = SUSPENSE_ITEM.c
_ADD = insertion(SUSPENSE_ITEM)
_SAVE = update_by_id(
    SUSPENSE_ITEM,
    fixed=[
        *("chain", "transaction", "position", "part", "amount", "asset"),
        *("source", "target", "memo", "why", "paid_to", "paid_at"),
    ],
)
_GET = select_by_id(SUSPENSE_ITEM)
_LOCK = select_by_id(SUSPENSE_ITEM, lock=True)
_LOCK_COUNTED = compiled(
    select(SUSPENSE_ITEM)
    .where(_C.counted_by == bindparam("by"), _C.state == ItemState.OPEN.value)
    .order_by(_C.paid_at, _C.id)
    .with_for_update()
)
_OF_INTENT = compiled(
    select(SUSPENSE_ITEM)
    .where(
        or_(_C.paid_to == bindparam("intent_id"), _C.counted_by == bindparam("intent_id")),
    )
    .order_by(_C.paid_at, _C.id)
    .limit(bindparam("limit"))
)
_LOCK_RETURNING = compiled(
    select(SUSPENSE_ITEM).where(_C.payout_id == bindparam("payout_id")).with_for_update()
)
_is_waiting = _C.state.in_(sorted(state.value for state in WAITING))


def _page(*, ended: bool, later: bool) -> Statement:
    clause = select(SUSPENSE_ITEM).order_by(_C.paid_at, _C.id).limit(bindparam("limit"))
    if not ended:
        clause = clause.where(_is_waiting)
    if later:
        last = tuple_(bindparam("paid_at", type_=INSTANT), bindparam("id", type_=NAME))
        clause = clause.where(tuple_(_C.paid_at, _C.id) > last)
    return compiled(clause)


_PAGES = {
    (ended, later): _page(ended=ended, later=later)
    for ended in (False, True)
    for later in (False, True)
}
_RECORD = insertion(SUSPENSE_DECISION)
_DECISIONS = compiled(
    select(SUSPENSE_DECISION)
    .where(SUSPENSE_DECISION.c.item_id == bindparam("item_id"))
    .order_by(SUSPENSE_DECISION.c.at, SUSPENSE_DECISION.c.id)
)
_FINALITY = compiled(
    select(OBSERVATION.c.finality).where(
        OBSERVATION.c.chain == bindparam("chain"),
        OBSERVATION.c.transaction == bindparam("transaction"),
        OBSERVATION.c.position == bindparam("position"),
    )
)


@attrs.frozen
class PostgresSuspense:
    """See ``ports.suspense.Suspense``."""

    _session: Session

    async def add(self, item: SuspenseItem) -> None:
        """Store a new item."""
        await self._session.write(_ADD, _row(item), item.id)

    async def save(self, item: SuspenseItem) -> None:
        """Store an item as it is now."""
        await self._session.write(_SAVE, _row(item), item.id)

    async def get(self, item_id: SuspenseId) -> SuspenseItem:
        """Return an item, or raise NotFound."""
        return _item(_found(await self._session.row(_GET, id=item_id), item_id))

    async def lock(self, item_id: SuspenseId) -> SuspenseItem:
        """Return an item and lock its row, or raise NotFound."""
        return _item(_found(await self._session.row(_LOCK, id=item_id), item_id))

    async def lock_counted(self, *, by: IntentId) -> Sequence[SuspenseItem]:
        """Return the open items that an intent counts, oldest first, and lock their rows."""
        return [_item(row) for row in await self._session.rows(_LOCK_COUNTED, by=by)]

    async def of_intent(self, intent_id: IntentId, *, limit: int) -> Sequence[SuspenseItem]:
        """Return what was paid to an intent or is counted by it, ended or not, oldest first."""
        rows = await self._session.rows(_OF_INTENT, intent_id=intent_id, limit=limit)
        return [_item(row) for row in rows]

    async def lock_returning(self, payout_id: PayoutId) -> SuspenseItem:
        """Return the item that a payout gives back and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_RETURNING, payout_id=payout_id)
        if row is None:
            raise NotFound("item that goes back by payout", payout_id)
        return _item(row)

    async def page(
        self, *, ended: bool, after: SuspenseItem | None = None, limit: int
    ) -> Sequence[SuspenseItem]:
        """Return items in the order in which they were paid, from just after one of them."""
        statement = _PAGES[ended, after is not None]
        last = {"paid_at": after.paid_at, "id": after.id} if after else {}
        rows = await self._session.rows(statement, limit=limit, **last)
        return [_item(row) for row in rows]

    async def record(self, decision: Decision) -> None:
        """Store a decision."""
        await self._session.write(_RECORD, _decision_row(decision), decision.id)

    async def decisions(self, item_id: SuspenseId) -> Sequence[Decision]:
        """Return what was decided of an item, oldest first."""
        rows = await self._session.rows(_DECISIONS, item_id=item_id)
        return [_decision(row) for row in rows]

    async def finality(self, key: ObservationKey) -> Finality | None:
        """Return how sure an observation is, or None where nothing like it was seen."""
        row = await self._session.row(
            _FINALITY, chain=key.chain, transaction=key.transaction, position=key.position
        )
        return None if row is None else Finality(row["finality"])


def _found(row: Row | None, item_id: SuspenseId) -> Row:
    if row is None:
        raise NotFound("item in suspense", item_id)
    return row


def _row(item: SuspenseItem) -> Row:
    return {
        "id": item.id,
        "chain": item.key.chain,
        "transaction": item.key.transaction,
        "position": item.key.position,
        "part": item.part,
        "amount": item.money.amount,
        "remaining": item.left,
        "asset": item.money.asset,
        "source": item.source,
        "target": item.target,
        "memo": item.memo,
        "why": item.why,
        "paid_to": item.paid_to,
        "counted_by": item.counted_by,
        "paid_at": item.paid_at,
        "changed_at": item.changed_at,
        "state": item.state,
        "payout_id": item.payout_id,
    }


def _item(row: Row) -> SuspenseItem:
    return SuspenseItem(
        key=ObservationKey(row["chain"], row["transaction"], row["position"]),
        money=Money(int(row["amount"]), row["asset"]),
        left=int(row["remaining"]),
        source=row["source"],
        target=row["target"],
        memo=row["memo"],
        why=Why(row["why"]),
        paid_to=row["paid_to"],
        counted_by=row["counted_by"],
        paid_at=row["paid_at"],
        changed_at=row["changed_at"],
        state=ItemState(row["state"]),
        payout_id=row["payout_id"],
        part=row["part"],
    )


def _decision_row(decision: Decision) -> Row:
    return {
        "id": decision.id,
        "item_id": decision.item_id,
        "verdict": decision.verdict,
        "amount": decision.money.amount,
        "asset": decision.money.asset,
        "by": decision.by,
        "note": decision.note,
        "at": decision.at,
        "intent_id": decision.intent_id,
        "taken_from": decision.taken_from,
        "destination": decision.destination,
        "payout_id": decision.payout_id,
    }


def _decision(row: Row) -> Decision:
    return Decision(
        id=row["id"],
        item_id=row["item_id"],
        verdict=Verdict(row["verdict"]),
        money=Money(int(row["amount"]), row["asset"]),
        by=row["by"],
        note=row["note"],
        at=row["at"],
        intent_id=row["intent_id"],
        taken_from=row["taken_from"],
        destination=row["destination"],
        payout_id=row["payout_id"],
    )
