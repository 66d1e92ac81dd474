"""Escrows in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, or_, select

from adapters.postgres import documents
from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    select_named,
    update_by_id,
)
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.escrows import ESCROW
from domain.escrow.claims import Claim, Side
from domain.escrow.model import (
    DueRelease,
    Escrow,
    EscrowAction,
    EscrowState,
    EscrowTerms,
    FailedRequest,
)
from domain.fees.model import FeeLine
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.shared.ids import EscrowId, IntentId, MerchantId
    from domain.shared.money import AssetId, ChainId

_ADD = insertion(ESCROW)
_SAVE = update_by_id(
    ESCROW, fixed=["intent_id", "merchant_id", "terms", "payer", "held_at", "auto_release_at"]
)
_LOCK = select_by_id(ESCROW, lock=True)
_of_intent = select(ESCROW).where(
    ESCROW.c.intent_id == bindparam("intent_id"), ESCROW.c.merchant_id == bindparam("owner")
)
_OF_INTENT = compiled(_of_intent)
_OF_INTENTS = select_named(ESCROW, by="intent_id")
_LOCK_OF_INTENT = compiled(_of_intent.with_for_update())
_CHAIN = ESCROW.c.terms["chain"].astext
_DUE = compiled(
    select(ESCROW.c.id, _CHAIN.label("chain"))
    .where(
        ESCROW.c.state == "held",
        ESCROW.c.requested.is_(None),
        ESCROW.c.auto_release_at <= bindparam("at"),
        or_(ESCROW.c.try_again_at.is_(None), ESCROW.c.try_again_at <= bindparam("at")),
    )
    .order_by(ESCROW.c.auto_release_at)
    .limit(bindparam("limit"))
)
_CLAIMED = compiled(
    select(ESCROW.c.id).where(
        or_(
            ESCROW.c.merchant_claim_of == bindparam("account"),
            ESCROW.c.payer_claim_of == bindparam("account"),
        ),
        bindparam("chain", type_=NAME) == _CHAIN,
        ESCROW.c.terms["contract"].astext == bindparam("contract", type_=NAME),
        ESCROW.c.terms["money"]["asset"].astext == bindparam("asset", type_=NAME),
    )
)


@attrs.frozen
class PostgresEscrows:
    """See ``ports.escrows.Escrows``."""

    _session: Session

    async def add(self, escrow: Escrow) -> None:
        """Store a new escrow."""
        await self._session.write(_ADD, _row(escrow), escrow.id)

    async def save(self, escrow: Escrow) -> None:
        """Store an escrow as it is now."""
        await self._session.write(_SAVE, _row(escrow), escrow.id)

    async def of_intent(self, intent_id: IntentId, *, owner: MerchantId) -> Escrow:
        """Return the escrow of an intent, or raise NotFound."""
        return await self._one(_OF_INTENT, intent_id, owner=owner)

    async def of_intents(
        self, intent_ids: Sequence[IntentId], *, owner: MerchantId
    ) -> Sequence[Escrow]:
        """Return the escrows of a merchant's intents of these names, in any order; no others."""
        rows = await self._session.rows(_OF_INTENTS, ids=[*intent_ids], owner=owner)
        return [_escrow(row) for row in rows]

    async def lock_of_intent(self, intent_id: IntentId, *, owner: MerchantId) -> Escrow:
        """Return the escrow of an intent and lock its row, or raise NotFound."""
        return await self._one(_LOCK_OF_INTENT, intent_id, owner=owner)

    async def lock(self, escrow_id: EscrowId) -> Escrow | None:
        """Return an escrow and lock its row, or None if it is not ours."""
        row = await self._session.row(_LOCK, id=escrow_id)
        return None if row is None else _escrow(row)

    async def due_for_release(self, *, at: datetime, limit: int) -> Sequence[DueRelease]:
        """Return held escrows with no request under way whose auto-release time has come."""
        rows = await self._session.rows(_DUE, at=at, limit=limit)
        return [DueRelease(row["id"], row["chain"]) for row in rows]

    async def with_open_claims(
        self, *, chain: ChainId, contract: str, account: str, asset: AssetId
    ) -> Sequence[EscrowId]:
        """Return the escrows of which a contract keeps a part for an account, in an asset."""
        rows = await self._session.rows(
            _CLAIMED, chain=chain, contract=contract, account=account, asset=asset
        )
        return [row["id"] for row in rows]

    async def _one(
        self, statement: Statement, intent_id: IntentId, *, owner: MerchantId
    ) -> Escrow:
        row = await self._session.row(statement, intent_id=intent_id, owner=owner)
        if row is None:
            raise NotFound("escrow", intent_id)
        return _escrow(row)


def _row(escrow: Escrow) -> Row:
    return {
        "id": escrow.id,
        "intent_id": escrow.intent_id,
        "merchant_id": escrow.merchant_id,
        "terms": documents.write(escrow.terms),
        "payer": escrow.payer,
        "fee": documents.write(escrow.fee),
        "state": escrow.state,
        "held_at": escrow.held_at,
        "requested": escrow.requested,
        "submission_id": escrow.submission_id,
        "disputed_at": escrow.disputed_at,
        "ended_at": escrow.ended_at,
        "payer_amount": escrow.payer_amount,
        "merchant_amount": escrow.merchant_amount,
        "auto_release_at": escrow.auto_release_at,
        "failure": None if escrow.failure is None else documents.write(escrow.failure),
        "try_again_at": None if escrow.failure is None else escrow.failure.try_again_at,
        "claims": documents.write(escrow.claims) if escrow.claims else None,
        "merchant_claim_of": escrow.open_claim_of(Side.MERCHANT),
        "payer_claim_of": escrow.open_claim_of(Side.PAYER),
    }


def _escrow(row: Row) -> Escrow:
    failure = row["failure"]
    return Escrow(
        id=row["id"],
        intent_id=row["intent_id"],
        merchant_id=row["merchant_id"],
        terms=documents.read(row["terms"], EscrowTerms),
        payer=row["payer"],
        fee=documents.read(row["fee"], FeeLine),
        state=EscrowState(row["state"]),
        held_at=row["held_at"],
        requested=None if row["requested"] is None else EscrowAction(row["requested"]),
        submission_id=row["submission_id"],
        disputed_at=row["disputed_at"],
        ended_at=row["ended_at"],
        payer_amount=int(row["payer_amount"]),
        merchant_amount=int(row["merchant_amount"]),
        auto_release_at=row["auto_release_at"],
        failure=None if failure is None else documents.read(failure, FailedRequest),
        claims=documents.read(row["claims"] or [], tuple[Claim, ...]),
    )
