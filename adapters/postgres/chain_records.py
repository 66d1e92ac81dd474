"""Cursors, blocks and observations in PostgreSQL, beside submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres import documents
from adapters.postgres.chain_rows import (
    block_of,
    cursor_of,
    observation_of,
    row_of_block,
    row_of_cursor,
    row_of_observation,
    row_of_stretch,
    stretch_of,
)
from adapters.postgres.statements import (
    compiled,
    given_rows,
    written,
)
from adapters.postgres.submissions import PostgresSubmissions
from adapters.postgres.tables.chains import (
    CHAIN_BLOCK,
    CHAIN_CURSOR,
    CHAIN_STRETCH,
    OBSERVATION,
)
from adapters.postgres.tables.columns import NAME
from domain.chains.model import EscrowPaid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table

    from adapters.postgres.statements import Statement
    from domain.chains.coverage import Stretch
    from domain.chains.model import Block, Cursor, Finality, Observation, ObservationKey
    from domain.shared.ids import EscrowId
    from domain.shared.money import ChainId, Money


def _upsert(table: Table) -> Statement:
    """Compile the insertion of one row, or the update of the one that has its key."""
    clause = insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: clause.excluded[name] for name in written(table, without=keys)}
    return compiled(
        clause.on_conflict_do_update(index_elements=keys, set_=changes), columns=written(table)
    )


_cursor = select(CHAIN_CURSOR).where(CHAIN_CURSOR.c.chain == bindparam("chain"))
_CURSOR = compiled(_cursor)
_LOCK_CURSOR = compiled(_cursor.with_for_update())
_LOCK_CHAIN = compiled(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("chain", type_=NAME), 1))),
    takes_locks=True,
)
_SAVE_CURSOR = _upsert(CHAIN_CURSOR)

_blocks = given_rows("chain_block", *CHAIN_BLOCK.columns)
_remembering = insert(CHAIN_BLOCK).from_select(written(CHAIN_BLOCK), select(*_blocks.c))
_REMEMBER = compiled(
    _remembering.on_conflict_do_update(
        index_elements=[CHAIN_BLOCK.c.chain, CHAIN_BLOCK.c.number],
        set_={name: _remembering.excluded[name] for name in ("hash", "parent", "time")},
    )
)
_OF_CHAIN = CHAIN_BLOCK.c.chain == bindparam("chain")
_HIGHEST = 2**63 - 1
"""The highest number that a block can have in the database."""
_REMEMBERED = compiled(
    select(CHAIN_BLOCK)
    .where(_OF_CHAIN, CHAIN_BLOCK.c.number.between(bindparam("first"), bindparam("last")))
    .order_by(CHAIN_BLOCK.c.number)
)
_FORGET = compiled(
    delete(CHAIN_BLOCK).where(_OF_CHAIN, CHAIN_BLOCK.c.number < bindparam("before"))
)
_CUT = compiled(delete(CHAIN_BLOCK).where(_OF_CHAIN, CHAIN_BLOCK.c.number > bindparam("after")))

_COVER = _upsert(CHAIN_STRETCH)
_STRETCH_OF_CHAIN = CHAIN_STRETCH.c.chain == bindparam("chain")
_COVERED = compiled(
    select(CHAIN_STRETCH)
    .where(_STRETCH_OF_CHAIN, CHAIN_STRETCH.c.last >= bindparam("first"))
    .order_by(CHAIN_STRETCH.c.first)
)
_UNCOVER = compiled(
    delete(CHAIN_STRETCH).where(_STRETCH_OF_CHAIN, CHAIN_STRETCH.c.first > bindparam("after"))
)
_SHORTEN = compiled(
    update(CHAIN_STRETCH)
    .values(last=bindparam("after"), last_hash=bindparam("hash"))
    .where(
        CHAIN_STRETCH.c.chain == bindparam("of_chain"),
        CHAIN_STRETCH.c.last > bindparam("after"),
    )
)

_OBSERVATION_KEYS = [column.name for column in OBSERVATION.primary_key]
_claiming = insert(OBSERVATION)
_CLAIM = compiled(
    _claiming.on_conflict_do_update(
        index_elements=_OBSERVATION_KEYS,
        set_={
            name: _claiming.excluded[name]
            for name in written(OBSERVATION, without=_OBSERVATION_KEYS)
        },
        where=OBSERVATION.c.finality == "retracted",
    ).returning(OBSERVATION.c.position),
    columns=written(OBSERVATION),
)
_SET_FINALITY = compiled(
    update(OBSERVATION)
    .values(finality=bindparam("now"))
    .where(
        OBSERVATION.c.chain == bindparam("key_chain"),
        OBSERVATION.c.transaction == bindparam("key_transaction"),
        OBSERVATION.c.position == bindparam("key_position"),
        OBSERVATION.c.finality == bindparam("was"),
    )
    .returning(OBSERVATION.c.position)
)
_OBSERVED = compiled(
    select(OBSERVATION)
    .where(
        OBSERVATION.c.chain == bindparam("chain"),
        OBSERVATION.c.block_number.between(bindparam("first"), bindparam("until")),
        OBSERVATION.c.finality == any_(bindparam("finality", type_=ARRAY(NAME))),
    )
    .order_by(OBSERVATION.c.block_number, OBSERVATION.c.position, OBSERVATION.c.transaction)
)

_PAID_INTO = compiled(
    select(OBSERVATION)
    .where(
        OBSERVATION.c.paid_escrow == bindparam("escrow_id"),
        OBSERVATION.c.finality != "retracted",
    )
    .limit(1)
)
_COVERED_SINCE = compiled(
    select(CHAIN_STRETCH)
    .where(_STRETCH_OF_CHAIN, CHAIN_STRETCH.c.ended_at >= bindparam("at"))
    .order_by(CHAIN_STRETCH.c.first.desc())
    .limit(bindparam("limit"))
)
_in_order = (OBSERVATION.c.block_number, OBSERVATION.c.position, OBSERVATION.c.transaction)
_paid = (
    select(OBSERVATION)
    .where(OBSERVATION.c.chain == bindparam("chain"), OBSERVATION.c.paid_to == bindparam("target"))
    .order_by(*_in_order)
    .limit(bindparam("limit"))
)
_PAID_TO = compiled(_paid)
_PAID_WITH_MEMO = compiled(_paid.where(OBSERVATION.c.paid_memo == bindparam("memo")))
_PAYMENTS_INTO = compiled(
    select(OBSERVATION)
    .where(OBSERVATION.c.paid_escrow == bindparam("escrow_id"))
    .order_by(*_in_order)
)


@attrs.frozen
class PostgresChainRecords(PostgresSubmissions):
    """See ``ports.chain_records.ChainRecords``."""

    async def lock_cursor(self, chain: ChainId) -> Cursor | None:
        """Return how far a chain has been read and keep others from moving that.

        A chain that was never read has no row, so the chain itself is locked before looking.
        """
        await self._session.rows(_LOCK_CHAIN, chain=chain)
        row = await self._session.row(_LOCK_CURSOR, chain=chain)
        return None if row is None else cursor_of(row)

    async def cursor(self, chain: ChainId) -> Cursor | None:
        """Return how far a chain has been read, or None if it never was."""
        row = await self._session.row(_CURSOR, chain=chain)
        return None if row is None else cursor_of(row)

    async def save_cursor(self, cursor: Cursor) -> None:
        """Store how far a chain has been read."""
        await self._session.write(_SAVE_CURSOR, row_of_cursor(cursor), ("cursor", cursor.chain))

    async def remember(self, chain: ChainId, blocks: Sequence[Block]) -> None:
        """Keep the names of blocks that may still be replaced."""
        rows = [{**row_of_block(block), "chain": chain} for block in blocks]
        parameters = {"chain_block": documents.write_json(rows)}
        await self._session.write(_REMEMBER, parameters, ("blocks", chain))

    async def remembered(
        self, chain: ChainId, *, first: int, last: int | None = None
    ) -> Sequence[Block]:
        """Return the kept blocks from a number on, or up to another, lowest first."""
        last = _HIGHEST if last is None else last
        rows = await self._session.rows(_REMEMBERED, chain=chain, first=first, last=last)
        return [block_of(row) for row in rows]

    async def forget(self, chain: ChainId, *, before: int) -> None:
        """Drop kept blocks below a number: they are final."""
        parameters = {"chain": chain, "before": before}
        await self._session.write(_FORGET, parameters, ("blocks", chain))

    async def cut(self, chain: ChainId, *, after: int) -> None:
        """Drop kept blocks above a number: the chain has replaced them."""
        await self._session.write(_CUT, {"chain": chain, "after": after}, ("blocks", chain))

    async def cover(self, stretch: Stretch) -> None:
        """Store which blocks were read, in place of what was stored from the same first one."""
        await self._session.write(_COVER, row_of_stretch(stretch), ("stretch", stretch.chain))

    async def covered(self, chain: ChainId, *, first: int) -> Sequence[Stretch]:
        """Return what was read of a chain from a block on, lowest first."""
        rows = await self._session.rows(_COVERED, chain=chain, first=first)
        return [stretch_of(row) for row in rows]

    async def uncover(self, chain: ChainId, *, after: Block) -> None:
        """Shorten what was read to end with a block: what came after it is replaced."""
        key = ("stretch", chain)
        await self._session.write(_UNCOVER, {"chain": chain, "after": after.number}, key)
        parameters = {"of_chain": chain, "after": after.number, "hash": after.hash}
        await self._session.write(_SHORTEN, parameters, key)

    async def claim(self, observation: Observation) -> bool:
        """Store an observation under its key; return False if the key is claimed already."""
        rows = await self._session.rows(_CLAIM, **row_of_observation(observation))
        return bool(rows)

    async def set_finality(self, key: ObservationKey, *, was: Finality, now: Finality) -> bool:
        """Move an observation on; return False if it was not where the caller thought."""
        rows = await self._session.rows(
            _SET_FINALITY,
            key_chain=key.chain,
            key_transaction=key.transaction,
            key_position=key.position,
            was=was,
            now=now,
        )
        return bool(rows)

    async def observed(
        self, chain: ChainId, *, finality: Sequence[Finality], first: int, last: int
    ) -> Sequence[Observation]:
        """Return observations of blocks in a range, both ends included, in the chain's order."""
        wanted = [state.value for state in finality]
        rows = await self._session.rows(
            _OBSERVED, chain=chain, finality=wanted, first=first, until=last
        )
        return [observation_of(row) for row in rows]

    async def covered_since(
        self, chain: ChainId, *, at: datetime, limit: int
    ) -> Sequence[Stretch]:
        """Return what was read of a chain at a time or later, the highest blocks first."""
        rows = await self._session.rows(_COVERED_SINCE, chain=chain, at=at, limit=limit)
        return [stretch_of(row) for row in rows]

    async def paid_to(
        self, chain: ChainId, *, target: str, memo: str | None = None, limit: int
    ) -> Sequence[Observation]:
        """Return transfers to an address, with a memo if one is named, lowest blocks first."""
        statement = _PAID_TO if memo is None else _PAID_WITH_MEMO
        rows = await self._session.rows(
            statement, chain=chain, target=target, memo=memo, limit=limit
        )
        return [observation_of(row) for row in rows]

    async def paid_into(self, escrow_id: EscrowId) -> Sequence[Observation]:
        """Return the payments into an escrow, lowest blocks first."""
        rows = await self._session.rows(_PAYMENTS_INTO, escrow_id=escrow_id)
        return [observation_of(row) for row in rows]

    async def paid_into_escrow(self, escrow_id: EscrowId) -> Money | None:
        """Return what was observed to be paid into an escrow, ours or not."""
        row = await self._session.row(_PAID_INTO, escrow_id=escrow_id)
        fact = observation_of(row).fact if row else None
        return fact.money if isinstance(fact, EscrowPaid) else None
