"""Seeding and teams at once: one of everything, and always an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.merchants.roles import LastOwner, Role
from domain.people.service import EmailTaken, PeopleService
from domain.seeding.model import Wanted
from domain.seeding.service import SeedingService
from tests.concurrency.gateway import at_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.storage import PostgresStorage
    from domain.seeding.model import Seeded
    from tests.concurrency.gateway import Gateways
    from tests.domain.services import Surroundings

ADA, BOB = "ada@example.com", "bob@example.com"


async def test_of_many_runs_at_once_one_makes_everything(
    storages: Sequence[PostgresStorage], around: Surroundings, gateways: Gateways
) -> None:
    wanted = Wanted(admin_email=ADA, owner_email=BOB, merchant_name="Demo")
    done: list[Seeded] = []

    async def seed(place: int) -> None:
        begin = gateways.hesitate.begin(storages[place % 2].begin)
        done.append(await SeedingService(begin, around.clock, around.ids).seed(wanted))

    await at_once([seed(place) for place in range(8)], seed=3)

    made = [it for it in done if it.made]
    assert len(made) == len([it for it in done if it.api_key]) == 1
    first = made[0]
    for each in done:
        assert (each.admin, each.owner) == (first.admin, first.owner)
        assert (each.test, each.live) == (first.test, first.live)
    keys = await gateways.process(0).merchants.keys(owner=first.test.id)
    assert [key.name for key in keys] == ["seed"]


async def test_of_one_address_at_once_one_person_is_made(
    storages: Sequence[PostgresStorage], around: Surroundings, gateways: Gateways
) -> None:
    taken: list[str] = []

    async def create(place: int) -> None:
        begin = gateways.hesitate.begin(storages[place % 2].begin)
        people = PeopleService(begin, around.clock, around.ids)
        try:
            await people.create(email=ADA.upper() if place % 3 else ADA, name=str(place))
        except EmailTaken as error:
            taken.append(error.email)

    await at_once([create(place) for place in range(6)], seed=1)

    assert taken == [ADA] * 5
    people = PeopleService(storages[0].begin, around.clock, around.ids)
    assert [it.email for it in await people.all()] == [ADA]


async def test_two_owners_who_remove_each_other_leave_one(
    storages: Sequence[PostgresStorage], around: Surroundings, gateways: Gateways
) -> None:
    people = [
        PeopleService(gateways.hesitate.begin(it.begin), around.clock, around.ids)
        for it in storages
    ]
    merchant = gateways.merchant.id
    users = {email: await people[0].create(email=email, name="x") for email in (ADA, BOB)}
    for seed in range(6):
        gateways.reseed(seed)
        for email in users:
            await people[0].appoint(merchant_id=merchant, email=email, role=Role.OWNER, by=None)
        refused: list[str] = []

        async def remove(place: int, email: str, refused: list[str] = refused) -> None:
            try:
                await people[place].appoint(merchant_id=merchant, email=email, role=None, by=None)
            except LastOwner:
                refused.append(email)

        await at_once([remove(0, ADA), remove(1, BOB)], seed=seed)

        assert [it.user.email for it in await people[0].members(merchant_id=merchant)] == refused
        assert len(refused) == 1
