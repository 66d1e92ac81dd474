"""What every store of merchants keeps."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.fees.model import FeeSchedule
from domain.merchants.model import Caller, PaymentPolicy, PayoutTerms, Verdict
from domain.merchants.scopes import Scope
from domain.shared.ids import KeyId, MerchantId
from domain.shared.modes import Mode
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    CHAIN,
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    USDT,
    a_merchant,
    address_of,
    an_api_key,
)
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from ports.unit_of_work import Begin


class MerchantsContract(StorageContract):
    async def test_a_merchant_comes_back_whole(self, begin: Begin) -> None:
        merchant = a_merchant(
            name="Zoë & søn",
            fees=FeeSchedule(bps=37),
            payments=PaymentPolicy(
                underpaid_tolerance_bps=50, overpaid=Verdict.REVIEW, late=Verdict.ACCEPT
            ),
            payouts=PayoutTerms(
                destinations={CHAIN: address_of("cold")},
                minimums={USDT.id: 10**18},
                approval_above={USDT.id: 2**200},
            ),
        )
        await given(begin, merchant)

        async with begin() as work:
            assert await work.merchants.get(MERCHANT) == merchant

    async def test_an_unknown_merchant_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            with pytest.raises(NotFound):
                await work.merchants.get(MERCHANT)

    async def test_a_merchant_is_added_once(self, begin: Begin) -> None:
        await given(begin, a_merchant())

        with pytest.raises(AlreadyExists):
            await given(begin, a_merchant(name="Another"))

    async def test_a_change_is_kept(self, begin: Begin) -> None:
        await given(begin, a_merchant())
        changed = attrs.evolve(a_merchant(), name="New name", fees=FeeSchedule(bps=0))
        async with begin() as work:
            await work.merchants.save(changed)
            await work.commit()

        async with begin() as work:
            assert await work.merchants.get(MERCHANT) == changed

    async def test_all_are_listed_oldest_first(self, begin: Begin) -> None:
        merchants = [
            a_merchant(f"mer_0{n}", created_at=NOON + timedelta(minutes=n)) for n in range(1, 4)
        ]
        await given(begin, merchants[2], merchants[0], merchants[1])

        async with begin() as work:
            assert await work.merchants.all() == merchants

    async def test_a_key_leads_to_its_merchant(self, begin: Begin) -> None:
        other = a_merchant(OTHER_MERCHANT)
        mine = an_api_key("key_01")
        theirs = an_api_key("key_02", merchant_id=MerchantId(OTHER_MERCHANT))
        await given(begin, a_merchant(), other, mine, theirs)

        async with begin() as work:
            assert await work.merchants.by_key(mine.digest) == Caller(a_merchant(), mine)
            assert await work.merchants.by_key(theirs.digest) == Caller(other, theirs)

    async def test_an_unknown_or_revoked_key_leads_to_nobody(self, begin: Begin) -> None:
        revoked = an_api_key(revoked_at=NOON)
        await given(begin, a_merchant(), revoked)

        async with begin() as work:
            assert await work.merchants.by_key(revoked.digest) is None
            assert await work.merchants.by_key(b"\x00" * 32) is None

    async def test_a_key_comes_back_whole(self, begin: Begin) -> None:
        key = an_api_key(
            name="Till № 1",
            masked="sy_test_abcd…wxyz",
            scopes=frozenset({Scope.EVENTS_READ, Scope.REFUNDS_WRITE}),
            networks=(ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
            expires_at=NOON + timedelta(days=3),
        )
        await given(begin, a_merchant(), key)

        async with begin() as work:
            assert await work.merchants.get_key(key.id, owner=MERCHANT) == key
            assert await work.merchants.by_key(key.digest) == Caller(a_merchant(), key)

    async def test_another_merchants_key_is_not_found(self, begin: Begin) -> None:
        await given(begin, a_merchant(), a_merchant(OTHER_MERCHANT), an_api_key())

        async with begin() as work:
            with pytest.raises(NotFound):
                await work.merchants.get_key(KeyId("key_01"), owner=MerchantId(OTHER_MERCHANT))
            with pytest.raises(NotFound):
                await work.merchants.lock_key(KeyId("key_01"), owner=MerchantId(OTHER_MERCHANT))
            with pytest.raises(NotFound):
                await work.merchants.lock_key(KeyId("key_02"), owner=None)
            with pytest.raises(NotFound):
                await work.merchants.lock_keys(MerchantId("mer_none"))
            assert await work.merchants.keys(owner=MerchantId(OTHER_MERCHANT), limit=9) == []

    async def test_only_the_end_of_a_key_is_saved(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key())
        async with begin() as work:
            await work.key_usage.note_used({KeyId("key_01"): NOON})
            await work.commit()
        async with begin() as work:
            key = await work.merchants.lock_key(KeyId("key_01"), owner=None)
            changed = attrs.evolve(key.revoke(at=NOON), last_used_at=None, name="another")
            await work.merchants.save_key(changed.expire(at=NOON))
            await work.commit()

        async with begin() as work:
            assert await work.merchants.get_key(key.id, owner=MERCHANT) == an_api_key(
                last_used_at=NOON, revoked_at=NOON, expires_at=NOON
            )

    async def test_keys_are_listed_with_those_that_open_something_first(
        self, begin: Begin
    ) -> None:
        keys = [
            an_api_key(f"key_0{n}", created_at=NOON + timedelta(minutes=n), revoked_at=revoked)
            for n, revoked in ((1, None), (2, NOON), (3, NOON), (4, None))
        ]
        await given(begin, a_merchant(), *keys)

        async with begin() as work:
            found = await work.merchants.keys(owner=MERCHANT, limit=3)
            unrevoked = await work.merchants.lock_keys(MERCHANT)
        assert [key.id for key in found] == ["key_04", "key_01", "key_03"]
        assert [key.id for key in unrevoked] == ["key_04", "key_01"]

    async def test_two_accounts_name_each_other(self, begin: Begin) -> None:
        test = a_merchant()
        live = a_merchant(OTHER_MERCHANT, mode=Mode.LIVE, twin=test.id)
        await given(begin, test, live)
        async with begin() as work:
            await work.merchants.save(attrs.evolve(test, twin=live.id))
            await work.commit()

        async with begin() as work:
            assert (await work.merchants.get(MERCHANT)).twin == live.id
            assert await work.merchants.get(live.id) == live
