"""What every store of sweeps keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.shared.ids import SubmissionId, SweepId
from domain.shared.money import Money
from domain.sweeps.model import Holding, SweepState
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    CHAIN,
    COIN,
    NOON,
    OTHER_CHAIN,
    USDT,
    address_of,
    an_intent,
    deposit_to,
    usdt,
)
from tests.chain_builders import a_sweep
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ports.unit_of_work import Begin

LATER = NOON + timedelta(minutes=1)


class SweepsContract(StorageContract):
    async def test_a_sweep_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        await given(begin, a_sweep(money=usdt(2**250)))
        async with begin() as work:
            sweep = await work.sweeps.lock(SweepId("swp_01"))
            assert sweep == a_sweep(money=usdt(2**250))
            moving = sweep.move(usdt(2**251), submission_id=SubmissionId("sub_02"), at=LATER)
            await work.sweeps.save(moving)
            await work.commit()

        async with begin() as work:
            assert await work.sweeps.lock(SweepId("swp_01")) == moving
            refused = moving.refuse(reason="reverted", at=LATER)
            await work.sweeps.save(refused)
            await work.commit()

        async with begin() as work:
            assert await work.sweeps.lock(SweepId("swp_01")) == refused

    async def test_what_was_never_stored_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            with pytest.raises(NotFound):
                await work.sweeps.lock(SweepId("swp_99"))

    async def test_an_address_has_one_open_sweep(self, begin: Begin) -> None:
        await given(begin, a_sweep())

        for other in (a_sweep("swp_02"), a_sweep("swp_03", money=Money(1, COIN.id))):
            with pytest.raises(AlreadyExists):
                await given(begin, other)
        await given(
            begin,
            a_sweep("swp_04", address=address_of("other")),
            a_sweep("swp_05", chain=OTHER_CHAIN),
        )

    @pytest.mark.parametrize("end", [SweepState.DONE, SweepState.REFUSED])
    async def test_another_sweep_follows_one_that_has_ended(
        self, begin: Begin, end: SweepState
    ) -> None:
        await given(begin, a_sweep(state=end), a_sweep("swp_02"), a_sweep("swp_03", state=end))

        async with begin() as work:
            assert await work.sweeps.open(CHAIN, limit=9) == [a_sweep("swp_02")]

    async def test_open_sweeps_come_oldest_first(self, begin: Begin) -> None:
        sweeps = [
            a_sweep(f"swp_0{n}", address=address_of(str(n)), created_at=NOON - timedelta(hours=n))
            for n in range(4)
        ]
        await given(begin, *sweeps, a_sweep("swp_09", chain=OTHER_CHAIN))

        async with begin() as work:
            assert await work.sweeps.open(CHAIN, limit=3) == [sweeps[3], sweeps[2], sweeps[1]]

    async def test_a_holding_is_what_came_less_what_went(self, begin: Begin) -> None:
        address = address_of("pi_01")
        async with begin() as work:
            for change in (2**250, 5, -7):
                await work.sweeps.change_holding(CHAIN, address, usdt(change))
            await work.sweeps.change_holding(CHAIN, address, Money(3, COIN.id))
            await work.sweeps.change_holding(CHAIN, address_of("pi_02"), usdt(1))
            assert await work.sweeps.holding(CHAIN, address, USDT.id) == usdt(2**250 - 2)
            await work.commit()

        async with begin() as work:
            assert await work.sweeps.holding(CHAIN, address, USDT.id) == usdt(2**250 - 2)
            assert await work.sweeps.holding(CHAIN, address, COIN.id) == Money(3, COIN.id)
            assert await work.sweeps.holding(OTHER_CHAIN, address, USDT.id) == usdt(0)
            asked = [address, address_of("pi_02"), address_of("pi_03")]
            assert await work.sweeps.holdings(CHAIN, asked, USDT.id) == {
                address: usdt(2**250 - 2),
                address_of("pi_02"): usdt(1),
            }
            assert not await work.sweeps.holdings(OTHER_CHAIN, asked, USDT.id)
            assert not await work.sweeps.holdings(CHAIN, [], USDT.id)

    async def test_a_holding_that_was_not_committed_is_none(self, begin: Begin) -> None:
        async with begin() as work:
            await work.sweeps.change_holding(CHAIN, address_of("pi_01"), usdt(5))

        async with begin() as work:
            assert not await work.sweeps.holding(CHAIN, address_of("pi_01"), USDT.id)


class DueSweepsContract(StorageContract):
    async def _holding(self, begin: Begin, **amounts: int) -> None:
        """Have deposit addresses of intents hold the test token."""
        await given_merchants(begin)
        for id, amount in amounts.items():
            index = int(id.rpartition("_")[2])
            await given(begin, an_intent(id, pay_to=deposit_to(id, index=index)))
            async with begin() as work:
                await work.sweeps.change_holding(CHAIN, address_of(id), usdt(amount))
                await work.commit()

    async def _due(
        self,
        begin: Begin,
        *,
        at_least: int = 1,
        refused_before: datetime = NOON,
        limit: int = 9,
        after: Holding | None = None,
    ) -> Sequence[Holding]:
        async with begin() as work:
            return await work.sweeps.due(
                CHAIN,
                USDT.id,
                at_least=at_least,
                refused_before=refused_before,
                limit=limit,
                after=after,
            )

    async def test_what_is_worth_it_comes_most_first_with_its_place(self, begin: Begin) -> None:
        await self._holding(begin, pi_01=5, pi_02=2**250, pi_03=4, pi_04=7)

        due = await self._due(begin, at_least=5, limit=2)

        assert due == [
            Holding(CHAIN, address_of("pi_02"), 2, usdt(2**250)),
            Holding(CHAIN, address_of("pi_04"), 4, usdt(7)),
        ]
        assert [it.money.amount for it in await self._due(begin, at_least=5)] == [2**250, 7, 5]
        assert await self._due(begin, limit=0) == []

    async def test_what_follows_a_holding_is_all_but_what_came_before(self, begin: Begin) -> None:
        await self._holding(begin, pi_01=5, pi_02=2**250, pi_03=4, pi_04=5, pi_05=5)
        everything = [*await self._due(begin)]

        found: list[Holding] = []
        for _ in everything:
            found += await self._due(begin, limit=1, after=found[-1] if found else None)

        assert found == everything
        assert await self._due(begin, after=found[-1]) == []
        assert len(await self._due(begin, at_least=5, after=found[0])) == 3

    async def test_another_asset_is_not_due(self, begin: Begin) -> None:
        await self._holding(begin, pi_01=0)
        async with begin() as work:
            await work.sweeps.change_holding(CHAIN, address_of("pi_01"), Money(9, COIN.id))
            await work.commit()

        assert await self._due(begin) == []

    @pytest.mark.parametrize(
        ("state", "changed", "count"),
        [
            (SweepState.FUNDING, -1, 0),
            (SweepState.MOVING, -1, 0),
            (SweepState.DONE, 1, 1),
            (SweepState.REFUSED, -1, 1),
            (SweepState.REFUSED, 0, 0),
            (SweepState.REFUSED, 1, 0),
        ],
    )
    async def test_an_address_waits_for_its_open_sweep_and_after_a_refusal(
        self, begin: Begin, state: SweepState, changed: int, count: int
    ) -> None:
        await self._holding(begin, pi_01=5)
        at = NOON + timedelta(minutes=changed)
        await given(begin, a_sweep(address=address_of("pi_01"), state=state, changed_at=at))

        assert len(await self._due(begin)) == count
