"""Seals of the books in PostgreSQL."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import BigInteger, bindparam, exists, func, select

from adapters.postgres.book_queries import begins
from adapters.postgres.booked_rows import BOOKED, booked
from adapters.postgres.insertions import insertion_of_rows
from adapters.postgres.on_session import OnSession
from adapters.postgres.statements import compiled
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.ledger import LEDGER_TRANSACTION, POSTING
from adapters.postgres.tables.sealing import LEDGER_SEAL
from domain.ledger.seals import Seal, SealedTransaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.ledger.model import BookedTransaction

_T, _P, _S = LEDGER_TRANSACTION.c, POSTING.c, LEDGER_SEAL.c

_chosen = func.begin_sealing(bindparam("limit", type_=BigInteger), type_=NAME)
_UNSEALED = compiled(
    BOOKED.where(_T.id.in_(select(_chosen.column_valued("chosen")))).order_by(
        _T.position, _P.line
    ),
    takes_locks=True,
)
_LAST = compiled(select(LEDGER_SEAL).order_by(_S.number.desc()).limit(1))
_ADD = insertion_of_rows(LEDGER_SEAL, "number", "transaction_id", "hash")


def _sealed(chosen: Select[tuple[object, ...]]) -> Statement:
    """Compile the query of chosen seals with what they seal."""
    seals = chosen.order_by(_S.number).limit(bindparam("limit")).subquery("seals")
    return compiled(
        BOOKED.join(seals, seals.c.transaction_id == _T.id)
        .add_columns(seals.c.number, seals.c.hash)
        .order_by(seals.c.number, _P.line)
    )


_all = select(LEDGER_SEAL).where(_S.number > bindparam("after"))
_touched = POSTING.alias("touched")
_SEALED = _sealed(_all)
_SEALED_OF = _sealed(
    _all.where(
        exists().where(_touched.c.transaction_id == _S.transaction_id, begins(_touched.c.account))
    )
)


@attrs.frozen
class PostgresSeals(OnSession):
    """The part of ``ports.ledger.Ledger`` that keeps seals."""

    async def unsealed(self, *, limit: int) -> Sequence[BookedTransaction]:
        """Return transactions without a seal, oldest first, and keep other sealers out.

        A function in the database chooses them: it takes no longer as the books grow, and passes
        over nothing that commits late.
        """
        return booked(await self._session.rows(_UNSEALED, limit=limit))

    async def last_seal(self) -> Seal | None:
        """Return the newest seal."""
        row = await self._session.row(_LAST)
        return _seal(row) if row else None

    async def add_seals(self, *seals: Seal) -> None:
        """Store seals; a number or a transaction that has one raises AlreadyExists."""
        if seals:
            rows = [(it.number, it.transaction_id, f"\\x{it.hash.hex()}") for it in seals]
            await self._session.write(*_ADD.of(rows))

    async def sealed(
        self, *, after: int, limit: int, prefix: str = ""
    ) -> Sequence[SealedTransaction]:
        """Return seals that follow a number, in order, with what they seal."""
        if prefix:
            rows = await self._session.rows(_SEALED_OF, after=after, limit=limit, prefix=prefix)
        else:
            rows = await self._session.rows(_SEALED, after=after, limit=limit)
        return [_sealed_transaction(list(lines)) for _, lines in groupby(rows, itemgetter("id"))]


def _sealed_transaction(lines: list[Row]) -> SealedTransaction:
    [transaction] = booked(lines)
    return SealedTransaction(_seal({**lines[0], "transaction_id": lines[0]["id"]}), transaction)


def _seal(row: Row) -> Seal:
    return Seal(row["number"], row["transaction_id"], row["hash"])
