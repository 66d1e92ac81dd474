"""People, and what they are at merchants', in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    update_by_id,
    written,
)
from adapters.postgres.tables.merchants import MERCHANT
from adapters.postgres.tables.people import MEMBER, PERSON
from domain.merchants.roles import Role, Team, User
from domain.operators.roles import PlatformRole
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from domain.shared.ids import MerchantId, UserId

_M = MEMBER.c
_ADD = insertion(PERSON)
_SAVE = update_by_id(PERSON, fixed=["email", "created_at"])
_GET = select_by_id(PERSON)
_LOCK = select_by_id(PERSON, lock=True)
_BY_EMAIL = compiled(select(PERSON).where(PERSON.c.email == bindparam("email")))
_ALL = compiled(select(PERSON).order_by(PERSON.c.email))
_TEAM = compiled(
    select(_M.user_id, _M.role)
    .where(_M.merchant_id == bindparam("merchant_id"))
    .order_by(_M.user_id)
)
# New rows of other tables may still name the merchant meanwhile.
_LOCK_MERCHANT = compiled(
    select(MERCHANT.c.id).where(MERCHANT.c.id == bindparam("id")).with_for_update(key_share=True),
    takes_locks=True,
)
_giving = insert(MEMBER)
_GIVE = compiled(
    _giving.on_conflict_do_update(
        index_elements=[_M.merchant_id, _M.user_id], set_={"role": _giving.excluded.role}
    ),
    columns=written(MEMBER),
)
_TAKE = compiled(
    delete(MEMBER).where(
        _M.merchant_id == bindparam("merchant_id"), _M.user_id == bindparam("user_id")
    )
)


@attrs.frozen
class PostgresPeople:
    """See ``ports.people.People``."""

    _session: Session

    async def add(self, user: User) -> None:
        """Store a new person."""
        await self._session.write(_ADD, attrs.asdict(user), user.id)

    async def save(self, user: User) -> None:
        """Store what can change of a locked person."""
        await self._session.write(_SAVE, attrs.asdict(user), user.id)

    async def get(self, user_id: UserId) -> User:
        """Return a person, or raise NotFound."""
        return _found(await self._session.row(_GET, id=user_id), user_id)

    async def lock(self, user_id: UserId) -> User:
        """Return a person and lock the row, or raise NotFound."""
        return _found(await self._session.row(_LOCK, id=user_id), user_id)

    async def by_email(self, email: str) -> User | None:
        """Return who has an e-mail address."""
        row = await self._session.row(_BY_EMAIL, email=email)
        return None if row is None else _user(row)

    async def all(self) -> Sequence[User]:
        """Return everybody, by e-mail address."""
        return [_user(row) for row in await self._session.rows(_ALL)]

    async def team(self, merchant_id: MerchantId) -> Team:
        """Return everybody who works for a merchant."""
        rows = await self._session.rows(_TEAM, merchant_id=merchant_id)
        return Team(merchant_id, {row["user_id"]: Role(row["role"]) for row in rows})

    async def lock_team(self, merchant_id: MerchantId) -> Team:
        """Return everybody who works for a merchant, and lock the merchant's row."""
        if await self._session.row(_LOCK_MERCHANT, id=merchant_id) is None:
            raise NotFound("merchant", merchant_id)
        return await self.team(merchant_id)

    async def set_role(self, merchant_id: MerchantId, user_id: UserId, role: Role | None) -> None:
        """Store what a person is in a locked team from now on; None is nothing any more."""
        place: Row = {"merchant_id": merchant_id, "user_id": user_id}
        if role is None:
            await self._session.write(_TAKE, place, ("member", merchant_id, user_id))
        else:
            given = {**place, "role": role}
            await self._session.write(_GIVE, given, ("member", merchant_id, user_id))


def _found(row: Row | None, user_id: UserId) -> User:
    if row is None:
        raise NotFound("user", user_id)
    return _user(row)


def _user(row: Row) -> User:
    held = row["platform_role"]
    return User(**{**row, "platform_role": None if held is None else PlatformRole(held)})
