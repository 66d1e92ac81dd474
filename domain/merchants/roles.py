"""People of a merchant's, and what each may do there: roles stand for the same scopes as keys."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

import attrs

from domain.merchants.scopes import Scope, covers
from domain.operators.roles import PlatformRole
from domain.shared.ids import MerchantId, UserId


class Role(enum.StrEnum):
    """What a person is at a merchant's."""

    OWNER = "owner"
    """May do everything, and alone decides who else is an owner."""
    ADMIN = "admin"
    """Decides who is what, owners excepted; may do all but approve where money is paid out to."""
    DEVELOPER = "developer"
    """Connects the merchant's shop: keys and webhooks, and no money that goes out."""
    SUPPORT = "support"
    """Helps payers: looks payments up and gives money back."""
    VIEWER = "viewer"
    """Looks at everything but keys and webhooks."""


_LOOKING: Final = frozenset(
    {
        Scope.PAYMENT_INTENTS_READ,
        Scope.CUSTOMERS_READ,
        Scope.DEPOSITS_READ,
        Scope.BALANCES_READ,
        Scope.PAYOUTS_READ,
        Scope.PAYOUT_DESTINATIONS_READ,
        Scope.EVENTS_READ,
    }
)
_ALL_BUT_APPROVING: Final = frozenset(Scope) - {
    Scope.EVERYTHING,
    Scope.PAYOUT_DESTINATIONS_APPROVE,
}

PERMISSIONS: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.OWNER: frozenset({Scope.EVERYTHING}),
        Role.ADMIN: _ALL_BUT_APPROVING,
        Role.DEVELOPER: _LOOKING
        | {
            Scope.PAYMENT_INTENTS_WRITE,
            Scope.CUSTOMERS_WRITE,
            Scope.WEBHOOKS_READ,
            Scope.WEBHOOKS_WRITE,
            Scope.KEYS_READ,
            Scope.KEYS_WRITE,
            Scope.TEST_HELPERS_WRITE,
        },
        Role.SUPPORT: frozenset(
            {
                Scope.PAYMENT_INTENTS_READ,
                Scope.CUSTOMERS_READ,
                Scope.DEPOSITS_READ,
                Scope.EVENTS_READ,
                Scope.REFUNDS_WRITE,
            }
        ),
        Role.VIEWER: _LOOKING,
    }
)
"""The scopes that each role stands for."""


@attrs.frozen
class User:
    """A person. One may work for several merchants, for the platform, or for both."""

    id: UserId
    email: str
    """As ``domain.people.email.fold`` writes it: no two people share one."""
    name: str
    created_at: datetime
    platform_role: PlatformRole | None = None
    """What this person is on the platform's own side."""


@attrs.frozen
class Member:
    """What a person is at a merchant's."""

    user_id: UserId
    role: Role

    def may(self, scope: Scope) -> bool:
        """Tell whether this person may do what a scope stands for."""
        return covers(PERMISSIONS[self.role], scope)

    def may_appoint(self, before: Role | None, after: Role | None) -> bool:
        """Tell whether this person may make somebody with a role, or none, have another."""
        if self.role is Role.OWNER:
            return True
        return self.role is Role.ADMIN and Role.OWNER not in (before, after)


@attrs.frozen
class NotAllowedToAppoint(Exception):
    """This person may not decide that."""

    by: UserId
    role: Role | None


@attrs.frozen
class LastOwner(Exception):
    """A merchant without an owner could never have one again."""

    user_id: UserId


@attrs.frozen
class Team:
    """Everybody who works for a merchant."""

    merchant_id: MerchantId
    roles: Mapping[UserId, Role]

    def member(self, user_id: UserId) -> Member | None:
        """Return what a person is here; None for a stranger."""
        role = self.roles.get(user_id)
        return None if role is None else Member(user_id, role)

    def appoint(self, user_id: UserId, role: Role | None, *, by: UserId | None) -> Team:
        """Give a person a role, or take it away; ``by`` is None where an operator does.

        Raises:
            NotAllowedToAppoint: who decides may not, or does not work here.
            LastOwner: no owner would be left.
        """
        before = self.roles.get(user_id)
        if by is not None:
            decider = self.member(by)
            if decider is None or not decider.may_appoint(before, role):
                raise NotAllowedToAppoint(by, role)
        others = {each: held for each, held in self.roles.items() if each != user_id}
        roles = others if role is None else {**others, user_id: role}
        if Role.OWNER not in roles.values():
            raise LastOwner(user_id)
        return attrs.evolve(self, roles=roles)
