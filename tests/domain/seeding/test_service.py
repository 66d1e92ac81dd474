"""Seeding: what is missing is made, all of it or nothing, and what is there stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.merchants.roles import Role
from domain.operators.roles import PlatformRole
from domain.people.email import MalformedEmail
from domain.people.service import PeopleService
from domain.seeding.model import DEMO_LIVE, DEMO_TEST, Wanted
from domain.seeding.service import SeedingService
from domain.shared.modes import Mode
from ports.unit_of_work import StorageUnavailable
from tests.builders import CHAIN, address_of

if TYPE_CHECKING:
    from tests.domain.world import World

WANTED = Wanted(
    admin_email="Admin@example.com",
    owner_email="owner@example.com",
    merchant_name="Demo",
    destinations={CHAIN: address_of("till")},
)


@pytest.fixture
def seeding(world: World) -> SeedingService:
    return SeedingService(world.services.begin, world.clock, world.around.ids)


def stored(world: World) -> list[list[object]]:
    tables = world.around.store.tables
    return [[*each] for each in (tables.merchants, tables.people, tables.members, tables.api_keys)]


async def test_the_first_run_makes_everything(seeding: SeedingService, world: World) -> None:
    seeded = await seeding.seed(WANTED)

    assert seeded.made == {"admin@example.com", "owner@example.com", DEMO_TEST, DEMO_LIVE}
    assert seeded.admin.platform_role is PlatformRole.ADMIN
    assert seeded.owner.platform_role is None
    assert (seeded.test.mode, seeded.test.twin) == (Mode.TEST, DEMO_LIVE)
    assert (seeded.live.mode, seeded.live.twin) == (Mode.LIVE, DEMO_TEST)
    assert seeded.test.payouts.destinations == WANTED.destinations
    assert seeded.live.payouts.destinations == {}
    people = PeopleService(world.services.begin, world.clock, world.around.ids)
    for account in (DEMO_TEST, DEMO_LIVE):
        [member] = await people.members(merchant_id=account)
        assert (member.user, member.role) == (seeded.owner, Role.OWNER)


async def test_the_key_opens_the_test_account(seeding: SeedingService, world: World) -> None:
    seeded = await seeding.seed(WANTED)

    assert seeded.api_key is not None
    caller = await world.services.merchants.authenticate(key=seeded.api_key)
    assert (caller.merchant, caller.key.name) == (seeded.test, "seed")
    assert caller.key.root == caller.key.id
    assert seeded.api_key not in repr(seeded)


async def test_the_second_run_changes_nothing(seeding: SeedingService, world: World) -> None:
    first = await seeding.seed(WANTED)
    before = stored(world)
    other = attrs.evolve(WANTED, merchant_name="Another", destinations={})

    for wanted in (WANTED, other):
        again = await seeding.seed(wanted)
        assert again == attrs.evolve(first, made=frozenset(), api_key=None)
    assert stored(world) == before


async def test_who_is_there_already_stays_as_he_is(seeding: SeedingService, world: World) -> None:
    people = PeopleService(world.services.begin, world.clock, world.around.ids)
    admin = await people.create(
        email=WANTED.admin_email, name="Ada", platform_role=PlatformRole.AUDITOR
    )
    seeded = await seeding.seed(WANTED)
    assert seeded.admin == admin
    assert admin.email not in seeded.made


async def test_one_person_may_be_both(seeding: SeedingService) -> None:
    seeded = await seeding.seed(attrs.evolve(WANTED, owner_email="ADMIN@example.com"))
    assert seeded.owner == seeded.admin


async def test_a_run_that_fails_leaves_nothing(seeding: SeedingService, world: World) -> None:
    with pytest.raises(MalformedEmail):
        await seeding.seed(attrs.evolve(WANTED, owner_email="owner"))
    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await seeding.seed(WANTED)
    assert len(world.around.store.tables.people) == 0
    assert len((await seeding.seed(WANTED)).made) == 4


async def test_a_run_whose_answer_was_lost_is_done(seeding: SeedingService, world: World) -> None:
    world.around.store.lose_next_commit()
    with pytest.raises(StorageUnavailable):
        await seeding.seed(WANTED)
    again = await seeding.seed(WANTED)
    assert (again.made, again.api_key) == (frozenset(), None)
