"""Merchants and their API keys in PostgreSQL."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, select

from adapters.postgres import documents
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id, written
from adapters.postgres.tables.merchants import API_KEY, MERCHANT
from domain.fees.model import FeeSchedule
from domain.merchants.model import ApiKey, Caller, Merchant, PaymentPolicy, PayoutTerms
from domain.merchants.scopes import Scope
from domain.shared.modes import Mode
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from domain.shared.ids import KeyId, MerchantId

_KEY = "key_"
"""How the columns of a key are called where they come with a merchant's."""
_CAN_CHANGE = ("revoked_at", "expires_at")

_ADD = insertion(MERCHANT)
_SAVE = update_by_id(MERCHANT, fixed=["created_at", "mode"])
_GET = select_by_id(MERCHANT)
# New rows of other tables may still name the merchant meanwhile.
_LOCK = compiled(
    select(MERCHANT.c.id).where(MERCHANT.c.id == bindparam("id")).with_for_update(key_share=True),
    takes_locks=True,
)
_LOCK_WHOLE = compiled(
    select(MERCHANT).where(MERCHANT.c.id == bindparam("id")).with_for_update(key_share=True),
    takes_locks=True,
)
_ALL = compiled(select(MERCHANT).order_by(MERCHANT.c.created_at, MERCHANT.c.id))
_ADD_KEY = insertion(API_KEY)
_SAVE_KEY = update_by_id(API_KEY, fixed=written(API_KEY, without=["id", *_CAN_CHANGE]))
_GET_KEY = select_by_id(API_KEY)
_LOCK_KEY = select_by_id(API_KEY, lock=True)
_KEYS = compiled(
    select(API_KEY)
    .where(API_KEY.c.merchant_id == bindparam("owner"))
    .order_by(API_KEY.c.revoked_at.is_not(None), API_KEY.c.created_at.desc(), API_KEY.c.id.desc())
    .limit(bindparam("limit"))
)
_UNREVOKED = compiled(
    select(API_KEY)
    .where(API_KEY.c.merchant_id == bindparam("owner"), API_KEY.c.revoked_at.is_(None))
    .order_by(API_KEY.c.created_at.desc(), API_KEY.c.id.desc())
)
_BY_KEY = compiled(
    select(MERCHANT, *(column.label(f"{_KEY}{column.name}") for column in API_KEY.c))
    .join(API_KEY, API_KEY.c.merchant_id == MERCHANT.c.id)
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

    async def lock(self, merchant_id: MerchantId) -> Merchant:
        """Return a merchant and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_WHOLE, id=merchant_id)
        if row is None:
            raise NotFound("merchant", merchant_id)
        return _merchant(row)

    async def all(self) -> Sequence[Merchant]:
        """Return every merchant, oldest first."""
        return [_merchant(row) for row in await self._session.rows(_ALL)]

    async def add_key(self, key: ApiKey) -> None:
        """Store what is kept of a new API key."""
        await self._session.write(_ADD_KEY, _key_row(key), key.id)

    async def save_key(self, key: ApiKey) -> None:
        """Store what can change of a locked key."""
        await self._session.write(_SAVE_KEY, _key_row(key), key.id)

    async def get_key(self, key_id: KeyId, *, owner: MerchantId) -> ApiKey:
        """Return a merchant's key, or raise NotFound."""
        row = await self._session.row(_GET_KEY, id=key_id)
        return _owned(row, key_id, owner)

    async def lock_key(self, key_id: KeyId, *, owner: MerchantId | None) -> ApiKey:
        """Return a key, locked, or raise NotFound."""
        row = await self._session.row(_LOCK_KEY, id=key_id)
        return _owned(row, key_id, owner)

    async def lock_keys(self, owner: MerchantId) -> Sequence[ApiKey]:
        """Return a merchant's keys that were not revoked, and lock the merchant."""
        if await self._session.row(_LOCK, id=owner) is None:
            raise NotFound("merchant", owner)
        return [_key(row) for row in await self._session.rows(_UNREVOKED, owner=owner)]

    async def keys(self, *, owner: MerchantId, limit: int) -> Sequence[ApiKey]:
        """Return a merchant's keys: those not revoked first, and of each kind the newest."""
        return [_key(row) for row in await self._session.rows(_KEYS, owner=owner, limit=limit)]

    async def by_key(self, digest: bytes) -> Caller | None:
        """Return whose unrevoked key has this digest, and the key, or None."""
        row = await self._session.row(_BY_KEY, digest=digest)
        if row is None:
            return None
        of_key = {name.removeprefix(_KEY): row[name] for name in row if name.startswith(_KEY)}
        return Caller(_merchant(row), _key(of_key))


def _row(merchant: Merchant) -> Row:
    return {
        "id": merchant.id,
        "name": merchant.name,
        "created_at": merchant.created_at,
        "fees": documents.write(merchant.fees),
        "payments": documents.write(merchant.payments),
        "payouts": documents.write(merchant.payouts),
        "mode": merchant.mode,
        "twin": merchant.twin,
    }


def _merchant(row: Row) -> Merchant:
    return Merchant(
        id=row["id"],
        name=row["name"],
        created_at=row["created_at"],
        fees=documents.read(row["fees"], FeeSchedule),
        payments=documents.read(row["payments"], PaymentPolicy),
        payouts=documents.read(row["payouts"], PayoutTerms),
        mode=Mode(row["mode"]),
        twin=row["twin"],
    )


def _key_row(key: ApiKey) -> Row:
    return {
        **attrs.asdict(key, recurse=False),
        "scopes": sorted(key.scopes),
        "networks": [str(network) for network in key.networks],
    }


def _key(row: Row) -> ApiKey:
    networks = tuple(ipaddress.ip_network(network) for network in row["networks"])
    scopes = frozenset(Scope(scope) for scope in row["scopes"])
    return ApiKey(**{**row, "scopes": scopes, "networks": networks})


def _owned(row: Row | None, key_id: KeyId, owner: MerchantId | None) -> ApiKey:
    if row is None or owner not in (None, row["merchant_id"]):
        raise NotFound("key", key_id)
    return _key(row)
