"""Merchants and their API keys in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, select

from adapters.postgres import documents
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.merchants import API_KEY, MERCHANT
from domain.fees.model import FeeSchedule
from domain.merchants.model import Merchant, PaymentPolicy, PayoutTerms
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from domain.merchants.model import ApiKey
    from domain.shared.ids import MerchantId

_ADD = insertion(MERCHANT)
_SAVE = update_by_id(MERCHANT, fixed=["created_at"])
_GET = select_by_id(MERCHANT)
_ALL = compiled(select(MERCHANT).order_by(MERCHANT.c.created_at, MERCHANT.c.id))
_ADD_KEY = insertion(API_KEY)
_BY_KEY = compiled(
    select(MERCHANT)
    .join(API_KEY)
    .where(API_KEY.c.digest == bindparam("digest"), API_KEY.c.revoked_at.is_(None))
)


@attrs.frozen
class PostgresMerchants:
    """See ``ports.merchants.Merchants``."""

    _session: Session

    async def add(self, merchant: Merchant) -> None:
        """Store a new merchant."""
        await self._session.write(_ADD, _row(merchant), merchant.id)

    async def save(self, merchant: Merchant) -> None:
        """Store a merchant as it is now."""
        await self._session.write(_SAVE, _row(merchant), merchant.id)

    async def get(self, merchant_id: MerchantId) -> Merchant:
        """Return a merchant, or raise NotFound."""
        row = await self._session.row(_GET, id=merchant_id)
        if row is None:
            raise NotFound("merchant", merchant_id)
        return _merchant(row)

    async def all(self) -> Sequence[Merchant]:
        """Return every merchant, oldest first."""
        return [_merchant(row) for row in await self._session.rows(_ALL)]

    async def add_key(self, key: ApiKey) -> None:
        """Store what is kept of a new API key."""
        await self._session.write(_ADD_KEY, attrs.asdict(key), key.id)

    async def by_key(self, digest: bytes) -> Merchant | None:
        """Return the merchant whose unrevoked key has this digest, or None."""
        row = await self._session.row(_BY_KEY, digest=digest)
        return None if row is None else _merchant(row)


def _row(merchant: Merchant) -> Row:
    return {
        "id": merchant.id,
        "name": merchant.name,
        "created_at": merchant.created_at,
        "fees": documents.write(merchant.fees),
        "payments": documents.write(merchant.payments),
        "payouts": documents.write(merchant.payouts),
    }


def _merchant(row: Row) -> Merchant:
    return Merchant(
        id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        fees=documents.read(row["fees"], FeeSchedule),
        payments=documents.read(row["payments"], PaymentPolicy),
        payouts=documents.read(row["payouts"], PayoutTerms),
    )
