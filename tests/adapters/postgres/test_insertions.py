"""Rows arrive as they were given, whichever way they are sent and whatever is in them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest
from psycopg import errors

from adapters.postgres.insertions import FEW
from domain.ledger.model import credit, debit
from tests.builders import CUSTODY, NOON, earned, usdt
from tests.contracts.storage import given

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

AWKWARD = [
    "",
    " ",
    "null",
    "NULL",
    '"',
    "\\",
    '\\"',
    "{}",
    "a,b",
    "'",
    "\n\t",
    "é\U0001f6b2",
    "$1",
]


@pytest.mark.parametrize("count", [1, FEW - 1, FEW, FEW + 1, 3 * FEW])
async def test_any_number_of_rows(begin: Begin, count: int) -> None:
    transactions = [
        attrs.evolve(
            earned(n),
            kind=f"kind {AWKWARD[n % len(AWKWARD)]}",
            note=AWKWARD[n % len(AWKWARD)] if n % 3 else None,
            effective_at=NOON + timedelta(microseconds=n),
        )
        for n in range(1, count + 1)
    ]
    async with begin() as work:
        await work.ledger.book(*transactions)
        await work.commit()

    async with begin() as work:
        booked = await work.ledger.transactions(reference="pi_01")
    assert [it.transaction for it in booked] == transactions


@pytest.mark.parametrize("postings", [2, FEW, FEW + 2, 40])
async def test_any_number_of_postings(begin: Begin, postings: int) -> None:
    transaction = attrs.evolve(
        earned(1),
        postings=tuple(
            side(CUSTODY, usdt(2**255 - n))
            for n in range(postings // 2)
            for side in (debit, credit)
        ),
    )
    await given(begin, transaction)

    async with begin() as work:
        [booked] = await work.ledger.transactions(reference="pi_01")
    assert booked.transaction == transaction


async def test_a_nul_does_not_become_the_end_of_a_value(begin: Begin) -> None:
    transactions = [earned(n, reference="a\0b") for n in range(FEW + 2) if n]

    async def book() -> None:
        async with begin() as work:
            await work.ledger.book(*transactions)
            await work.commit()

    with pytest.raises(errors.NotNullViolation):
        await book()
    async with begin() as work:
        assert await work.ledger.balances(prefix="") == []
