"""Use cases of people: know them, and say what each is at a merchant's or for the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.merchants.roles import Role, User
from domain.people.email import fold
from domain.shared.ids import UserId
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import AlreadyExists, Begin, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.merchants.roles import Team
    from domain.operators.roles import PlatformRole
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class EmailTaken(Exception):
    """Somebody has this e-mail address already."""

    email: str


@attrs.frozen
class Employed:
    """Somebody, and what he is at a merchant's."""

    user: User
    role: Role


@attrs.frozen
class PeopleService:
    """Knows people by their e-mail addresses. How they prove who they are is not kept here."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def create(
        self, *, email: str, name: str, platform_role: PlatformRole | None = None
    ) -> User:
        """Take a person on, who may be given roles then.

        Raises:
            MalformedEmail: that is no e-mail address.
            EmailTaken: somebody has it.
        """
        user = User(
            id=UserId(self.ids.new("user")),
            email=fold(email),
            name=name,
            created_at=self.clock.now(),
            platform_role=platform_role,
        )
        try:
            async with self.begin() as work:
                await work.people.add(user)
                await work.commit()
        except AlreadyExists as error:
            raise EmailTaken(user.email) from error
        return user

    async def all(self) -> Sequence[User]:
        """Return everybody, by e-mail address."""
        async with self.begin() as work:
            return await work.people.all()

    async def set_platform_role(self, *, email: str, role: PlatformRole | None) -> User:
        """Say what a person is for the platform from now on; None is nothing any more.

        Raises:
            MalformedEmail, NotFound: nobody has this e-mail address.
        """
        async with self.begin() as work:
            known = await _who(work, email)
            user = attrs.evolve(await work.people.lock(known.id), platform_role=role)
            await work.people.save(user)
            await work.commit()
        return user

    async def appoint(
        self, *, merchant_id: MerchantId, email: str, role: Role | None, by: UserId | None
    ) -> Team:
        """Say what a person is at a merchant's from now on; None is nothing any more.

        ``by`` is a person of the merchant's; None where an operator decides.

        Raises:
            MalformedEmail, NotFound: there is no such merchant, or nobody of this address.
            NotAllowedToAppoint: who decides may not.
            LastOwner: no owner would be left, or there never was one.
        """
        async with self.begin() as work:
            user = await _who(work, email)
            team = await work.people.lock_team(merchant_id)
            appointed = team.appoint(user.id, role, by=by)
            await work.people.set_role(merchant_id, user.id, role)
            await work.commit()
        return appointed

    async def members(self, *, merchant_id: MerchantId) -> Sequence[Employed]:
        """Return who works for a merchant, by e-mail address.

        Raises:
            NotFound: there is no such merchant.
        """
        async with self.begin() as work:
            await work.merchants.get(merchant_id)
            team = await work.people.team(merchant_id)
            found = [
                Employed(await work.people.get(user_id), role)
                for user_id, role in team.roles.items()
            ]
        return sorted(found, key=lambda it: it.user.email)


async def _who(work: UnitOfWork, email: str) -> User:
    user = await work.people.by_email(fold(email))
    if user is None:
        raise NotFound("user", fold(email))
    return user
