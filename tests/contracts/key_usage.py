"""What every storage keeps of the use of API keys."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from domain.limits.model import Kind, Lease
from domain.shared.ids import KeyId
from domain.usage.model import Requests
from tests.builders import MERCHANT, NOON, a_merchant, an_api_key
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

KEY, OTHER = KeyId("key_01"), KeyId("key_02")
TODAY = date(2026, 3, 1)
YESTERDAY = TODAY - timedelta(days=1)


class KeyUsageContract(StorageContract):
    async def test_requests_add_up(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key(KEY), an_api_key(OTHER))
        for counts in (
            [Requests(KEY, TODAY, 2, 3), Requests(KEY, TODAY, 4, 1), Requests(OTHER, TODAY, 2, 9)],
            [Requests(KEY, YESTERDAY, 5, 1), Requests(KEY, TODAY, 2, 4)],
        ):
            async with begin() as work:
                await work.key_usage.count(counts)
                await work.commit()

        async with begin() as work:
            assert await work.key_usage.days(KEY, since=YESTERDAY) == [
                Requests(KEY, YESTERDAY, 5, 1),
                Requests(KEY, TODAY, 2, 7),
                Requests(KEY, TODAY, 4, 1),
            ]
            assert await work.key_usage.days(OTHER, since=TODAY) == [Requests(OTHER, TODAY, 2, 9)]
            assert await work.key_usage.days(KEY, since=TODAY + timedelta(days=1)) == []

    async def test_days_of_long_ago_are_dropped(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key(KEY), an_api_key(OTHER))
        before = YESTERDAY - timedelta(days=1)
        counted = [
            Requests(key, day, 2, 1) for key in (KEY, OTHER) for day in (before, YESTERDAY, TODAY)
        ]
        async with begin() as work:
            await work.key_usage.count(counted)
            await work.key_usage.note_used({KEY: NOON})
            await work.commit()

        for limit, dropped in ((1, 1), (9, 1), (9, 0)):
            async with begin() as work:
                assert await work.key_usage.prune(before=YESTERDAY, limit=limit) == dropped
                await work.commit()

        async with begin() as work:
            for key in (KEY, OTHER):
                left = await work.key_usage.days(key, since=before)
                assert [it.day for it in left] == [YESTERDAY, TODAY]
            assert (await work.merchants.get_key(KEY, owner=MERCHANT)).last_used_at == NOON

    async def test_a_last_use_is_noted_once_a_minute(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key(KEY), an_api_key(OTHER))
        noted = []
        for seconds in (0, 59, 60, 30, 200):
            async with begin() as work:
                await work.key_usage.note_used({KEY: NOON + timedelta(seconds=seconds)})
                await work.commit()
            async with begin() as work:
                key = await work.merchants.get_key(KEY, owner=MERCHANT)
                assert key.last_used_at is not None
                noted.append((key.last_used_at - NOON).total_seconds())
                other = await work.merchants.get_key(OTHER, owner=MERCHANT)
                assert other.last_used_at is None

        assert noted == [0, 0, 60, 60, 200]

    async def test_a_quota_is_given_away_once(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key(KEY), an_api_key(OTHER))
        leases = [await lease(begin, wanted=4) for _ in range(4)]

        assert [(it.granted, it.left) for it in leases] == [(4, 6), (4, 2), (2, 0), (0, 0)]
        assert await lease(begin, key=OTHER) == Lease(7, granted=1, left=9)
        assert await lease(begin, kind=Kind.READ) == Lease(7, granted=1, left=9)

    async def test_a_window_begins_with_the_whole_quota(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key(KEY))
        await lease(begin, wanted=10)

        assert await lease(begin, window=8, wanted=3) == Lease(8, granted=3, left=7)
        # A process whose clock is behind takes of the window that the others are in.
        assert await lease(begin, window=7, wanted=3) == Lease(8, granted=3, left=4)

    async def test_a_quota_that_was_made_smaller_gives_nothing_back(self, begin: Begin) -> None:
        await given(begin, a_merchant(), an_api_key(KEY))
        await lease(begin, wanted=8)

        assert await lease(begin, quota=5) == Lease(7, granted=0, left=0)
        assert await lease(begin, wanted=9) == Lease(7, granted=2, left=0)


async def lease(
    begin: Begin,
    *,
    key: KeyId = KEY,
    kind: Kind = Kind.WRITE,
    window: int = 7,
    wanted: int = 1,
    quota: int = 10,
) -> Lease:
    async with begin() as work:
        taken = await work.key_usage.lease(key, kind, window=window, wanted=wanted, quota=quota)
        await work.commit()
    return taken
