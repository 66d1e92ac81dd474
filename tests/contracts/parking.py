"""What every store of parked assets keeps: what stands still says why, once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.parking import AssetParked, ParkedAsset
from tests.builders import COIN, CUSTODY, NOON, USDT, an_intent, coins, deposit_to
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

PARKED = ParkedAsset(USDT.id, "the chain holds 3 less than the books", "tx_01", NOON)


async def park(begin: Begin, parked: ParkedAsset) -> bool:
    async with begin() as work:
        was_moving = await work.parking.park(parked)
        await work.commit()
    return was_moving


class ParkingContract(StorageContract):
    async def test_an_asset_is_parked_and_resumed(self, begin: Begin) -> None:
        assert await park(begin, PARKED)

        async with begin() as work:
            assert await work.parking.of(USDT.id) == PARKED
            assert await work.parking.of(COIN.id) is None
            assert await work.parking.resume(USDT.id)
            await work.commit()

        async with begin() as work:
            assert await work.parking.of(USDT.id) is None
            assert not await work.parking.resume(USDT.id)

    async def test_the_first_reason_stands(self, begin: Begin) -> None:
        assert await park(begin, attrs.evolve(PARKED, entry=None))
        assert not await park(begin, attrs.evolve(PARKED, reason="another"))

        async with begin() as work:
            assert await work.parking.all() == [attrs.evolve(PARKED, entry=None)]

    async def test_of_two_at_once_one_parks(self, begin: Begin) -> None:
        reasons = [attrs.evolve(PARKED, reason=reason) for reason in ("one", "other")]

        results = await asyncio.gather(*(park(begin, it) for it in reasons))

        assert sorted(results) == [False, True]
        async with begin() as work:
            [parked] = await work.parking.all()
        assert parked == reasons[results.index(True)]

    async def test_all_come_by_asset(self, begin: Begin) -> None:
        both = sorted((USDT.id, COIN.id))
        for asset in reversed(both):
            await park(begin, attrs.evolve(PARKED, asset=asset))

        async with begin() as work:
            assert [it.asset for it in await work.parking.all()] == both

    async def test_what_is_not_committed_parks_nothing(self, begin: Begin) -> None:
        async with begin() as work:
            await work.parking.park(PARKED)

        async with begin() as work:
            assert await work.parking.all() == []

    async def test_no_intent_is_added_that_is_due_in_a_parked_asset(self, begin: Begin) -> None:
        await given_merchants(begin)
        await park(begin, PARKED)

        with pytest.raises(AssetParked) as refusal:
            await given(begin, an_intent())
        assert (refusal.value.asset, refusal.value.reason) == (USDT.id, PARKED.reason)

        await given(begin, an_intent("pi_02", due=coins(1), pay_to=deposit_to("pi_02", index=2)))
        async with begin() as work:
            await work.parking.resume(USDT.id)
            await work.commit()
        await given(begin, an_intent())

    async def test_a_checkpoint_moves_only_forward(self, begin: Begin) -> None:
        for block in (7, 9, 8):
            async with begin() as work:
                await work.parking.checkpoint(CUSTODY, USDT.id, block=block)
                await work.parking.checkpoint(CUSTODY, COIN.id, block=1)
                await work.commit()

        async with begin() as work:
            assert await work.parking.last_agreed(CUSTODY, USDT.id) == 9
            assert await work.parking.last_agreed(CUSTODY, COIN.id) == 1
            await work.parking.checkpoint(CUSTODY, COIN.id, block=2)
            await work.parking.checkpoint(CUSTODY, COIN.id, block=3)
            assert await work.parking.last_agreed(CUSTODY, COIN.id) == 3

    async def test_what_was_never_compared_has_no_checkpoint(self, begin: Begin) -> None:
        async with begin() as work:
            assert await work.parking.last_agreed(CUSTODY, USDT.id) is None
