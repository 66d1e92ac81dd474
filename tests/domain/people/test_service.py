"""People: known by their addresses, and what each is where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.merchants.roles import LastOwner, NotAllowedToAppoint, Role
from domain.operators.model import OperatorScope
from domain.operators.roles import PLATFORM_PERMISSIONS, PlatformRole
from domain.people.email import MalformedEmail
from domain.people.service import EmailTaken, Employed, PeopleService
from domain.shared.ids import MerchantId
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from tests.domain.world import World

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def people(world: World) -> PeopleService:
    return PeopleService(world.services.begin, world.clock, world.around.ids)


async def test_an_address_is_taken_once_however_it_is_written(people: PeopleService) -> None:
    ada = await people.create(email=" Ada@Example.com", name="Ada")
    with pytest.raises(EmailTaken) as refusal:
        await people.create(email="ADA@example.com", name="Another")
    assert refusal.value.email == ada.email == ADA
    with pytest.raises(MalformedEmail):
        await people.create(email="ada", name="Ada")
    assert await people.all() == [ada]


async def test_a_person_is_something_for_the_platform(people: PeopleService) -> None:
    await people.create(email=ADA, name="Ada", platform_role=PlatformRole.SUPPORT)
    ada = await people.set_platform_role(email="Ada@example.com", role=PlatformRole.ADMIN)
    assert ada.platform_role is PlatformRole.ADMIN
    await people.set_platform_role(email=ADA, role=None)
    assert [it.platform_role for it in await people.all()] == [None]
    with pytest.raises(NotFound):
        await people.set_platform_role(email=BOB, role=PlatformRole.ADMIN)


async def test_a_team_begins_with_an_owner_and_keeps_one(
    people: PeopleService, world: World
) -> None:
    merchant = world.merchant.id
    ada = await people.create(email=ADA, name="Ada")
    bob = await people.create(email=BOB, name="Bob")
    with pytest.raises(LastOwner):
        await people.appoint(merchant_id=merchant, email=BOB, role=Role.VIEWER, by=None)
    await people.appoint(merchant_id=merchant, email=ADA, role=Role.OWNER, by=None)
    await people.appoint(merchant_id=merchant, email=BOB, role=Role.ADMIN, by=ada.id)
    assert await people.members(merchant_id=merchant) == [
        Employed(ada, Role.OWNER),
        Employed(bob, Role.ADMIN),
    ]
    with pytest.raises(NotAllowedToAppoint):
        await people.appoint(merchant_id=merchant, email=ADA, role=Role.VIEWER, by=bob.id)
    with pytest.raises(LastOwner):
        await people.appoint(merchant_id=merchant, email=ADA, role=None, by=None)
    await people.appoint(merchant_id=merchant, email=BOB, role=None, by=ada.id)
    assert [it.user for it in await people.members(merchant_id=merchant)] == [ada]


async def test_who_is_not_there_is_not_found(people: PeopleService, world: World) -> None:
    await people.create(email=ADA, name="Ada")
    for merchant, email in ((world.merchant.id, BOB), (MerchantId("mer_none"), ADA)):
        with pytest.raises(NotFound):
            await people.appoint(merchant_id=merchant, email=email, role=Role.OWNER, by=None)
    with pytest.raises(NotFound):
        await people.members(merchant_id=MerchantId("mer_none"))


def test_every_platform_role_stands_for_scopes_and_only_admins_write() -> None:
    assert set(PLATFORM_PERMISSIONS) == set(PlatformRole)
    writing = {role for role, held in PLATFORM_PERMISSIONS.items() if OperatorScope.WRITE in held}
    assert writing == {PlatformRole.ADMIN}
