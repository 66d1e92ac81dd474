"""What must hold of the whole world whenever the worker has nothing left to do."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, LiteralString

from config.jobs import schedules
from config.settings import structure
from domain.ledger.accounts import available, reserved
from domain.shared.platform import PLATFORM
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.accounts import Account
    from domain.ledger.comparing import Comparison
    from domain.merchants.model import Merchant
    from tests.crashes.world import World

_UNFINISHED = """
    select name, state, last_error from job
    where state = 'dead'
       or state <> 'done' and (dedupe_key is null or dedupe_key not like 'schedule:%')
"""
_OPEN = """
    select id, state from submission
    where state not in ('confirmed', 'reverted', 'refused', 'batched')
"""
_BOOKED_TWICE = """
    select kind, reference, count(*) from ledger_transaction
    where kind in ('deposit', 'capture', 'escrow_hold', 'escrow_released', 'escrow_refunded',
                   'payout', 'payout_reverted', 'network_fee')
    group by kind, reference having count(*) > 1
"""
_NOT_FINAL = "select * from observation where finality not in ('final', 'retracted')"
_UNDELIVERED = "select id, state from webhook_delivery where state <> 'delivered'"
_UNRELAYED = "select id from event where not relayed"
_TOLD_TO_MERCHANTS = f"select count(*) from event where merchant_id <> '{PLATFORM}'"  # noqa: S608 (a name of ours)
_STATES: dict[str, LiteralString] = {
    "settlement": "select state from settlement where merchant_id = %s order by created_at, id",
    "payout": "select state from payout where merchant_id = %s order by created_at, id",
}
_NONE_IN = {
    "jobs that are not done": _UNFINISHED,
    "transactions of ours without an end": _OPEN,
    "money booked twice": _BOOKED_TWICE,
    "observations that nobody has finalised": _NOT_FINAL,
    "webhooks not delivered": _UNDELIVERED,
    "events not handed over": _UNRELAYED,
}
_SCHEDULES = """
    select count(*) from job where dedupe_key like 'schedule:%' and state in ('ready', 'running')
"""


async def must_be_right(world: World, merchant: Merchant) -> None:
    """Hold the books to themselves and to the chain, and merchants to what they were told."""
    assert list(await world.operator.books.check()) == []
    assert [spot for spot in await _compared(world) if not spot.agree] == []
    for what, query in _NONE_IN.items():
        assert await rows(world, query) == [], what
    expected = schedules(structure(world.settings).worker, [world.chain])
    assert await rows(world, _SCHEDULES) == [(len(expected),)]
    await _every_number_is_a_submission(world)
    await _the_merchant_was_told(world, merchant)


async def balance(world: World, merchant: Merchant) -> tuple[int, int]:
    """Return what a merchant has available and reserved, in smallest units."""
    found: dict[Account, int] = defaultdict(int)
    for row in await world.operator.books.merchant_balances(owner=merchant.id):
        assert row.money.asset == world.asset
        found[row.account] = row.money.amount
    return found[available(merchant.id)], found[reserved(merchant.id)]


async def events(world: World, merchant: Merchant) -> list[str]:
    """Return the types of a merchant's events, in order."""
    feed = await world.operator.webhooks.feed(owner=merchant.id, after=0, limit=1000)
    return [recorded.event.type for recorded in feed]


async def states(world: World, table: str, merchant: Merchant) -> list[str]:
    """Return the states of a merchant's settlements or payouts, oldest first."""
    query = _STATES[table]
    return [str(state) for (state,) in await rows(world, query, merchant.id)]


async def rows(
    world: World, query: LiteralString, *parameters: object
) -> list[tuple[object, ...]]:
    """Ask the database itself."""
    cursor = await world.database.execute(query, parameters or None)
    return await cursor.fetchall()


async def _compared(world: World) -> Sequence[Comparison]:
    try:
        return await world.operator.books.compare(chain=world.chain)
    except ChainUnavailable:  # The node has closed a connection that was left alone.
        return await world.operator.books.compare(chain=world.chain)


async def _every_number_is_a_submission(world: World) -> None:
    """The wallet has sent as many transactions as the gateway has signed, and no others."""
    query = "select count(*) from submission where raw is not null and sender = %s"
    [(signed,)] = await rows(world, query, world.demo.hot_wallet.lower())
    assert await world.outside.sent_by_wallet() == signed


async def _the_merchant_was_told(world: World, merchant: Merchant) -> None:
    """Each event has arrived, under one id with one content; there is none that never was."""
    feed = await world.operator.webhooks.feed(owner=merchant.id, after=0, limit=1000)
    assert [recorded.sequence for recorded in feed] == [*range(1, len(feed) + 1)]
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for request in world.shop.arrived:
        bodies[request.headers["webhook-id"]].add(request.body)
    told = [(recorded.id, _types(bodies[recorded.id])) for recorded in feed]
    assert told == [(recorded.id, [recorded.event.type]) for recorded in feed]
    [(known,)] = await rows(world, _TOLD_TO_MERCHANTS)
    assert len(bodies) == known


def _types(bodies: Sequence[bytes] | set[bytes]) -> list[str]:
    return [json.loads(body)["type"] for body in bodies]
