"""Payments in Stars on PostgreSQL: two processes that are told and ask the same at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.stars.model import PaymentState
from tests.domain.stars.till import DUE, NET, new_till

if TYPE_CHECKING:
    from adapters.postgres.storage import PostgresStorage
    from tests.domain.stars.till import Till

TIMES = 4
"""How often each process does the same at once."""


@pytest.fixture
async def tills(storages: tuple[PostgresStorage, PostgresStorage]) -> tuple[Till, Till]:
    """One till as two processes have it: what it knows lies in the database and with Telegram."""
    first, second = storages
    till = await new_till(first.begin)
    return till, attrs.evolve(
        till,
        begin=second.begin,
        stars=attrs.evolve(till.stars, begin=second.begin),
        reconciliation=attrs.evolve(till.reconciliation, begin=second.begin),
    )


async def test_what_is_told_to_all_at_once_is_credited_once(tills: tuple[Till, Till]) -> None:
    till = tills[0]
    intent = await till.intent()
    charges = [till.bot.charge(payload, DUE) for payload in (intent.id, intent.id, "stray")]

    credited = await asyncio.gather(
        *(each.stars.credit(charge) for each in tills for charge in charges * TIMES),
        *(each.reconciliation.reconcile() for each in tills),
        return_exceptions=True,
    )

    assert [it for it in credited if isinstance(it, BaseException)] == []
    states = [(await till.payment(charge.id)).state for charge in charges]
    assert sorted(states[:2]) == [PaymentState.HELD, PaymentState.REFUNDING]
    assert await till.books() == {"held": 3 * DUE, "pending": NET, "suspense": 2 * DUE}
    assert (await till.now(intent)).received == DUE


async def test_refunds_and_maturity_at_once_end_in_one_of_them(tills: tuple[Till, Till]) -> None:
    till = tills[0]
    paid = [await till.paid() for _ in range(3)]
    till.clock.advance(days=21)

    done = await asyncio.gather(
        *(each.stars.mature() for each in tills for _ in range(TIMES)),
        *(
            each.stars.refund(owner=till.merchant.id, intent_id=intent.id)
            for each in tills
            for intent, _ in paid
        ),
        return_exceptions=True,
    )
    assert [it for it in done if isinstance(it, BaseException)] == []
    await asyncio.gather(*(each.stars.carry_out_refunds() for each in tills * TIMES))
    await till.deliver(times=2)

    assert {(await till.payment(charge.id)).state for _, charge in paid} == {PaymentState.REFUNDED}
    assert await till.books() == {}
    assert len(till.bot.lines) == 2 * len(paid)
