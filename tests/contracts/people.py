"""What every store of people keeps: one of each e-mail address, and who works where."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.merchants.roles import Role, User
from domain.operators.roles import PlatformRole
from domain.shared.ids import MerchantId, UserId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import MERCHANT, NOON, OTHER_MERCHANT
from tests.contracts.storage import StorageContract, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

OLIVE, ADAM = UserId("usr_olive"), UserId("usr_adam")


def a_user(who: str = "olive", **changes: Any) -> User:  # noqa: ANN401 (of any type)
    """Return a person, with what the test is about changed by name."""
    user = User(UserId(f"usr_{who}"), f"{who}@example.com", who.title(), NOON)
    return attrs.evolve(user, **changes)


async def given_people(begin: Begin, *people: User) -> None:
    """Store people."""
    async with begin() as work:
        for user in people:
            await work.people.add(user)
        await work.commit()


class PeopleContract(StorageContract):
    async def test_a_person_comes_back_whole(self, begin: Begin) -> None:
        olive = a_user()
        adam = a_user("adam", name="Zoë & søn", platform_role=PlatformRole.AUDITOR)
        await given_people(begin, olive, adam)

        async with begin() as work:
            assert await work.people.get(OLIVE) == olive
            assert await work.people.by_email("adam@example.com") == adam
            assert await work.people.by_email("Adam@example.com") is None
            assert await work.people.all() == [adam, olive]
            for nobody in (work.people.get(UserId("usr_1")), work.people.lock(UserId("usr_1"))):
                with pytest.raises(NotFound):
                    await nobody

    async def test_an_address_is_one_persons(self, begin: Begin) -> None:
        await given_people(begin, a_user())

        with pytest.raises(AlreadyExists):
            await given_people(begin, a_user("adam", email=a_user().email))

    async def test_of_two_of_one_address_at_once_one_is_added(self, begin: Begin) -> None:
        async def add(name: str) -> bool:
            try:
                await given_people(begin, a_user(name, email="both@example.com"))
            except AlreadyExists:
                return False
            return True

        assert sorted(await asyncio.gather(add("olive"), add("adam"))) == [False, True]

    async def test_name_and_platform_role_can_change(self, begin: Begin) -> None:
        await given_people(begin, a_user())
        async with begin() as work:
            olive = await work.people.lock(OLIVE)
            await work.people.save(
                attrs.evolve(olive, name="O.", platform_role=PlatformRole.ADMIN, email="another")
            )
            await work.commit()

        async with begin() as work:
            assert await work.people.get(OLIVE) == a_user(
                name="O.", platform_role=PlatformRole.ADMIN
            )

    async def test_a_team_is_who_was_given_a_role(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given_people(begin, a_user(), a_user("adam"))
        for at, who, role in (
            (MERCHANT, OLIVE, Role.OWNER),
            (MERCHANT, ADAM, Role.VIEWER),
            (MERCHANT, ADAM, Role.SUPPORT),
            (OTHER_MERCHANT, ADAM, Role.OWNER),
            (OTHER_MERCHANT, OLIVE, Role.ADMIN),
            (OTHER_MERCHANT, OLIVE, None),
            (OTHER_MERCHANT, OLIVE, None),
        ):
            async with begin() as work:
                await work.people.lock_team(at)
                await work.people.set_role(at, who, role)
                await work.commit()

        async with begin() as work:
            mine = await work.people.team(MERCHANT)
            assert mine.roles == {OLIVE: Role.OWNER, ADAM: Role.SUPPORT}
            assert mine.merchant_id == MERCHANT
            assert (await work.people.lock_team(OTHER_MERCHANT)).roles == {ADAM: Role.OWNER}
            assert (await work.people.team(MerchantId("mer_none"))).roles == {}
            with pytest.raises(NotFound):
                await work.people.lock_team(MerchantId("mer_none"))
