from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as some

from adapters.postgres.booking import runs
from domain.ledger.accounts import WORLD, available, reserved
from domain.ledger.model import InsufficientFunds
from tests.builders import MERCHANT, USDT, earned, paid_to, usdt
from tests.contracts.storage import given

if TYPE_CHECKING:
    from domain.ledger.model import Transaction
    from ports.unit_of_work import Begin

MINE = available(MERCHANT)


def moved(amount: int) -> Transaction:
    return earned(amount) if amount > 0 else paid_to(WORLD, -amount)


@for_all(
    some.integers(0, 20),
    some.lists(some.integers(-9, 9).filter(bool), max_size=12),
)
def test_runs_overdraw_exactly_when_their_transactions_do(opening: int, moves: list[int]) -> None:
    def lowest(steps: list[int]) -> int:
        balance = low = opening
        for step in steps:
            balance += step
            low = min(low, balance)
        return low

    transactions = [moved(amount) for amount in moves]
    worth = dict(zip(map(id, transactions), moves, strict=True))
    found = list(runs(transactions))

    assert [it for run in found for it in run.transactions] == transactions
    by_run = [sum(worth[id(it)] for it in run.transactions) for run in found]
    assert (lowest(by_run) < 0) == (lowest(moves) < 0)


async def test_money_that_comes_later_does_not_pay_for_what_went_before(begin: Begin) -> None:
    async def spend_first() -> None:
        async with begin() as work:
            await work.ledger.book(paid_to(reserved(MERCHANT), 5), earned(5))
            await work.commit()

    with pytest.raises(InsufficientFunds):
        await spend_first()

    await given(begin, earned(5))
    async with begin() as work:
        await work.ledger.book(paid_to(reserved(MERCHANT), 5), earned(5), earned(1))
        await work.ledger.book(paid_to(reserved(MERCHANT), 6))
        await work.commit()
    async with begin() as work:
        assert await work.ledger.lock_balance(MINE, USDT.id) == usdt(0)
        assert await work.ledger.lock_balance(reserved(MERCHANT), USDT.id) == usdt(11)


async def test_what_cannot_be_written_in_one_go_is_written_in_several(begin: Begin) -> None:
    async with begin() as work:
        for n in range(1, 30):
            await work.ledger.book(earned(n), paid_to(reserved(MERCHANT), n))
        await work.commit()

    async with begin() as work:
        assert len(await work.ledger.transactions(reference="pi_01")) == 29
        assert await work.ledger.lock_balance(reserved(MERCHANT), USDT.id) == usdt(29 * 15)
        assert await work.ledger.unbalanced() == []
