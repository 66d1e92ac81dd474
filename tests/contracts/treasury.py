"""What every store keeps of transfers to cold wallets, of alarms, and what forecasts stand on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.ledger.accounts import NETWORK_FEES, WORLD, gas
from domain.ledger.model import Transaction, credit, debit
from domain.shared.ids import PayoutId, TransferId
from domain.shared.money import Money
from domain.treasury.model import (
    Alarm,
    ColdTransfer,
    Condition,
    Spending,
    TransferState,
    Unswept,
    Watched,
)
from ports.unit_of_work import AlreadyExists
from tests.builders import (
    CHAIN,
    COIN,
    NOON,
    OTHER_CHAIN,
    USDT,
    address_of,
    an_intent,
    coins,
    deposit_to,
    usdt,
)
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

LATER = NOON + timedelta(minutes=1)
TANK = gas(CHAIN)


def a_transfer(number: int = 1, **changes: Any) -> ColdTransfer:  # noqa: ANN401 (of any type)
    transfer = ColdTransfer(
        id=TransferId(f"tr_0{number}"),
        chain=CHAIN,
        money=usdt(100),
        target=address_of("cold"),
        payout_id=PayoutId(f"po_0{number}"),
        created_at=NOON,
        changed_at=NOON,
    )
    return attrs.evolve(transfer, **changes)


def spent(kind: str, amount: int, *, hours: int = 0) -> Transaction:
    money = coins(amount)
    at = NOON + timedelta(hours=hours)
    return Transaction(kind, "sub_01", (debit(NETWORK_FEES, money), credit(TANK, money)), at)


async def stored(begin: Begin, *transfers: ColdTransfer) -> None:
    async with begin() as work:
        for transfer in transfers:
            await work.treasury.add(transfer)
        await work.commit()


class TreasuryContract(StorageContract):
    async def test_a_transfer_comes_back_whole_and_changes_under_a_lock(
        self, begin: Begin
    ) -> None:
        kept = a_transfer(money=usdt(2**250))
        await stored(begin, kept)
        async with begin() as work:
            locked = await work.treasury.lock_carried(kept.payout_id)
            assert locked == kept
            refused = locked.refuse(reason="reverted", at=LATER)
            await work.treasury.save(refused)
            await work.commit()

        async with begin() as work:
            assert await work.treasury.lock_carried(kept.payout_id) == refused
            assert await work.treasury.latest(USDT.id) == refused

    async def test_a_payout_of_something_else_carries_none(self, begin: Begin) -> None:
        await stored(begin, a_transfer())

        async with begin() as work:
            assert await work.treasury.lock_carried(PayoutId("po_02")) is None
            assert await work.treasury.latest(COIN.id) is None

    async def test_an_asset_has_one_that_is_moving(self, begin: Begin) -> None:
        await stored(begin, a_transfer())

        with pytest.raises(AlreadyExists):
            await stored(begin, a_transfer(2))
        await stored(
            begin,
            a_transfer(3, money=Money(5, COIN.id)),
            a_transfer(4, state=TransferState.REFUSED),
        )

    @pytest.mark.parametrize("end", [TransferState.DONE, TransferState.REFUSED])
    async def test_another_follows_one_that_has_ended(
        self, begin: Begin, end: TransferState
    ) -> None:
        await stored(begin, a_transfer(state=end), a_transfer(2))

        async with begin() as work:
            assert await work.treasury.latest(USDT.id) == a_transfer(2)

    async def test_a_payout_carries_one(self, begin: Begin) -> None:
        await stored(begin, a_transfer(state=TransferState.DONE))

        with pytest.raises(AlreadyExists):
            await stored(begin, a_transfer(2, payout_id=PayoutId("po_01")))

    async def test_the_latest_is_the_newest(self, begin: Begin) -> None:
        newest = a_transfer(1, created_at=LATER, state=TransferState.DONE)
        older = (a_transfer(n, state=TransferState.DONE) for n in (2, 3))
        await stored(begin, newest, *older)

        async with begin() as work:
            assert await work.treasury.latest(USDT.id) == newest

    async def test_an_alarm_is_news_once(self, begin: Begin) -> None:
        low = Alarm(Watched.HOT, USDT.id, Condition.LOW, NOON)
        again = attrs.evolve(low, since=LATER)
        fine = attrs.evolve(again, condition=Condition.OK)
        for alarm, news, then in ((low, True, low), (again, False, low), (fine, True, fine)):
            async with begin() as work:
                assert await work.treasury.sound(alarm) is news
                await work.commit()
            async with begin() as work:
                assert await work.treasury.alarm(Watched.HOT, USDT.id) == then
                assert await work.treasury.alarm(Watched.GAS, USDT.id) is None
                assert await work.treasury.alarm(Watched.HOT, COIN.id) is None

    async def test_an_alarm_that_was_not_committed_is_still_news(self, begin: Begin) -> None:
        low = Alarm(Watched.GAS, COIN.id, Condition.LOW, NOON)
        async with begin() as work:
            assert await work.treasury.sound(low)

        async with begin() as work:
            assert await work.treasury.alarm(Watched.GAS, COIN.id) is None
            assert await work.treasury.sound(low)

    async def test_nothing_was_spent_before_anything_was_booked(self, begin: Begin) -> None:
        async with begin() as work:
            found = await work.treasury.spending(TANK, COIN.id, since=NOON)

        assert found == Spending(0, None)

    async def test_spending_is_fees_and_what_deposits_were_given(self, begin: Begin) -> None:
        put_in = (debit(TANK, coins(10**6)), credit(WORLD, coins(10**6)))
        first = NOON - timedelta(hours=9)
        await given(
            begin,
            Transaction("brought_in", "gas", put_in, first),
            spent("network_fee", 5, hours=-2),
            spent("network_fee", 70),
            spent("sweep_funding", 600, hours=1),
            spent("payout", 8_000, hours=1),
        )

        async with begin() as work:
            assert await work.treasury.spending(TANK, COIN.id, since=NOON) == Spending(670, first)
            later = NOON + timedelta(hours=2)
            assert await work.treasury.spending(TANK, COIN.id, since=later) == Spending(0, first)
            other = await work.treasury.spending(TANK, USDT.id, since=NOON)
            assert other == Spending(0, None)

    async def test_unswept_is_what_lies_at_how_many_addresses(self, begin: Begin) -> None:
        await given_merchants(begin)
        for index, minutes in enumerate((3, 1, 2, 0)):
            name, at = f"pi_0{index}", NOON + timedelta(minutes=minutes)
            await given(
                begin, an_intent(name, pay_to=deposit_to(name, index=index), created_at=at)
            )
        async with begin() as work:
            for name, amount in (("pi_00", 2**250), ("pi_01", 7), ("pi_02", 9), ("pi_03", 5)):
                await work.sweeps.change_holding(CHAIN, address_of(name), usdt(amount))
            await work.sweeps.change_holding(CHAIN, address_of("pi_03"), usdt(-5))
            await work.sweeps.change_holding(CHAIN, address_of("pi_03"), coins(4))
            await work.commit()

        async with begin() as work:
            assert await work.treasury.unswept(CHAIN, USDT.id) == Unswept(
                usdt(2**250 + 16), 3, NOON + timedelta(minutes=1)
            )
            assert await work.treasury.unswept(CHAIN, COIN.id) == Unswept(coins(4), 1, NOON)
            assert await work.treasury.unswept(OTHER_CHAIN, USDT.id) == Unswept(usdt(0), 0, None)
