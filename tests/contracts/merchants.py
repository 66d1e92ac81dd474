"""What every store of merchants keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.fees.model import FeeSchedule
from domain.merchants.model import PaymentPolicy, PayoutTerms, Verdict
from domain.shared.ids import MerchantId
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
            assert await work.merchants.by_key(mine.digest) == a_merchant()
            assert await work.merchants.by_key(theirs.digest) == other

    async def test_an_unknown_or_revoked_key_leads_to_nobody(self, begin: Begin) -> None:
        revoked = an_api_key(revoked_at=NOON)
        await given(begin, a_merchant(), revoked)

        async with begin() as work:
            assert await work.merchants.by_key(revoked.digest) is None
            assert await work.merchants.by_key(b"\x00" * 32) is None
