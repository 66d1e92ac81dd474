"""Idempotency keys in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Boolean, Column, LargeBinary, bindparam, func, select

from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.idempotency import IDEMPOTENCY_KEY
from domain.shared.idempotency import Answer, KeyInFlight

if TYPE_CHECKING:
    from domain.shared.ids import MerchantId

_claim = func.claim_idempotency_key(
    bindparam("owner", type_=NAME), bindparam("key", type_=NAME)
).table_valued(
    Column("claimed", Boolean), Column("fingerprint", LargeBinary), Column("body", LargeBinary)
)
_CLAIM = compiled(select(_claim), takes_locks=True)
_KEEP = insertion(IDEMPOTENCY_KEY, without=["kept_at"])


@attrs.frozen
class PostgresIdempotencyKeys:
    """See ``ports.idempotency.IdempotencyKeys``.

    A claim is a lock that ends with the transaction, so a request that died leaves nothing.
    """

    _session: Session

    async def claim(self, *, owner: MerchantId, key: str) -> Answer | None:
        """Take a key for this unit of work; raise KeyInFlight if another one holds it."""
        [row] = await self._session.rows(_CLAIM, owner=owner, key=key)
        if not row["claimed"]:
            raise KeyInFlight(key)
        if row["fingerprint"] is None:
            return None
        return Answer(fingerprint=row["fingerprint"], body=row["body"])

    async def keep(self, *, owner: MerchantId, key: str, answer: Answer) -> None:
        """Store the answer that a claimed key has led to."""
        parameters = {
            "owner": owner,
            "key": key,
            "fingerprint": answer.fingerprint,
            "body": answer.body,
        }
        await self._session.write(_KEEP, parameters, ("idempotency_key", owner, key))
