"""Changing where a merchant is paid: asked for, approved by somebody else, and not at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.destinations.model import (
    APPROVE_WITHIN,
    LAPSED,
    OWN_ADDRESS,
    ChangeState,
    ChangeTransitionRefused,
    Destination,
)
from domain.destinations.service import (
    AlreadyThere,
    ChainNotServed,
    ChangeUnderWay,
    OwnDestination,
)
from domain.intents.issuing import ChainOfOtherMode
from domain.shared.ids import DestinationChangeId, MerchantId
from domain.shared.modes import Mode
from ports.addresses import AddressRefused
from ports.unit_of_work import NotFound
from tests.builders import CHAIN, CONTRACT, OTHER_CHAIN
from tests.domain.destinations.till import LIVE_CHAIN, NEW, OLIVE, PAUL, by
from tests.domain.scene import HOT, TILL, TREASURY
from tests.domain.world import address_for, another_merchant

if TYPE_CHECKING:
    from tests.domain.destinations.till import Tills

DAY = timedelta(days=1)


async def test_payouts_go_to_the_old_one_until_the_new_one_has_cooled_down(tills: Tills) -> None:
    change = await tills.approved()
    assert (change.address, change.replaces, change.approved_by) == (NEW, TILL, PAUL)
    assert await tills.service.apply_due(limit=9) == 0
    assert await tills.paid_at() == TILL

    tills.world.clock.advance(hours=24)
    assert await tills.paid_at() == TILL
    assert await tills.service.apply_due(limit=9) == 1

    assert await tills.paid_at() == NEW
    after = await tills.service.change(change_id=change.id, owner=tills.world.merchant.id)
    assert (after.state, after.effective_at) == (ChangeState.EFFECTIVE, tills.world.clock.now())
    assert await tills.events() == ["change_requested", "change_approved", "change_effective"]
    assert await tills.service.apply_due(limit=9) == 0


async def test_other_terms_and_other_chains_stay_as_they_are(tills: Tills) -> None:
    before = tills.world.merchant
    await tills.approved()
    tills.world.clock.advance(hours=24)
    await tills.service.apply_due(limit=9)

    async with tills.world.services.begin() as work:
        after = await work.merchants.get(before.id)
    payouts = attrs.evolve(before.payouts, destinations={CHAIN: NEW})
    assert after == attrs.evolve(before, payouts=payouts)


async def test_what_nobody_approves_lapses_after_seven_days(tills: Tills) -> None:
    change = await tills.asked()
    tills.world.clock.advance(seconds=APPROVE_WITHIN.total_seconds())
    with pytest.raises(ChangeTransitionRefused):
        await tills.service.approve(change_id=change.id, owner=None, by=PAUL)
    assert await tills.service.apply_due(limit=9) == 1

    after = await tills.service.change(change_id=change.id, owner=None)
    assert (after.state, after.reason, after.ended_by) == (ChangeState.CANCELED, LAPSED, None)
    assert await tills.paid_at() == TILL
    assert await tills.events() == ["change_requested", "change_canceled"]


@pytest.mark.parametrize("verb", ["cancel", "refuse"])
@pytest.mark.parametrize("when", ["asked", "approved", "cooled"])
async def test_until_it_is_effective_it_can_be_ended(tills: Tills, verb: str, when: str) -> None:
    change = await (tills.asked() if when == "asked" else tills.approved())
    if when == "cooled":
        tills.world.clock.advance(hours=24)
    key = await tills.key()
    end = getattr(tills.service, verb)
    ended = await end(
        change_id=change.id, owner=tills.world.merchant.id, by=by(key), reason="not us"
    )

    assert (ended.ended_by, ended.reason) == (by(key), "not us")
    tills.world.clock.advance(hours=24)
    await tills.service.apply_due(limit=9)
    assert await tills.paid_at() == TILL
    assert (await tills.events())[-1] == {"cancel": "change_canceled", "refuse": "change_refused"}[
        verb
    ]


async def test_what_is_effective_is_not_taken_back(tills: Tills) -> None:
    change = await tills.approved()
    tills.world.clock.advance(hours=24)
    await tills.service.apply_due(limit=9)

    for end in (tills.service.cancel, tills.service.refuse):
        with pytest.raises(ChangeTransitionRefused):
            await end(change_id=change.id, owner=None, by=OLIVE)
    with pytest.raises(ChangeTransitionRefused):
        await tills.service.approve(change_id=change.id, owner=None, by=PAUL)
    assert await tills.paid_at() == NEW


async def test_of_a_chain_one_change_is_open(tills: Tills) -> None:
    change = await tills.asked()
    with pytest.raises(ChangeUnderWay) as refusal:
        await tills.asked(address=TILL + "x")
    assert refusal.value.id == change.id
    await tills.service.cancel(change_id=change.id, owner=None, by=OLIVE)
    await tills.asked()
    assert [it.state for it in await tills.service.changes(owner=change.merchant_id, limit=9)] == [
        ChangeState.AWAITING_APPROVAL,
        ChangeState.CANCELED,
    ]


@pytest.mark.parametrize("own", [HOT, TREASURY, CONTRACT, HOT.upper()])
async def test_an_address_of_ours_is_refused(tills: Tills, own: str) -> None:
    with pytest.raises(OwnDestination):
        await tills.asked(address=own)


async def test_an_address_of_ours_on_another_chain_of_the_family_is_refused(tills: Tills) -> None:
    elsewhere = attrs.evolve(tills.service.places[LIVE_CHAIN], cold_wallet=NEW)
    service = attrs.evolve(tills.service, places={**tills.service.places, LIVE_CHAIN: elsewhere})
    with pytest.raises(OwnDestination):
        await attrs.evolve(tills, service=service).asked()


async def test_a_deposit_address_is_refused(tills: Tills) -> None:
    intent = await tills.world.intent()
    with pytest.raises(OwnDestination):
        await tills.asked(address=address_for(intent))


async def test_what_has_become_ours_meanwhile_is_refused_at_the_end(tills: Tills) -> None:
    change = await tills.approved()
    cold = attrs.evolve(tills.service.places[CHAIN], cold_wallet=NEW)
    later = attrs.evolve(tills.service, places={CHAIN: cold})
    tills.world.clock.advance(hours=24)
    await later.apply_due(limit=9)

    after = await tills.service.change(change_id=change.id, owner=None)
    assert (after.state, after.reason) == (ChangeState.REFUSED, OWN_ADDRESS)
    assert await tills.paid_at() == TILL


async def test_what_cannot_be_a_destination_is_refused(tills: Tills) -> None:
    owner = tills.world.merchant.id
    for chain, address, error in (
        (CHAIN, "no address", AddressRefused),
        (CHAIN, TILL, AlreadyThere),
        (OTHER_CHAIN, NEW, ChainNotServed),
        (LIVE_CHAIN, NEW, ChainOfOtherMode),
    ):
        with pytest.raises(error):
            await tills.service.request(owner=owner, chain=chain, address=address, by=OLIVE)
    with pytest.raises(NotFound):
        await tills.service.request(
            owner=MerchantId("mer_none"), chain=CHAIN, address=NEW, by=OLIVE
        )
    assert await tills.events() == []


async def test_another_merchants_change_is_not_found(tills: Tills) -> None:
    change, other = await tills.asked(), await another_merchant(tills.world)
    for verb in (tills.service.approve, tills.service.refuse, tills.service.cancel):
        with pytest.raises(NotFound):
            await verb(change_id=change.id, owner=other.id, by=PAUL)
        with pytest.raises(NotFound):
            await verb(change_id=DestinationChangeId("pdc_none"), owner=None, by=PAUL)
    with pytest.raises(NotFound):
        await tills.service.change(change_id=change.id, owner=other.id)
    assert await tills.service.changes(owner=other.id, limit=9) == []


async def test_destinations_are_told_with_what_is_about_to_change(tills: Tills) -> None:
    change = await tills.asked()
    owner = tills.world.merchant.id
    assert await tills.service.destinations(owner=owner) == [Destination(CHAIN, TILL, change)]
    await tills.service.cancel(change_id=change.id, owner=None, by=OLIVE)
    assert await tills.service.destinations(owner=owner) == [Destination(CHAIN, TILL, None)]


async def test_a_first_destination_cools_down_too_where_money_is_real(tills: Tills) -> None:
    for mode, chain, state in (
        (Mode.LIVE, LIVE_CHAIN, ChangeState.COOLING_DOWN),
        (Mode.TEST, CHAIN, ChangeState.EFFECTIVE),
    ):
        merchant = await tills.merchant(mode=mode, paid=False)
        change = await tills.service.request(owner=merchant.id, chain=chain, address=NEW, by=OLIVE)
        [waiting] = await tills.service.destinations(owner=merchant.id)
        assert (waiting.address, waiting.change) == (None, change)
        approved = await tills.service.approve(change_id=change.id, owner=None, by=PAUL)
        assert approved.state is state
        [now] = await tills.service.destinations(owner=merchant.id)
        assert now.address == (NEW if mode is Mode.TEST else None)
