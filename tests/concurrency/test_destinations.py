"""Changes of payout destinations at once: one of a chain, approved once, ended once."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.addresses import InMemoryAddresses
from domain.destinations.model import (
    ChangeState,
    ChangeTransitionRefused,
    CoolDowns,
    Party,
)
from domain.destinations.service import ChangeUnderWay, DestinationService
from domain.shared.actors import ActorKind
from tests.builders import CHAIN, OTHER_CHAIN, address_of
from tests.concurrency.gateway import at_once
from tests.domain.scene import PLACES, TILL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.postgres.storage import PostgresStorage
    from domain.destinations.model import DestinationChange
    from domain.shared.ids import KeyId
    from domain.shared.money import ChainId
    from tests.concurrency.gateway import Gateways
    from tests.domain.services import Surroundings

SEEDS = range(6)
NEW = address_of("new till")
OLIVE, PAUL, ZOE = (Party(ActorKind.OPERATOR, name) for name in ("olive", "paul", "zoe"))
DAY = timedelta(days=1)


@pytest.fixture
def services(
    storages: Sequence[PostgresStorage], around: Surroundings, gateways: Gateways
) -> list[DestinationService]:
    """Two processes."""
    return [
        DestinationService(
            begin=gateways.hesitate.begin(storage.begin),
            clock=around.clock,
            ids=around.ids,
            places={CHAIN: PLACES, OTHER_CHAIN: attrs.evolve(PLACES, chain=OTHER_CHAIN)},
            addresses=InMemoryAddresses(),
            cool_downs=CoolDowns(live=DAY, test=DAY),
        )
        for storage in storages
    ]


async def told(gateways: Gateways, change: DestinationChange) -> list[str]:
    """Return what the merchant was told of a change, in order."""
    async with gateways.process(0).begin() as work:
        events = await work.events.after(owner=gateways.merchant.id, sequence=0, limit=1000)
    return [it.event.type.rpartition("_")[2] for it in events if it.event.object_id == change.id]


async def destinations(gateways: Gateways) -> Mapping[ChainId, str]:
    async with gateways.process(0).begin() as work:
        return (await work.merchants.get(gateways.merchant.id)).payouts.destinations


async def test_of_many_requests_at_once_one_is_open(
    services: list[DestinationService], gateways: Gateways
) -> None:
    for seed in SEEDS:
        gateways.reseed(seed)
        made: list[DestinationChange] = []

        async def ask(place: int, made: list[DestinationChange] = made) -> None:
            with contextlib.suppress(ChangeUnderWay):
                change = await services[place % 2].request(
                    owner=gateways.merchant.id, chain=CHAIN, address=NEW, by=OLIVE
                )
                made.append(change)

        await at_once([ask(place) for place in range(6)], seed=seed)

        [change] = made
        assert await told(gateways, change) == ["requested"]
        await services[0].cancel(change_id=change.id, owner=None, by=OLIVE)


async def test_of_two_approvals_at_once_one_counts(
    services: list[DestinationService], gateways: Gateways
) -> None:
    for seed in SEEDS:
        gateways.reseed(seed)
        change = await services[0].request(
            owner=gateways.merchant.id, chain=CHAIN, address=NEW, by=OLIVE
        )
        counted: list[Party] = []

        async def approve(
            place: int,
            change: DestinationChange = change,
            counted: list[Party] = counted,
        ) -> None:
            party = (PAUL, ZOE)[place % 2]
            with contextlib.suppress(ChangeTransitionRefused):
                await services[place % 2].approve(change_id=change.id, owner=None, by=party)
                counted.append(party)

        await at_once([approve(place) for place in range(4)], seed=seed)

        [party] = counted
        now = await services[1].change(change_id=change.id, owner=None)
        assert (now.state, now.approved_by) == (ChangeState.COOLING_DOWN, party)
        assert await told(gateways, change) == ["requested", "approved"]
        await services[0].cancel(change_id=change.id, owner=None, by=OLIVE)


async def test_cancel_beside_effective_is_one_of_them(
    services: list[DestinationService], gateways: Gateways, around: Surroundings
) -> None:
    ends: set[ChangeState] = set()
    for seed in range(10):
        gateways.reseed(seed)
        paid_at = (await destinations(gateways))[CHAIN]
        change = await services[0].request(
            owner=gateways.merchant.id, chain=CHAIN, address=address_of(f"{seed}"), by=OLIVE
        )
        await services[0].approve(change_id=change.id, owner=None, by=PAUL)
        around.clock.advance(hours=24)
        canceled: list[bool] = []

        async def cancel(
            change: DestinationChange = change, canceled: list[bool] = canceled
        ) -> None:
            await gateways.hesitate.wait(times=1)
            try:
                await services[0].cancel(change_id=change.id, owner=None, by=OLIVE)
                canceled.append(True)
            except ChangeTransitionRefused:
                canceled.append(False)

        async def apply(place: int) -> None:
            await services[place % 2].apply_due(limit=10)

        await at_once([cancel(), apply(0), apply(1)], seed=seed)

        now = await services[0].change(change_id=change.id, owner=None)
        [was_canceled] = canceled
        wanted = ChangeState.CANCELED if was_canceled else ChangeState.EFFECTIVE
        assert now.state is wanted
        assert await told(gateways, change) == ["requested", "approved", wanted.value]
        assert (await destinations(gateways))[CHAIN] == (
            paid_at if was_canceled else change.address
        )
        ends.add(now.state)
    assert ends == {ChangeState.CANCELED, ChangeState.EFFECTIVE}


async def test_two_chains_at_once_lose_neither(
    services: list[DestinationService], gateways: Gateways
) -> None:
    at_once_effective = CoolDowns(test=timedelta(0))
    brisk = [attrs.evolve(service, cool_downs=at_once_effective) for service in services]
    for seed in SEEDS:
        gateways.reseed(seed)
        address = address_of(f"both {seed}")
        changes = [
            await brisk[0].request(
                owner=gateways.merchant.id, chain=chain, address=address, by=OLIVE
            )
            for chain in (CHAIN, OTHER_CHAIN)
        ]

        await asyncio.gather(
            *(
                service.approve(change_id=change.id, owner=None, by=PAUL)
                for service, change in zip(brisk, changes, strict=True)
            )
        )

        assert await destinations(gateways) == {CHAIN: address, OTHER_CHAIN: address}


async def test_a_key_is_made_while_a_destination_changes(
    services: list[DestinationService], gateways: Gateways, around: Surroundings
) -> None:
    merchants = gateways.process(0).merchants
    change = await services[0].request(
        owner=gateways.merchant.id, chain=CHAIN, address=NEW, by=OLIVE
    )
    await services[0].approve(change_id=change.id, owner=None, by=PAUL)
    around.clock.advance(hours=24)
    made: list[KeyId] = []

    async def make() -> None:
        made.append((await merchants.create_key(merchant_id=gateways.merchant.id)).key.id)

    async def apply() -> None:
        await services[1].apply_due(limit=10)

    await at_once([*(make() for _ in range(4)), apply()], seed=1)

    assert len(await merchants.keys(owner=gateways.merchant.id)) == len(made) == 4
    assert await destinations(gateways) == {CHAIN: NEW}
    assert TILL not in (await destinations(gateways)).values()
