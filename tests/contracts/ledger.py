"""What every ledger keeps: it balances, nothing is overdrawn, nothing is changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.accounts import PLATFORM_FEES, WORLD, available, pending, reserved
from domain.ledger.holds import HoldState
from domain.ledger.model import Balance, InsufficientFunds, Transaction, credit, debit
from domain.shared.ids import HoldId, MerchantId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    CUSTODY,
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    USDT,
    a_hold,
    coins,
    earned,
    paid_to,
    usdt,
)
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

MINE = available(MERCHANT)


class LedgerContract(StorageContract):
    async def test_a_booking_is_found_by_its_reference_oldest_first(self, begin: Begin) -> None:
        first, second = earned(5), earned(7)
        await given(begin, first)
        await given(begin, second, earned(9, reference="pi_02"))

        async with begin() as work:
            booked = await work.ledger.transactions(reference="pi_01")
            assert [it.transaction for it in booked] == [first, second]
            assert len({it.id for it in booked}) == 2
            assert await work.ledger.transactions(reference="pi_99") == []

    async def test_bookings_of_one_unit_of_work_keep_their_order(self, begin: Begin) -> None:
        transactions = [earned(n, by=f"mer_{n % 4}") for n in range(1, 13)]
        await given(begin, *transactions)

        async with begin() as work:
            booked = await work.ledger.transactions(reference="pi_01")
        assert [it.transaction for it in booked] == transactions

    async def test_a_booking_of_many_assets_and_postings_comes_back_whole(
        self, begin: Begin
    ) -> None:
        transaction = Transaction(
            kind="release",
            reference="pi_01",
            postings=(
                debit(CUSTODY, usdt(2**200 + 3)),
                credit(MINE, usdt(2**200)),
                credit(PLATFORM_FEES, usdt(3)),
                debit(WORLD, coins(1)),
                credit(MINE, coins(1)),
            ),
            effective_at=NOON + timedelta(microseconds=123),
        )
        await given(begin, transaction)

        async with begin() as work:
            [booked] = await work.ledger.transactions(reference="pi_01")
            assert booked.transaction == transaction
            reversal = booked.reversal(at=NOON)
            await work.ledger.book(reversal)
            assert (await work.ledger.transactions(reference="pi_01"))[1].transaction == reversal
            assert all(not it.money for it in await work.ledger.balances(prefix=""))
            await work.commit()

    async def test_balances_are_counted_on_the_side_where_accounts_grow(
        self, begin: Begin
    ) -> None:
        await given(begin, earned(5), earned(7), paid_to(reserved(MERCHANT), 12))

        async with begin() as work:
            assert await work.ledger.balances(prefix="") == [
                Balance(CUSTODY, usdt(12)),
                Balance(MINE, usdt(0)),
                Balance(reserved(MERCHANT), usdt(12)),
            ]

    async def test_balances_are_of_the_accounts_whose_names_begin_so(self, begin: Begin) -> None:
        # An underscore or a percent sign in a prefix stands for itself, whatever SQL makes of it.
        await given(
            begin,
            earned(1, by="mer_01"),
            earned(2, by="merx01"),
            earned(3, by="mer_011"),
            earned(4, by="mer%"),
        )

        async with begin() as work:
            assert await work.ledger.balances(prefix="merchant:mer_01:") == [
                Balance(MINE, usdt(1))
            ]
            assert await work.ledger.balances(prefix="merchant:mer%") == [
                Balance(available(MerchantId("mer%")), usdt(4))
            ]
            for prefix in ("merchant:nobody", "mer_01", "available"):
                assert await work.ledger.balances(prefix=prefix) == []

    async def test_kept_balances_are_those_of_the_constrained_accounts(self, begin: Begin) -> None:
        await given(begin, earned(5), paid_to(pending(MERCHANT), 2), paid_to(PLATFORM_FEES, 1))

        async with begin() as work:
            kept = await work.ledger.kept_balances()
            assert sorted(kept, key=lambda it: it.account) == [
                Balance(MINE, usdt(2)),
                Balance(pending(MERCHANT), usdt(2)),
            ]
            assert await work.ledger.kept_balances(prefix=pending(MERCHANT)) == [
                Balance(pending(MERCHANT), usdt(2))
            ]

    async def test_an_overdraft_is_refused_and_books_nothing(self, begin: Begin) -> None:
        await given(begin, earned(5))

        with pytest.raises(InsufficientFunds) as refusal:
            await given(begin, paid_to(reserved(MERCHANT), 6))

        assert (refusal.value.account, refusal.value.asset) == (MINE, USDT.id)
        async with begin() as work:
            assert await work.ledger.balances(prefix="merchant:") == [Balance(MINE, usdt(5))]

    async def test_one_asset_does_not_pay_for_another(self, begin: Begin) -> None:
        await given(begin, earned(5))
        swapped = Transaction(
            kind="payout",
            reference="po_01",
            postings=(debit(MINE, coins(1)), credit(reserved(MERCHANT), coins(1))),
            effective_at=NOON,
        )

        with pytest.raises(InsufficientFunds):
            await given(begin, swapped)

    async def test_the_last_unit_can_be_spent(self, begin: Begin) -> None:
        await given(begin, earned(5))
        await given(begin, paid_to(reserved(MERCHANT), 5))

        async with begin() as work:
            assert await work.ledger.lock_balance(MINE, USDT.id) == usdt(0)

    async def test_accounts_without_a_constraint_may_fall_below_zero(self, begin: Begin) -> None:
        await given(begin, earned(5))
        spent = Transaction(
            kind="payout",
            reference="po_01",
            postings=(debit(WORLD, usdt(9)), credit(CUSTODY, usdt(9))),
            effective_at=NOON,
        )
        await given(begin, spent)

        async with begin() as work:
            assert await work.ledger.balances(prefix="custody:") == [Balance(CUSTODY, usdt(-4))]

    async def test_money_of_two_overdrawers_goes_to_one(self, begin: Begin) -> None:
        await given(begin, earned(10))

        results = await asyncio.gather(
            *(given(begin, paid_to(reserved(MERCHANT), 7)) for _ in range(2)),
            return_exceptions=True,
        )

        assert sorted(map(type, results), key=repr) == sorted(
            [InsufficientFunds, type(None)], key=repr
        )
        async with begin() as work:
            assert await work.ledger.lock_balance(MINE, USDT.id) == usdt(3)

    async def test_crossing_transfers_do_not_wait_for_each_other_for_ever(
        self, begin: Begin
    ) -> None:
        await given(begin, earned(100), earned(100, by=OTHER_MERCHANT))
        theirs = available(MerchantId(OTHER_MERCHANT))

        async with asyncio.timeout(20):
            await asyncio.gather(
                *(given(begin, paid_to(theirs, 1)) for _ in range(5)),
                *(given(begin, paid_to(MINE, 1, by=OTHER_MERCHANT)) for _ in range(5)),
            )

        async with begin() as work:
            assert await work.ledger.balances(prefix="merchant:") == [
                Balance(MINE, usdt(100)),
                Balance(theirs, usdt(100)),
            ]

    async def test_an_account_never_booked_holds_nothing(self, begin: Begin) -> None:
        async with begin() as work:
            assert await work.ledger.lock_balance(MINE, USDT.id) == usdt(0)

    async def test_a_locked_balance_can_be_spent_to_the_last_by_whoever_locked_it(
        self, begin: Begin
    ) -> None:
        await given(begin, earned(10))

        async def sweep() -> int:
            async with begin() as work:
                money = await work.ledger.lock_balance(MINE, USDT.id)
                await asyncio.sleep(0)
                if money:
                    await work.ledger.book(paid_to(reserved(MERCHANT), money.amount))
                await work.commit()
                return money.amount

        assert sorted(await asyncio.gather(sweep(), sweep())) == [0, 10]

    async def test_the_books_balance(self, begin: Begin) -> None:
        await given(begin, earned(5), paid_to(reserved(MERCHANT), 2))

        async with begin() as work:
            assert await work.ledger.unbalanced() == []

    async def test_a_hold_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        endless = a_hold("hold_02", expires_at=None, money=usdt(2**255))
        await given(begin, a_hold(), endless)

        async with begin() as work:
            assert await work.ledger.lock_hold(HoldId("hold_02")) == endless
            hold = await work.ledger.lock_hold(HoldId("hold_01"))
            await work.ledger.save_hold(attrs.evolve(hold, state=HoldState.VOIDED))
            await work.commit()

        async with begin() as work:
            stored = await work.ledger.lock_hold(HoldId("hold_01"))
        assert stored == a_hold(state=HoldState.VOIDED)

    async def test_a_hold_is_added_once(self, begin: Begin) -> None:
        await given(begin, a_hold())

        with pytest.raises(AlreadyExists):
            await given(begin, a_hold())

    async def test_an_unknown_hold_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            with pytest.raises(NotFound):
                await work.ledger.lock_hold(HoldId("hold_01"))
