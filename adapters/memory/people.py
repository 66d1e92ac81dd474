"""People, and what they are at merchants', in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from domain.merchants.roles import Team
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.merchants.roles import Role, User
    from domain.shared.ids import MerchantId, UserId


@attrs.frozen
class InMemoryPeople:
    """See ``ports.people.People``."""

    _turn: Turn

    async def add(self, user: User) -> None:
        """Store a new person."""
        people = (await self._turn.tables()).people
        if people.where(email=user.email):
            self._turn.refuse(AlreadyExists("user", user.email))
        add(self._turn, "user", people, user.id, user)

    async def save(self, user: User) -> None:
        """Store what can change of a locked person."""
        people = (await self._turn.tables()).people
        kept = find("user", people, user.id)
        changed = attrs.evolve(kept, name=user.name, platform_role=user.platform_role)
        save(self._turn, "user", people, user.id, changed)

    async def get(self, user_id: UserId) -> User:
        """Return a person."""
        return find("user", (await self._turn.tables()).people, user_id)

    async def lock(self, user_id: UserId) -> User:
        """Return a person, locked to be saved."""
        return lock(self._turn, "user", (await self._turn.tables()).people, user_id)

    async def by_email(self, email: str) -> User | None:
        """Return who has an e-mail address."""
        found = (await self._turn.tables()).people.where(email=email)
        return found[0] if found else None

    async def all(self) -> Sequence[User]:
        """Return everybody, by e-mail address."""
        return sorted((await self._turn.tables()).people, key=lambda it: it.email)

    async def team(self, merchant_id: MerchantId) -> Team:
        """Return everybody who works for a merchant."""
        members = (await self._turn.tables()).members.items()
        return Team(merchant_id, {who: role for (at, who), role in members if at == merchant_id})

    async def lock_team(self, merchant_id: MerchantId) -> Team:
        """Return everybody who works for a merchant. The store is this unit's alone."""
        find("merchant", (await self._turn.tables()).merchants, merchant_id)
        return await self.team(merchant_id)

    async def set_role(self, merchant_id: MerchantId, user_id: UserId, role: Role | None) -> None:
        """Store what a person is in a team from now on; None is nothing any more."""
        members, place = (await self._turn.tables()).members, (merchant_id, user_id)
        if role is not None:
            members.put(place, role)
        elif place in members:
            members.remove(place)
