"""Rates of the books in PostgreSQL, and the values that were computed by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.on_session import OnSession
from adapters.postgres.statements import compiled, written
from adapters.postgres.tables.ledger import POSTING
from adapters.postgres.tables.values import BOOK_RATE, NEWEST_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.values import BookRate

_P, _R, _N = POSTING.c, BOOK_RATE.c, NEWEST_RATE.c
_kept = (
    insert(BOOK_RATE)
    .values({name: bindparam(name, type_=_R[name].type) for name in written(BOOK_RATE)})
    .returning(_R.asset, _R.id, _R.per_unit, _R.observed_at)
    .cte("kept")
)
_newest = insert(NEWEST_RATE).from_select(
    ["asset", "rate_id", "per_unit", "observed_at"], select(*_kept.c)
)
_KEEP = compiled(
    _newest.on_conflict_do_update(
        index_elements=[_N.asset],
        set_={name: _newest.excluded[name] for name in ("rate_id", "per_unit", "observed_at")},
    ).returning(_N.rate_id)
)
_WRONG = compiled(
    select(_P.transaction_id)
    .select_from(POSTING)
    .outerjoin(BOOK_RATE, and_(_R.id == _P.rate_id, _R.asset == _P.asset))
    .where(_P.value.is_distinct_from(func.book_value(_P.amount, _R.per_unit)))
    .distinct()
)


@attrs.frozen
class PostgresValues(OnSession):
    """The part of ``ports.ledger.Ledger`` that values postings; ``booking`` computes values."""

    async def keep_rate(self, rate: BookRate) -> None:
        """Value what is booked from now on by this rate; earlier rates are kept beside it."""
        await self._session.rows(_KEEP, **attrs.asdict(rate))

    async def wrong_values(self) -> Sequence[str]:
        """Return the ids of transactions with a posting whose value is not what its rate gives."""
        return [row["transaction_id"] for row in await self._session.rows(_WRONG)]
