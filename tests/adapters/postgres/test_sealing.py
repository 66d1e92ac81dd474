"""Transactions that commit in another order than they were booked in are sealed all the same."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest

from domain.ledger.seals import continued
from tests.builders import earned
from tests.contracts.seals import seal, sealed
from tests.contracts.storage import given

if TYPE_CHECKING:
    from ports.unit_of_work import Begin, UnitOfWork


async def booking(stack: AsyncExitStack, begin: Begin, reference: str, by: str) -> UnitOfWork:
    """Begin a unit of work that has booked something and has not committed it."""
    work = await stack.enter_async_context(begin())
    await work.ledger.book(earned(1, reference=reference, by=by))
    await work.ledger.transactions(reference=reference)
    return work


def progress(dsn: str) -> tuple[int, int]:
    """Return how many transactions there are and how many positions are known to be sealed."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            """
            select (select count(*) from ledger_transaction where position > sealed), sealed
            from sealing_progress
            """
        ).fetchone()
    assert row is not None
    return row


async def test_two_that_commit_in_the_reverse_order_are_both_sealed(begin: Begin) -> None:
    async with AsyncExitStack() as stack:
        early = await booking(stack, begin, "early", "mer_1")
        late = await booking(stack, begin, "late", "mer_2")
        await late.commit()
        # As often as it takes to pass over what is not there yet, if it were passed over.
        rounds = [await seal(begin) for _ in range(4)]
        assert [[it.transaction.reference for it in booked] for booked in rounds] == [
            ["late"], [], [], [],
        ]  # fmt: skip
        await early.commit()

    [booked] = await seal(begin)
    assert booked.transaction.reference == "early"
    assert [it.seal.number for it in await sealed(begin)] == [1, 2]


async def test_one_that_is_open_holds_nobody_up(begin: Begin) -> None:
    async with AsyncExitStack() as stack:
        early = await booking(stack, begin, "early", "mer_1")
        for n in range(5):
            await given(begin, earned(1, reference=f"pi_{n}"))
            [booked] = await seal(begin)
            assert booked.transaction.reference == f"pi_{n}"
        await early.commit()

    [booked] = await seal(begin)
    assert booked.transaction.reference == "early"


async def test_what_is_sealed_is_not_looked_at_for_ever(begin: Begin, postgres_dsn: str) -> None:
    for n in range(1, 13):
        await given(begin, *(earned(1, reference=f"pi_{n}") for _ in range(5)))
        await seal(begin)

    behind, _ = progress(postgres_dsn)
    # The mark follows two rounds behind: one to see who is writing, one to see them gone.
    assert behind <= 15


@pytest.mark.parametrize("undone", [True, False])
async def test_the_mark_waits_for_who_is_writing(
    begin: Begin, postgres_dsn: str, *, undone: bool
) -> None:
    async with AsyncExitStack() as stack:
        early = await booking(stack, begin, "early", "mer_1")
        for n in range(4):
            await given(begin, earned(1, reference=f"pi_{n}"))
            await seal(begin)
        assert progress(postgres_dsn)[0] == 4
        if not undone:
            await early.commit()

    for n in range(4, 8):
        await given(begin, earned(1, reference=f"pi_{n}"))
        await seal(begin)
    assert progress(postgres_dsn)[0] <= 3
    assert len(await sealed(begin)) == 8 + (not undone)


async def test_every_one_of_many_at_once_is_sealed_once(begin: Begin) -> None:
    """Some take several positions, some give theirs up, and all end when they like."""
    committed: set[str] = set()
    open_bookers = 8

    async def book(booker: int) -> None:
        nonlocal open_bookers
        draw = random.Random(booker)  # noqa: S311 (a repeatable story, no secret)
        for n in range(8):
            references = [f"pi_{booker}_{n}_{part}" for part in range(draw.randint(1, 3))]
            async with begin() as work:
                for reference in references:
                    await work.ledger.book(earned(1, reference=reference, by=f"mer_{booker}"))
                    await work.ledger.transactions(reference=reference)
                    await asyncio.sleep(draw.random() / 100)
                if draw.random() < 0.8:
                    await work.commit()
                    committed.update(references)
        open_bookers -= 1

    async def seal_on() -> None:
        while open_bookers:
            await seal(begin, limit=5)
            await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as tasks:
        for booker in range(open_bookers):
            tasks.create_task(book(booker))
        tasks.create_task(seal_on())
    while await seal(begin):
        pass

    found = await sealed(begin)
    assert sorted(it.booked.transaction.reference for it in found) == sorted(committed)
    assert [it.seal for it in found] == list(continued(None, [it.booked for it in found]))
