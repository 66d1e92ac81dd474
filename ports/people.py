"""People, and what they are at merchants', stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.merchants.roles import Role, Team, User
    from domain.shared.ids import MerchantId, UserId


class People(Protocol):
    """Everybody who works for a merchant or for the platform."""

    async def add(self, user: User) -> None:
        """Store a new person.

        Raises:
            AlreadyExists: somebody has the e-mail address. This may be raised as late as at the
                commit.
        """
        ...

    async def save(self, user: User) -> None:
        """Store what can change of a locked person: the name, and the role for the platform."""
        ...

    async def get(self, user_id: UserId) -> User:
        """Return a person.

        Raises:
            NotFound: there is nobody of that id.
        """
        ...

    async def lock(self, user_id: UserId) -> User:
        """Return a person, locked to be saved.

        Raises:
            NotFound: there is nobody of that id.
        """
        ...

    async def by_email(self, email: str) -> User | None:
        """Return who has an e-mail address, written as ``domain.people.email.fold`` does."""
        ...

    async def all(self) -> Sequence[User]:
        """Return everybody, by e-mail address."""
        ...

    async def team(self, merchant_id: MerchantId) -> Team:
        """Return everybody who works for a merchant; nobody does for one that is not there."""
        ...

    async def lock_team(self, merchant_id: MerchantId) -> Team:
        """Return everybody who works for a merchant, and let nobody else change that.

        Raises:
            NotFound: there is no such merchant.
        """
        ...

    async def set_role(self, merchant_id: MerchantId, user_id: UserId, role: Role | None) -> None:
        """Store what a person is in a locked team from now on; None is nothing any more."""
        ...
