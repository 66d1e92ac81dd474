"""Idempotency keys in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Boolean, Column, LargeBinary, bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.key_ring import KeyRing, Place
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, written
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.idempotency import IDEMPOTENCY_KEY
from domain.shared.idempotency import Answer, KeyInFlight
from domain.shared.ids import MerchantId
from ports.clock import Clock

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_C = IDEMPOTENCY_KEY.c
_claim = func.claim_idempotency_key(
    bindparam("owner", type_=NAME),
    bindparam("key", type_=NAME),
    bindparam("kept_after", type_=INSTANT),
).table_valued(
    Column("claimed", Boolean), Column("fingerprint", LargeBinary), Column("body", LargeBinary)
)
_CLAIM = compiled(select(_claim), takes_locks=True)
_TAKE = insertion(IDEMPOTENCY_KEY)
_keep = insert(IDEMPOTENCY_KEY)
_KEEP = compiled(
    _keep.on_conflict_do_update(
        index_elements=[_C.owner, _C.key],
        set_={name: _keep.excluded[name] for name in ("fingerprint", "body", "kept_at")},
    ),
    columns=written(IDEMPOTENCY_KEY),
)
_old = (
    select(_C.owner, _C.key)
    .where(_C.kept_at < bindparam("kept_before"))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_FORGET = compiled(
    delete(IDEMPOTENCY_KEY).where(tuple_(_C.owner, _C.key).in_(_old)).returning(_C.key)
)


@attrs.frozen
class PostgresIdempotencyKeys:
    """See ``ports.idempotency.IdempotencyKeys``.

    A key is held by a lock that ends with the transaction, so a request that died leaves nothing.
    Answers are sealed: what they made may be a secret, and what they tell is nobody else's.
    """

    _session: Session
    _ring: KeyRing
    _clock: Clock = attrs.field(kw_only=True)
    _claimed: set[tuple[MerchantId, str]] = attrs.field(factory=set, init=False)

    async def claim(self, *, owner: MerchantId, key: str, life: timedelta) -> Answer | None:
        """Take a key for this unit of work; raise KeyInFlight if another one holds it.

        Raises:
            SecretUnreadable: the key on the ring that its answer was sealed by is missing.
        """
        after = self._clock.now() - life
        [row] = await self._session.rows(_CLAIM, owner=owner, key=key, kept_after=after)
        if not row["claimed"]:
            raise KeyInFlight(key)
        self._claimed.add((owner, key))
        if row["fingerprint"] is None:
            return None
        body = self._ring.open(row["body"], place(owner, key))
        return Answer(fingerprint=row["fingerprint"], body=body)

    async def keep(self, *, owner: MerchantId, key: str, answer: Answer) -> None:
        """Store the answer that a key has led to.

        A trigger takes the key where it was not claimed, and refuses what another one holds.
        """
        parameters = {
            "owner": owner,
            "key": key,
            "fingerprint": answer.fingerprint,
            "body": self._ring.seal(answer.body, place(owner, key)),
            "kept_at": self._clock.now(),
        }
        statement = _KEEP if (owner, key) in self._claimed else _TAKE
        await self._session.write(statement, parameters, ("idempotency_key", owner, key))

    async def forget(self, *, kept_before: datetime, limit: int) -> int:
        """Remove at most so many answers kept before a time; return how many they were."""
        return len(await self._session.rows(_FORGET, kept_before=kept_before, limit=limit))


def place(owner: str, key: str) -> Place:
    """Return where the answer to a key lies. No merchant's name has a slash."""
    return Place("idempotency_key", "body", f"{owner}/{key}")
