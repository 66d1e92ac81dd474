"""What every ledger keeps of values: what a posting was worth when it was booked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.ledger.accounts import WORLD
from domain.ledger.model import Transaction, credit, debit
from domain.ledger.values import RATE_AGE_MAX, BookRate, book_rate
from tests.builders import COIN, CUSTODY, NOON, USD, USDT, coins, earned, usd, usdt
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.ledger.model import BookedTransaction
    from domain.shared.money import Money
    from ports.unit_of_work import Begin


async def booked(begin: Begin, *transactions: Transaction) -> Sequence[BookedTransaction]:
    """Book transactions and return all of the same reference."""
    await given(begin, *transactions)
    async with begin() as work:
        return await work.ledger.transactions(reference=transactions[0].reference)


async def time_of(begin: Begin) -> datetime:
    """Return the time by the clock of the books."""
    [it] = await booked(begin, earned(1, reference="clock"))
    return it.booked_at


async def keep(begin: Begin, *rates: BookRate) -> None:
    async with begin() as work:
        for rate in rates:
            await work.ledger.keep_rate(rate)
        await work.commit()


def moved(*amounts: int) -> Transaction:
    """Return a transaction that moves amounts of USDT, one after the other."""
    postings = [(debit(CUSTODY, usdt(it)), credit(WORLD, usdt(it))) for it in amounts]
    return Transaction("capture", "pi_01", tuple(it for pair in postings for it in pair), NOON)


class ValuesContract(StorageContract):
    async def test_postings_are_valued_by_the_newest_rate(self, begin: Begin) -> None:
        now = await time_of(begin)
        older = book_rate(USDT, USD, Decimal("0.98"), at=now)
        newer = book_rate(USDT, USD, Decimal("1.02"), at=now)
        await keep(begin, older)
        await booked(begin, moved(10**18))
        await keep(begin, newer)
        first, second = await booked(begin, moved(10**18))

        assert first.values == (usd(98), usd(-98))
        assert second.values == (usd(102), usd(-102))
        async with begin() as work:
            assert (await work.ledger.get(second.id)).values == second.values
            assert await work.ledger.wrong_values() == []

    async def test_without_a_rate_there_is_no_value(self, begin: Begin) -> None:
        await keep(begin, book_rate(COIN, USD, Decimal(3000), at=await time_of(begin)))
        both = attrs.evolve(
            moved(1),
            postings=(
                *moved(1).postings,
                debit(CUSTODY, coins(10**18)),
                credit(WORLD, coins(10**18)),
            ),
        )

        [it] = await booked(begin, both)

        assert it.values == (None, None, usd(300_000), usd(-300_000))

    async def test_an_old_rate_values_nothing(self, begin: Begin) -> None:
        now = await time_of(begin)
        await keep(begin, book_rate(USDT, USD, Decimal(1), at=now - RATE_AGE_MAX))

        [it] = await booked(begin, moved(10**18))

        assert it.values == (None, None)

    async def test_a_rate_of_nearly_that_age_does(self, begin: Begin) -> None:
        at = await time_of(begin) - RATE_AGE_MAX + timedelta(minutes=1)
        await keep(begin, book_rate(USDT, USD, Decimal(1), at=at))

        [it] = await booked(begin, moved(10**18))

        assert it.values == (usd(100), usd(-100))

    async def test_a_rate_that_is_not_committed_values_nothing(self, begin: Begin) -> None:
        now = await time_of(begin)
        async with begin() as work:
            await work.ledger.keep_rate(book_rate(USDT, USD, Decimal(1), at=now))

        [it] = await booked(begin, moved(10**18))

        assert it.values == (None, None)

    async def test_a_rate_holds_for_what_is_booked_with_it(self, begin: Begin) -> None:
        now = await time_of(begin)
        async with begin() as work:
            await work.ledger.keep_rate(book_rate(USDT, USD, Decimal(1), at=now))
            await work.ledger.book(moved(10**18))
            [it] = await work.ledger.transactions(reference="pi_01")

        assert it.values == (usd(100), usd(-100))

    @pytest.mark.parametrize(
        "per_unit", ["0.5", "0.25", "1.5", "0.333333333333333333333333333333", "7", "0.000001"]
    )
    async def test_values_are_rounded_as_the_rate_says(self, begin: Begin, per_unit: str) -> None:
        rate = BookRate(USDT.id, USD.id, Decimal(per_unit), await time_of(begin))
        await keep(begin, rate)
        amounts = [*range(1, 9), 500_000, 1_500_000, 2**200 + 1]

        [it] = await booked(begin, moved(*amounts))

        expected: list[Money] = []
        for amount in amounts:
            expected += (rate.value(usdt(amount)), rate.value(usdt(-amount)))
        assert list(it.values) == expected
        async with begin() as work:
            assert await work.ledger.wrong_values() == []

    async def test_many_transactions_are_valued_as_one_is(self, begin: Begin) -> None:
        rate = book_rate(USDT, USD, Decimal("1.001"), at=await time_of(begin))
        await keep(begin, rate)

        async with begin() as work:
            await work.ledger.book(*(moved(n * 10**18) for n in range(1, 31)))
            await work.commit()

        async with begin() as work:
            found = await work.ledger.transactions(reference="pi_01")
        assert [it.values[0] for it in found] == [
            rate.value(usdt(n * 10**18)) for n in range(1, 31)
        ]
