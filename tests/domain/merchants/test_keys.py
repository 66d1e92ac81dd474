"""Keys of a merchant's: named, limited, replaced and revoked."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from domain.fees.model import FeeSchedule
from domain.merchants import rotation
from domain.merchants.rotation import (
    ExpiryOutOfRange,
    KeyEnded,
    KeyNameTaken,
    NotHeld,
    RotationUnderWay,
    TooManyKeys,
)
from domain.merchants.scopes import Scope
from domain.merchants.service import KeyNotValid
from domain.shared.modes import Mode
from ports.unit_of_work import NotFound
from tests.builders import an_api_key
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from datetime import datetime

    from domain.merchants.service import Issued
    from tests.domain.world import World

DAY = timedelta(days=1)


async def a_key(world: World, name: str = "till", *, expires_at: datetime | None = None) -> Issued:
    return await world.services.merchants.create_key(
        merchant_id=world.merchant.id,
        name=name,
        scopes=[Scope.PAYMENT_INTENTS_WRITE],
        networks=[ip_network("192.0.2.0/24")],
        expires_at=expires_at,
    )


async def is_valid(world: World, issued: Issued) -> bool:
    try:
        caller = await world.services.merchants.authenticate(key=issued.text)
    except KeyNotValid:
        return False
    return caller.key.id == issued.key.id


async def test_a_key_is_of_its_merchants_mode(world: World) -> None:
    merchants = world.services.merchants
    test, live = await merchants.register_twins(name="Grace's clocks", fees=FeeSchedule(0))
    texts = [await merchants.issue_key(merchant_id=each.id) for each in (test, live)]

    assert [text[:8] for text in texts] == ["sy_test_", "sy_live_"]
    assert (test.mode, live.mode) == (Mode.TEST, Mode.LIVE)
    assert (test.twin, live.twin) == (live.id, test.id)
    stored = await merchants.all()
    assert test in stored
    assert live in stored


async def test_a_name_belongs_to_one_active_key(world: World) -> None:
    first = await a_key(world)
    with pytest.raises(KeyNameTaken):
        await a_key(world)
    await a_key(world, "another till")

    await world.services.merchants.revoke_key(key_id=first.key.id, owner=world.merchant.id)
    await a_key(world)


async def test_an_expired_key_gives_its_name_back(world: World) -> None:
    soon = world.clock.now() + timedelta(seconds=1)
    issued = await a_key(world, expires_at=soon)
    assert await is_valid(world, issued)
    world.clock.advance(seconds=1)

    assert not await is_valid(world, issued)
    await a_key(world)


@pytest.mark.parametrize("ahead", [timedelta(0), -DAY, 3651 * DAY])
async def test_a_key_expires_within_ten_years(world: World, ahead: timedelta) -> None:
    with pytest.raises(ExpiryOutOfRange):
        await a_key(world, expires_at=world.clock.now() + ahead)


async def test_there_is_an_end_to_keys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "ACTIVE_MAX", 2)
    for name in "ab":
        await a_key(world, name)

    with pytest.raises(TooManyKeys):
        await a_key(world, "c")


async def test_a_replaced_key_counts_on_for_a_while(world: World) -> None:
    merchants = world.services.merchants
    old = await a_key(world, expires_at=world.clock.now() + 30 * DAY)
    world.clock.advance(hours=24)
    new = await merchants.regenerate_key(
        key_id=old.key.id, owner=world.merchant.id, overlap=timedelta(hours=1)
    )

    assert (new.key.name, new.key.scopes, new.key.networks) == (
        *("till", old.key.scopes),
        old.key.networks,
    )
    assert new.key.expires_at == world.clock.now() + 30 * DAY
    assert await is_valid(world, old)
    assert await is_valid(world, new)
    world.clock.advance(hours=1)
    assert not await is_valid(world, old)
    assert await is_valid(world, new)


async def test_with_no_overlap_the_old_key_is_over_at_once(world: World) -> None:
    old = await a_key(world)
    assert await is_valid(world, old)
    await world.services.merchants.regenerate_key(
        key_id=old.key.id, owner=world.merchant.id, overlap=timedelta(0)
    )

    assert not await is_valid(world, old)


async def test_a_replacement_never_lets_a_key_live_longer(world: World) -> None:
    ends = world.clock.now() + timedelta(minutes=5)
    old = await a_key(world, expires_at=ends)
    merchants = world.services.merchants
    await merchants.regenerate_key(key_id=old.key.id, owner=world.merchant.id, overlap=DAY)

    [kept] = [it for it in await merchants.keys(owner=world.merchant.id) if it.id == old.key.id]
    assert kept.expires_at == ends


async def test_a_third_key_of_a_name_has_to_wait(world: World) -> None:
    merchants, owner = world.services.merchants, world.merchant.id
    old = await a_key(world)
    new = await merchants.regenerate_key(key_id=old.key.id, owner=owner, overlap=DAY)

    for each in (old, new):
        with pytest.raises(RotationUnderWay):
            await merchants.regenerate_key(key_id=each.key.id, owner=owner)
    world.clock.advance(hours=24)
    with pytest.raises(KeyEnded):
        await merchants.regenerate_key(key_id=old.key.id, owner=owner)
    await merchants.regenerate_key(key_id=new.key.id, owner=owner)


async def test_a_key_gives_out_what_it_has(world: World) -> None:
    merchants, owner = world.services.merchants, world.merchant.id
    giver = an_api_key(
        scopes=frozenset({Scope.KEYS_WRITE, Scope.EVENTS_READ}),
        networks=(ip_network("192.0.2.0/24"),),
    )
    inside, outside = ip_network("192.0.2.128/25"), ip_network("192.0.0.0/16")

    await merchants.create_key(
        merchant_id=owner, scopes=[Scope.EVENTS_READ], networks=[inside], by=giver
    )
    for scopes, networks in (
        ([Scope.EVERYTHING], [inside]),
        ([Scope.BALANCES_READ], [inside]),
        ([Scope.EVENTS_READ], [outside]),
        ([Scope.EVENTS_READ], [inside, ip_network("2001:db8::/32")]),
        ([Scope.EVENTS_READ], []),
    ):
        with pytest.raises(NotHeld):
            await merchants.create_key(
                merchant_id=owner, scopes=scopes, networks=networks, by=giver
            )
    everything = await merchants.create_key(merchant_id=owner)
    with pytest.raises(NotHeld):
        await merchants.regenerate_key(key_id=everything.key.id, owner=owner, by=giver)


async def test_a_stranger_neither_revokes_nor_replaces(world: World) -> None:
    merchants, other = world.services.merchants, await another_merchant(world)
    issued = await a_key(world)

    with pytest.raises(NotFound):
        await merchants.revoke_key(key_id=issued.key.id, owner=other.id)
    with pytest.raises(NotFound):
        await merchants.regenerate_key(key_id=issued.key.id, owner=other.id)
    assert await merchants.keys(owner=other.id) == []
    assert await is_valid(world, issued)


async def test_where_a_key_was_revoked_it_is_over_at_once(world: World) -> None:
    issued = await a_key(world)
    assert await is_valid(world, issued)
    revoked = await world.services.merchants.revoke_key(key_id=issued.key.id, owner=None)

    assert not await is_valid(world, issued)
    world.clock.advance(hours=1)
    again = await world.services.merchants.revoke_key(key_id=issued.key.id, owner=None)
    assert again.revoked_at == revoked.revoked_at


@pytest.mark.parametrize(
    ("address", "admitted"),
    [("192.0.2.9", True), ("192.0.3.9", False), ("2001:db8::1", True), ("2001:db9::1", False)],
)
def test_a_key_admits_its_networks(address: str, *, admitted: bool) -> None:
    key = an_api_key(networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")))

    assert key.admits(ip_address(address)) is admitted
    assert an_api_key().admits(ip_address(address))
    assert an_api_key().admits(None)
    assert not key.admits(None)
