"""The use case of seeding: make what is missing, and change nothing that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from domain.fees.model import FeeSchedule
from domain.merchants import api_keys, rotation
from domain.merchants.model import ApiKey, Merchant, PayoutTerms
from domain.merchants.roles import Role, User
from domain.operators.roles import PlatformRole
from domain.people.email import fold
from domain.seeding.model import DEMO_LIVE, DEMO_TEST, FEE_BPS, KEY_NAME, Seeded
from domain.shared.ids import KeyId, UserId
from domain.shared.modes import Mode
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import AlreadyExists, Begin, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from domain.seeding.model import Wanted
    from ports.unit_of_work import UnitOfWork

TRIES_MAX: Final = 3
"""How often it is begun anew because another run was quicker with a part of it."""


@attrs.frozen
class SeedingService:
    """Makes the first things of a gateway, all of them in one unit of work or none."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def seed(self, wanted: Wanted) -> Seeded:
        """Make what is missing. What is there stays as it is, also where it is not as wanted.

        Two runs at once make one of each: people are known by their e-mail addresses, the merchant
        by the ids of its accounts, and the storage takes each of those once.

        Raises:
            MalformedEmail: an address is none.
        """
        for tries in range(1, TRIES_MAX + 1):
            try:
                return await self._seed(wanted, at=self.clock.now())
            except AlreadyExists:
                if tries == TRIES_MAX:
                    raise
        raise AssertionError("a loop that returns or raises came to its end")

    async def _seed(self, wanted: Wanted, *, at: datetime) -> Seeded:
        made: set[str] = set()
        async with self.begin() as work:
            admin = await self._user(
                work, wanted.admin_email, PlatformRole.ADMIN, made=made, at=at
            )
            owner = admin
            if fold(wanted.owner_email) != admin.email:
                owner = await self._user(work, wanted.owner_email, None, made=made, at=at)
            api_key = None
            try:
                test = await work.merchants.get(DEMO_TEST)
                live = await work.merchants.get(DEMO_LIVE)
            except NotFound:
                test, live = await self._merchant(work, wanted, owner, at=at)
                made |= {test.id, live.id}
                api_key = await self._key(work, test, at=at)
            if made:
                await work.commit()
        return Seeded(
            admin=admin,
            owner=owner,
            test=test,
            live=live,
            made=frozenset(made),
            api_key=api_key,
        )

    async def _user(
        self,
        work: UnitOfWork,
        email: str,
        role: PlatformRole | None,
        *,
        made: set[str],
        at: datetime,
    ) -> User:
        known = await work.people.by_email(fold(email))
        if known is not None:
            return known
        user = User(
            id=UserId(self.ids.new("user")),
            email=fold(email),
            name=fold(email).partition("@")[0],
            created_at=at,
            platform_role=role,
        )
        await work.people.add(user)
        made.add(user.email)
        return user

    async def _merchant(
        self, work: UnitOfWork, wanted: Wanted, owner: User, *, at: datetime
    ) -> tuple[Merchant, Merchant]:
        """Add the demo merchant's two accounts, each with its owner."""
        first = Merchant(
            id=DEMO_TEST,
            name=wanted.merchant_name,
            created_at=at,
            fees=FeeSchedule(FEE_BPS),
            payouts=PayoutTerms(destinations=wanted.destinations),
        )
        live = attrs.evolve(
            first, id=DEMO_LIVE, mode=Mode.LIVE, payouts=PayoutTerms(), twin=DEMO_TEST
        )
        test = attrs.evolve(first, twin=DEMO_LIVE)
        # Each names the other, and only one that is there can be named.
        await work.merchants.add(first)
        await work.merchants.add(live)
        await work.merchants.save(test)
        for account in (test, live):
            await work.people.lock_team(account.id)
            await work.people.set_role(account.id, owner.id, Role.OWNER)
        return test, live

    async def _key(self, work: UnitOfWork, merchant: Merchant, *, at: datetime) -> str:
        text = api_keys.write(self.ids.entropy(api_keys.ENTROPY_BYTES), merchant.mode)
        key = ApiKey(
            id=KeyId(self.ids.new("key")),
            merchant_id=merchant.id,
            digest=api_keys.digest(text),
            created_at=at,
            name=KEY_NAME,
            masked=api_keys.mask(text),
        )
        await work.merchants.add_key(rotation.descend(key, giver=None))
        return text
