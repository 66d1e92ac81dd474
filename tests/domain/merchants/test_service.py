"""Use cases of merchants: who holds a valid key is recognised, nobody else is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.fees.model import FeeSchedule
from domain.merchants import api_keys
from domain.merchants.model import PaymentPolicy, PayoutTerms, Verdict
from domain.merchants.service import KeyNotValid
from domain.shared.ids import MerchantId
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.builders import CHAIN, an_api_key
from tests.domain.scene import TILL
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_a_merchant_is_taken_on_as_agreed(world: World) -> None:
    made = await world.services.merchants.register(
        name="Grace's clocks",
        fees=FeeSchedule(bps=250),
        payments=PaymentPolicy(late=Verdict.ACCEPT),
        payouts=PayoutTerms(destinations={CHAIN: TILL}),
    )

    async with world.around.store.begin() as work:
        assert await work.merchants.get(made.id) == made
    assert made.created_at == world.clock.now()


async def test_a_key_names_its_merchant(world: World) -> None:
    merchants = world.services.merchants
    other = await another_merchant(world)
    keys = [await merchants.issue_key(merchant_id=world.merchant.id) for _ in range(2)]
    others = await merchants.issue_key(merchant_id=other.id)

    assert keys[0] != keys[1]
    for key in keys:
        assert (await merchants.authenticate(key=key)).merchant == world.merchant
    assert (await merchants.authenticate(key=others)).merchant == other


async def test_the_text_of_a_key_is_kept_nowhere(world: World) -> None:
    key = await world.services.merchants.issue_key(merchant_id=world.merchant.id)

    [kept] = world.around.store.tables.api_keys

    assert key not in repr(kept)
    assert kept.digest == api_keys.digest(key)


async def test_a_mistyped_key_is_refused_without_a_look_at_the_storage(world: World) -> None:
    merchants = world.services.merchants
    key = await merchants.issue_key(merchant_id=world.merchant.id)
    swapped = key[:10] + key[11] + key[10] + key[12:]
    assert swapped != key
    world.around.store.tables.api_keys.where = _must_not_be_asked  # type: ignore[assignment, method-assign] # To see that.

    for wrong in (key[:-1], key + "0", key.upper(), swapped, key[1:], f" {key}", "", "sy_test_"):
        with pytest.raises(KeyNotValid):
            await merchants.authenticate(key=wrong)


async def test_a_well_formed_key_that_nobody_has_is_refused(world: World) -> None:
    stranger = api_keys.write(bytes(range(32)))

    with pytest.raises(KeyNotValid):
        await world.services.merchants.authenticate(key=stranger)


async def test_a_revoked_key_is_refused(world: World) -> None:
    text = api_keys.write(bytes(32))
    revoked = an_api_key(
        merchant_id=world.merchant.id,
        digest=api_keys.digest(text),
        revoked_at=world.clock.now() - timedelta(days=1),
    )
    async with world.around.store.begin() as work:
        await work.merchants.add_key(revoked)
        await work.commit()

    with pytest.raises(KeyNotValid):
        await world.services.merchants.authenticate(key=text)


async def test_nobody_has_no_key(world: World) -> None:
    with pytest.raises(NotFound):
        await world.services.merchants.issue_key(merchant_id=MerchantId("mer_none"))
    assert len(world.around.store.tables.api_keys) == 0


async def test_a_key_that_was_not_stored_is_not_valid(world: World) -> None:
    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await world.services.merchants.issue_key(merchant_id=world.merchant.id)
    assert len(world.around.store.tables.api_keys) == 0


async def test_the_storage_gives_a_sign_of_life(world: World) -> None:
    await world.services.merchants.ping()


def _must_not_be_asked(**_: object) -> list[object]:
    raise AssertionError("the storage was asked")
