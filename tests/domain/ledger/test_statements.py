"""Statements: what was booked in a period, whole, signed, and no more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.keys.ed25519 import Ed25519Check
from domain.ledger.accounts import available, reserved
from domain.ledger.documents import Period
from domain.ledger.statements import SETTLED_AFTER, NotSealedYet, PeriodNotOver
from domain.ledger.verification import problems, read
from domain.shared.ids import MerchantId
from ports.unit_of_work import NotFound
from tests.builders import USD, USDT, earned, paid_to
from tests.domain.services import STATEMENT_KEY
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from domain.ledger.model import Transaction
    from tests.domain.world import World

DAY = datetime(2026, 3, 2, tzinfo=UTC)
PERIOD = Period(since=DAY, until=DAY + timedelta(days=1))


async def booked(world: World, *transactions: Transaction, at: datetime) -> None:
    world.clock.move_to(at)
    async with world.around.store.begin() as work:
        await work.ledger.book(*transactions)
        await work.commit()


async def a_day_of_trade(world: World) -> None:
    """Book before, at the edges of, in and after the period, for two merchants."""
    mine, other = world.merchant.id, (await another_merchant(world)).id
    await booked(world, earned(100, by=mine), at=DAY - timedelta(microseconds=1))
    await world.services.valuation.keep_rates()
    await booked(world, earned(20, by=mine), earned(5, by=other), at=DAY)
    move = paid_to(reserved(mine), 30, by=mine)
    await booked(world, move, at=PERIOD.until - timedelta(microseconds=1))
    await booked(world, earned(1000, by=mine), at=PERIOD.until)
    world.clock.advance(hours=1)
    await world.services.sealing.seal()


async def issued(world: World, *, owner: MerchantId | None = None) -> dict[str, Any]:
    statement = await world.services.statements.issue(
        owner=owner or world.merchant.id, period=PERIOD
    )
    return dict(json.loads(json.dumps(statement)))


async def test_it_opens_with_what_was_there_and_closes_with_what_is_left(world: World) -> None:
    await a_day_of_trade(world)

    statement = await issued(world)

    accounts = {it["account"]: (it["opening"], it["closing"]) for it in statement["accounts"]}
    mine = world.merchant.id
    assert accounts == {available(mine): ("100", "90"), reserved(mine): ("0", "30")}
    earning, move = statement["transactions"]
    assert [it["amount"] for it in earning["postings"]] == ["20"]
    assert [(it["account"], it["amount"]) for it in move["postings"]] == [
        (available(mine), "-30"),
        (reserved(mine), "30"),
    ]
    assert statement["seals"]["first"] == earning["seal"]["number"]
    assert statement["seals"]["last"] == move["seal"]["number"]
    assert statement["seals"]["head"]["number"] > move["seal"]["number"]


async def test_it_tells_what_entries_were_worth(world: World) -> None:
    world.clock.move_to(DAY)
    await world.services.valuation.keep_rates()
    whole = 10**USDT.decimals
    await booked(world, earned(3 * whole, by=world.merchant.id), at=DAY)
    world.clock.advance(days=2)
    await world.services.sealing.seal()

    [entry] = (await issued(world))["transactions"]

    assert [it["value"] for it in entry["postings"]] == [{"asset": USD.id, "amount": "300"}]


async def test_it_is_verified_from_its_text_alone(world: World) -> None:
    await a_day_of_trade(world)

    text = json.dumps(await issued(world), indent=2)

    key = STATEMENT_KEY.public_key
    assert problems(read(text), Ed25519Check(), public_key=key) == []


async def test_nothing_of_others_is_in_it(world: World) -> None:
    await a_day_of_trade(world)

    statement = await issued(world)

    accounts = {
        posting["account"] for it in statement["transactions"] for posting in it["postings"]
    }
    assert all(account.startswith(f"merchant:{world.merchant.id}:") for account in accounts)


async def test_the_same_period_told_later_is_the_same(world: World) -> None:
    await a_day_of_trade(world)
    before = await issued(world)
    await booked(world, earned(7, by=world.merchant.id), at=world.clock.now())
    await world.services.sealing.seal()

    after = await issued(world)

    for part in ("accounts", "transactions"):
        assert after[part] == before[part]


async def test_what_waits_for_its_seal_makes_it_wait(world: World) -> None:
    await booked(world, earned(20, by=world.merchant.id), at=DAY)
    world.clock.advance(days=2)

    with pytest.raises(NotSealedYet):
        await issued(world)

    await world.services.sealing.seal()
    assert len((await issued(world))["transactions"]) == 1


async def test_a_period_that_is_not_over_has_none(world: World) -> None:
    now = world.clock.now()
    hour = timedelta(hours=1)
    for since, until in ((now, now), (now - hour, now), (now, now - hour)):
        with pytest.raises(PeriodNotOver):
            await world.services.statements.issue(
                owner=world.merchant.id, period=Period(since=since, until=until)
            )

    await world.services.statements.issue(
        owner=world.merchant.id, period=Period(since=now - hour, until=now - SETTLED_AFTER)
    )


async def test_a_merchant_without_entries_has_an_empty_one(world: World) -> None:
    world.clock.move_to(PERIOD.until + timedelta(days=1))

    statement = await issued(world)

    assert (statement["accounts"], statement["transactions"]) == ([], [])
    assert problems(read(json.dumps(statement)), Ed25519Check()) == []


async def test_a_merchant_that_is_not_there_has_none(world: World) -> None:
    world.clock.move_to(PERIOD.until + timedelta(days=1))

    with pytest.raises(NotFound):
        await issued(world, owner=MerchantId("mer_none"))
