"""One key is not enough: whoever approves must be somebody else, as far as can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.destinations.model import ChangeState, NotIndependent
from domain.merchants.rotation import KeyEnded
from domain.merchants.scopes import Scope
from tests.domain.destinations.till import OLIVE, PAUL, by

if TYPE_CHECKING:
    from domain.destinations.model import DestinationChange, Party
    from domain.merchants.model import ApiKey
    from tests.domain.destinations.till import Tills


async def approve(tills: Tills, change: DestinationChange, party: Party) -> DestinationChange:
    owner = tills.world.merchant.id
    return await tills.service.approve(change_id=change.id, owner=owner, by=party)


async def regenerated(tills: Tills, key: ApiKey, *, by: ApiKey | None) -> ApiKey:
    issued = await tills.world.services.merchants.regenerate_key(
        key_id=key.id, owner=key.merchant_id, by=by
    )
    return issued.key


async def test_another_key_of_an_operators_approves(tills: Tills) -> None:
    asks, approves = await tills.key(name="shop"), await tills.key(name="owner")
    change = await approve(tills, await tills.asked(asks), by(approves))
    assert change.state is ChangeState.COOLING_DOWN
    assert (change.requested_by, change.approved_by) == (by(asks), by(approves))


async def test_no_key_approves_what_it_asked_for_itself(tills: Tills) -> None:
    key = await tills.key(scopes=[Scope.EVERYTHING])
    change = await tills.asked(key)
    with pytest.raises(NotIndependent):
        await approve(tills, change, by(key))
    assert (await tills.service.change(change_id=change.id, owner=None)) == change
    assert await tills.events() == ["change_requested"]


async def test_no_key_approves_that_descends_from_the_same_one(tills: Tills) -> None:
    root = await tills.key(name="root")
    child = await tills.key(name="child", by=root)
    sibling = await tills.key(name="sibling", by=root)
    grandchild = await tills.key(name="grandchild", by=child)
    change = await tills.asked(child)
    for key in (root, sibling, grandchild, await regenerated(tills, sibling, by=None)):
        with pytest.raises(NotIndependent):
            await approve(tills, change, by(key))
    assert (await approve(tills, change, OLIVE)).approved_by == OLIVE


async def test_a_key_that_was_regenerated_is_who_regenerated_it(tills: Tills) -> None:
    thief, owner = await tills.key(name="shop"), await tills.key(name="owner")
    stolen = await regenerated(tills, owner, by=thief)
    change = await tills.asked(thief)
    with pytest.raises(NotIndependent):
        await approve(tills, change, by(stolen))
    renewed = await regenerated(tills, await tills.key(name="other owner"), by=None)
    assert (await approve(tills, change, by(renewed))).state is ChangeState.COOLING_DOWN


async def test_of_a_key_from_before_nobody_can_tell(tills: Tills) -> None:
    old, other = await tills.key(name="old"), await tills.key(name="new")
    keys = tills.world.around.store.tables.api_keys
    keys.put(old.id, attrs.evolve(old, root=None))
    tills.world.around.store.journal.forget()

    change = await tills.asked(other)
    with pytest.raises(NotIndependent):
        await approve(tills, change, by(old))
    await tills.service.cancel(change_id=change.id, owner=None, by=OLIVE)
    # Keys given out since cannot have made the old one.
    assert await approve(tills, await tills.asked(old), by(other))


async def test_a_key_that_was_revoked_a_moment_ago_approves_nothing(tills: Tills) -> None:
    asks, approves = await tills.key(name="shop"), await tills.key(name="owner")
    change = await tills.asked(asks)
    await tills.world.services.merchants.revoke_key(key_id=approves.id, owner=None)
    with pytest.raises(KeyEnded):
        await approve(tills, change, by(approves))


async def test_no_operator_approves_what_he_asked_for_himself(tills: Tills) -> None:
    change = await tills.asked()
    with pytest.raises(NotIndependent):
        await approve(tills, change, OLIVE)
    assert (await approve(tills, change, PAUL)).approved_by == PAUL


async def test_a_merchants_key_approves_what_an_operator_asked_for(tills: Tills) -> None:
    key = await tills.key()
    assert (await approve(tills, await tills.asked(), by(key))).approved_by == by(key)
