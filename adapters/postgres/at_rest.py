"""Secrets at rest in PostgreSQL: how they lie, and sealing them anew.

Endpoints are gone through first and then answers to idempotency keys, each in the order of their
primary keys. A page names rows by the beginnings of what they hold; those that are to be sealed
anew are locked, and read again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
from sqlalchemy import ARRAY, Column, Text, any_, bindparam, func, select, tuple_, update

from adapters.postgres import endpoint_secrets
from adapters.postgres.documents import write_json
from adapters.postgres.idempotency import place as answer_place
from adapters.postgres.key_ring import HEAD_MAX, KeyRing, SecretUnreadable, sealed_by
from adapters.postgres.session import Row, Session
from adapters.postgres.statements import compiled, given_rows
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.idempotency import IDEMPOTENCY_KEY
from adapters.postgres.tables.webhooks import WEBHOOK_ENDPOINT
from domain.at_rest.model import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from adapters.postgres.key_ring import Place
    from adapters.postgres.statements import Statement
    from domain.at_rest.model import Cursor, Kind

ENDPOINTS: Final = "webhook_endpoint"
ANSWERS: Final = "idempotency_key"
_Value = TypeVar("_Value", str, bytes)

_E, _A = WEBHOOK_ENDPOINT.c, IDEMPOTENCY_KEY.c
_SECRETS = [_E[name] for name in endpoint_secrets.COLUMNS]


def _head(column: Column[Any]) -> Any:  # noqa: ANN401 (of text or bytes, as the column is)
    return func.substr(column, 1, HEAD_MAX, type_=column.type).label(column.name)


_ENDPOINT_PAGE = compiled(
    select(_E.id, *map(_head, _SECRETS))
    .where(_E.id > bindparam("after"))
    .order_by(_E.id)
    .limit(bindparam("limit"))
)
_ANSWER_PAGE = compiled(
    select(_A.owner, _A.key, _head(_A.body))
    .where(tuple_(_A.owner, _A.key) > tuple_(bindparam("owner"), bindparam("key")))
    .order_by(_A.owner, _A.key)
    .limit(bindparam("limit"))
)
_LOCK_ENDPOINTS = compiled(
    select(_E.id, *_SECRETS)
    .where(_E.id == any_(bindparam("ids", type_=ARRAY(NAME))))
    .order_by(_E.id)
    .with_for_update()
)


def _lock_answers() -> Statement:
    named = given_rows("named", _A.owner, _A.key)
    return compiled(
        select(_A.owner, _A.key, _A.body)
        .join(named, (_A.owner == named.c.owner) & (_A.key == named.c.key))
        .order_by(_A.owner, _A.key)
        .with_for_update(of=IDEMPOTENCY_KEY)
    )


def _save_endpoints() -> Statement:
    given = given_rows("given", _E.id, *_SECRETS)
    values = {column.name: given.c[column.name] for column in _SECRETS}
    return compiled(update(WEBHOOK_ENDPOINT).values(values).where(_E.id == given.c.id))


def _save_answers() -> Statement:
    # Bytes are sent in hexadecimal digits: JSON has none.
    given = given_rows("given", _A.owner, _A.key, Column("body", Text))
    body = func.decode(given.c.body, "hex")
    same = (_A.owner == given.c.owner) & (_A.key == given.c.key)
    return compiled(update(IDEMPOTENCY_KEY).values(body=body).where(same))


_LOCK_ANSWERS = _lock_answers()
_SAVE_ENDPOINTS = _save_endpoints()
_SAVE_ANSWERS = _save_answers()


@attrs.frozen
class PostgresSecretsAtRest:
    """See ``ports.at_rest.SecretsAtRest``."""

    _session: Session
    _ring: KeyRing

    @property
    def sealing(self) -> str | None:
        """The name of the key that seals what is written."""
        return self._ring.sealing

    @property
    def ring(self) -> Sequence[str]:
        """The names of all keys that open."""
        return self._ring.ids

    async def look(self, *, after: Cursor | None, limit: int) -> Batch:
        """Tell how some secrets lie."""
        table, rows = await self._page(after, limit)
        return Batch(kinds=_kinds(table, rows), next=_next(table, rows, limit))

    async def reseal(self, *, after: Cursor | None, limit: int) -> Batch:
        """Seal some secrets as they would be sealed now, under a lock, where they are not."""
        table, page = await self._page(after, limit)
        outdated = [row for row in page if _kinds(table, [row]).keys() - {(table, self.sealing)}]
        again, fresh = _Resealing(self._ring), list[Row]()
        if outdated:
            reseal = self._reseal_endpoints if table == ENDPOINTS else self._reseal_answers
            fresh = await reseal(outdated, again)
        return Batch(
            kinds=_kinds(table, [*(row for row in page if row not in outdated), *fresh]),
            resealed=again.resealed,
            unreadable=again.unreadable,
            next=_next(table, page, limit),
        )

    async def _page(self, after: Cursor | None, limit: int) -> tuple[str, Sequence[Row]]:
        table, *place = after or (ENDPOINTS, "")
        if table == ENDPOINTS:
            return table, await self._session.rows(_ENDPOINT_PAGE, after=place[0], limit=limit)
        owner, key = place
        return table, await self._session.rows(_ANSWER_PAGE, owner=owner, key=key, limit=limit)

    async def _reseal_endpoints(self, named: Sequence[Row], again: _Resealing) -> list[Row]:
        """Return the rows as they are then: those of them that are still there."""
        fresh = []
        for row in await self._session.rows(_LOCK_ENDPOINTS, ids=[it["id"] for it in named]):
            for column in endpoint_secrets.COLUMNS:
                if row[column] is not None:
                    place = endpoint_secrets.place(column, row["id"])
                    row[column] = again.text(row[column], place)
            fresh.append(row)
        if again.resealed:
            ids = [row["id"] for row in fresh]
            await self._session.write(_SAVE_ENDPOINTS, {"given": write_json(fresh)}, *ids)
        return fresh

    async def _reseal_answers(self, named: Sequence[Row], again: _Resealing) -> list[Row]:
        """As for endpoints."""
        names = [{"owner": row["owner"], "key": row["key"]} for row in named]
        fresh = []
        for row in await self._session.rows(_LOCK_ANSWERS, named=write_json(names)):
            row["body"] = again.octets(row["body"], answer_place(row["owner"], row["key"]))
            fresh.append(row)
        if again.resealed:
            given = [{**row, "body": row["body"].hex()} for row in fresh]
            await self._session.write(_SAVE_ANSWERS, {"given": write_json(given)})
        return fresh


@attrs.define
class _Resealing:
    """What has come of values that are to be sealed anew."""

    ring: KeyRing
    resealed: int = 0
    unreadable: list[str] = attrs.field(factory=list)

    def text(self, value: str, place: Place) -> str:
        """Return a value as it would be sealed now; what does not open stays as it is."""
        return self._value(value, place, self.ring.open_text, self.ring.seal_text)

    def octets(self, value: bytes, place: Place) -> bytes:
        """As for text."""
        return self._value(value, place, self.ring.open, self.ring.seal)

    def _value(
        self,
        value: _Value,
        place: Place,
        open_: Callable[[_Value, Place], _Value],
        seal: Callable[[_Value, Place], _Value],
    ) -> _Value:
        if sealed_by(value[:HEAD_MAX]) == self.ring.sealing:
            return value
        try:
            secret = open_(value, place)
        except SecretUnreadable as error:
            self.unreadable.append(str(error))
            return value
        self.resealed += 1
        return seal(secret, place)


def _kinds(table: str, rows: Sequence[Row]) -> Counter[Kind]:
    columns = endpoint_secrets.COLUMNS if table == ENDPOINTS else ("body",)
    held = (row[name] for row in rows for name in columns)
    return Counter((table, sealed_by(value[:HEAD_MAX])) for value in held if value is not None)


def _next(table: str, rows: Sequence[Row], limit: int) -> Cursor | None:
    if len(rows) == limit:
        last = rows[-1]
        return (table, last["id"]) if table == ENDPOINTS else (table, last["owner"], last["key"])
    return (ANSWERS, "", "") if table == ENDPOINTS else None
