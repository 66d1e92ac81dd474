"""The books against themselves: whatever is changed behind their back is found, and named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.ledger import checking
from domain.ledger.accounts import available
from domain.ledger.checking import UNSEALED_MAX, Finding, Wrong
from domain.shared.ids import MerchantId
from tests.builders import CUSTODY, USD, USDT
from tests.domain.scene import NET

if TYPE_CHECKING:
    from adapters.memory.tables import Table
    from tests.domain.world import World


async def paid(world: World) -> World:
    """Return the world after a payment of 25.00 to a deposit address."""
    world.pay(await world.intent())
    await world.settle_down()
    return world


def planted(world: World, table: Table[Any, Any], key: object, row: object) -> None:
    """Change a row as somebody does who has the database and not the gateway."""
    if row is None:
        table.remove(key)
    else:
        table.put(key, row)
    world.around.store.journal.forget()


async def test_nothing_is_found_in_books_that_are_right(world: World) -> None:
    assert await world.services.books.check() == []
    await paid(world)
    assert await world.services.books.check() == []


async def test_a_kept_balance_that_differs_from_its_postings_is_found(world: World) -> None:
    await paid(world)
    mine = available(world.merchant.id)
    planted(world, world.around.store.tables.kept, (mine, USDT.id), -NET - 1)

    [finding] = await world.services.books.check()

    assert finding.what == "kept balance differs from postings"
    assert mine in finding.where


async def test_a_kept_balance_without_postings_is_found(world: World) -> None:
    ghost = available(MerchantId("mer_ghost"))
    planted(world, world.around.store.tables.kept, (ghost, USDT.id), -5)

    [finding] = await world.services.books.check()

    assert finding.what == "kept balance differs from postings"


async def test_a_constrained_account_without_a_balance_row_is_found(world: World) -> None:
    await paid(world)
    mine = available(world.merchant.id)
    planted(world, world.around.store.tables.kept, (mine, USDT.id), None)

    [finding] = await world.services.books.check()

    assert finding.what == "constrained account without a balance row"


async def test_a_promise_below_zero_is_found(world: World) -> None:
    mine = available(world.merchant.id)
    tables = world.around.store.tables
    planted(world, tables.sums, (mine, USDT.id), 7)
    planted(world, tables.kept, (mine, USDT.id), 7)

    found = await world.services.books.check()

    assert "constrained account below zero" in {finding.what for finding in found}


async def test_a_transaction_that_does_not_sum_to_zero_is_found(world: World) -> None:
    await paid(world)
    booked = list(world.around.store.tables.transactions)[-1]
    halves = booked.transaction.postings[:1]
    # Nothing in the domain can make such a transaction; a hand in the database could.
    object.__setattr__(booked.transaction, "postings", halves)

    found = await world.services.books.check()

    assert ("transaction does not sum to zero", booked.id) in {
        (finding.what, finding.where) for finding in found
    }


async def test_accounts_that_do_not_sum_to_zero_together_are_found(world: World) -> None:
    await paid(world)
    sums = world.around.store.tables.sums
    planted(world, sums, (CUSTODY, USDT.id), (sums.get((CUSTODY, USDT.id)) or 0) + 3)

    assert await world.services.books.check() == [Finding(Wrong.EXCESS, f"{USDT.id}: 3")]


async def test_a_booking_between_two_reads_is_no_finding(world: World) -> None:
    """What is kept and what is posted are read one after the other; a look under lock decides."""
    await paid(world)
    tables = world.around.store.tables
    mine = (available(world.merchant.id), USDT.id)
    right = tables.kept.get(mine)
    planted(world, tables.kept, mine, -NET - 1)
    looks = 0

    class Late(checking.Checking):
        async def _kept_wrongly(self, suspects: Any) -> Any:  # noqa: ANN401 (as it is there)
            nonlocal looks
            looks += len(suspects)
            planted(world, tables.kept, mine, right)
            return await super()._kept_wrongly(suspects)

    found = await Late(world.services.begin, world.clock).check()

    assert (looks, found) == (1, [])


class TestSeals:
    async def test_a_sealed_past_is_verified_page_by_page(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(checking, "PAGE", 2)
        await paid(world)
        sealed = await world.services.sealing.seal(limit=100)

        assert sealed > 2
        assert await world.services.books.check() == []

    @pytest.mark.parametrize("change", ["kind", "note", "effective_at", "postings", "reference"])
    async def test_every_part_of_a_transaction_is_under_its_seal(
        self, world: World, change: str
    ) -> None:
        await paid(world)
        await world.services.sealing.seal(limit=100)
        tables = world.around.store.tables
        [*_, booked] = tables.transactions
        it = booked.transaction
        other: dict[str, Any] = {
            "kind": "gift",
            "note": "by hand",
            "effective_at": it.effective_at - timedelta(days=1),
            "postings": it.postings[::-1],
            "reference": "pi_other",
        }
        forged = attrs.evolve(it, **{change: other[change]})
        planted(world, tables.transactions, booked.id, attrs.evolve(booked, transaction=forged))

        [finding] = await world.services.books.check()

        assert finding.what is Wrong.SEAL_BROKEN
        assert booked.id in finding.where

    async def test_a_transaction_that_is_gone_leaves_a_hole(self, world: World) -> None:
        await paid(world)
        count = await world.services.sealing.seal(limit=100)
        tables = world.around.store.tables
        first, *_, last = [booked.id for booked in tables.transactions]
        for gone in (first, last):
            planted(world, tables.transactions, gone, None)

        found = await world.services.books.check()

        assert found == [
            Finding(Wrong.SEAL_MISSING, "seal 1"),
            Finding(Wrong.SEAL_MISSING, f"seal {count}"),
        ]

    async def test_a_hash_that_was_put_right_breaks_the_next(self, world: World) -> None:
        await paid(world)
        await world.services.sealing.seal(limit=100)
        tables = world.around.store.tables
        seal = tables.seals.get(2)
        assert seal is not None
        planted(world, tables.seals, 2, attrs.evolve(seal, hash=bytes(32)))

        found = [finding.where for finding in await world.services.books.check()]

        assert [where.split(",")[0] for where in found] == ["seal 2", "seal 3"]

    async def test_what_waits_too_long_for_its_seal_is_found(self, world: World) -> None:
        await paid(world)
        world.clock.advance(seconds=UNSEALED_MAX.total_seconds())
        assert await world.services.books.check() == []

        world.clock.advance(seconds=1)

        assert {it.what for it in await world.services.books.check()} == {Wrong.UNSEALED}


async def test_a_value_that_its_rate_does_not_give_is_found(world: World) -> None:
    await world.services.valuation.keep_rates()
    await paid(world)
    tables = world.around.store.tables
    [*_, booked] = tables.transactions
    assert booked.values[0] is not None
    assert booked.values[0].asset == USD.id
    wrong = (booked.values[0] + booked.values[0], *booked.values[1:])
    planted(world, tables.transactions, booked.id, attrs.evolve(booked, values=wrong))

    assert await world.services.books.check() == [Finding(Wrong.VALUE, booked.id)]
