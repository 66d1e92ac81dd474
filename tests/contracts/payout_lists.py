"""What every store lists of a merchant's payouts."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.settlements.listing import ALL, Place, Wanted
from domain.settlements.payouts import PayoutState
from domain.shared.ids import SettlementId
from domain.shared.money import Money
from tests.builders import (
    COIN,
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    USDT,
    a_hold,
    a_payout,
    a_settlement,
)
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.settlements.payouts import Payout
    from ports.unit_of_work import Begin

HOUR = timedelta(hours=1)
STATES = (PayoutState.APPROVED, PayoutState.CONFIRMED, PayoutState.REFUSED)


class PayoutListsContract(StorageContract):
    async def test_a_list_holds_what_is_wanted_page_by_page(self, begin: Begin) -> None:
        every = await given_payouts(begin)
        filters = itertools.product(
            (None, STATES[0], STATES[2], PayoutState.UNKNOWN),
            (None, [USDT.id], [COIN.id, USDT.id], []),
            (None, SettlementId("set_01"), SettlementId("set_99")),
            (None, NOON),
            (None, NOON + 3 * HOUR),
        )
        for state, assets, settlement, after, before in filters:
            wanted = Wanted(
                state=state,
                assets=assets,
                settlement=settlement,
                created_after=after,
                created_before=before,
            )
            found = await pages(begin, wanted, pages_max=len(every))
            assert found == [it for it in every[::-1] if wanted.includes(it)], wanted

    async def test_without_a_filter_a_list_holds_all_that_is_the_merchants(
        self, begin: Begin
    ) -> None:
        every = await given_payouts(begin)

        async with begin() as work:
            listed = await work.settlements.list_payouts(owner=MERCHANT, before=None, limit=99)
            assert listed == every[::-1]
            assert await work.settlements.list_payouts(
                owner=MERCHANT, before=Place(NOON, every[0].id), limit=99, wanted=ALL
            ) == []  # fmt: skip


async def given_payouts(begin: Begin) -> Sequence[Payout]:
    """Store payouts of two merchants; return the first one's, oldest first, some made at once."""
    await given_merchants(begin)
    await given(begin, a_hold(), a_settlement("set_01"), a_settlement("set_02"))
    every = [
        a_payout(
            f"po_{n:02}",
            created_at=NOON + n // 3 * HOUR,
            state=STATES[n % 3],
            money=Money(1 + n, COIN.id if n % 2 else USDT.id),
            settlement_id=SettlementId("set_01") if n % 4 else None,
        )
        for n in range(12)
    ]
    await given(begin, *every, a_payout("po_98", merchant_id=OTHER_MERCHANT))
    await given(begin, a_payout("po_99", merchant_id=None, settlement_id=None))
    return every


async def pages(begin: Begin, wanted: Wanted, *, pages_max: int) -> Sequence[Payout]:
    """Return what a list holds, read by two and two."""
    found: list[Payout] = []
    async with begin() as work:
        for _ in range(pages_max):
            page = await work.settlements.list_payouts(
                owner=MERCHANT,
                before=Place(found[-1].created_at, found[-1].id) if found else None,
                limit=2,
                wanted=wanted,
            )
            found += page
            if len(page) < 2:
                break
    return found
