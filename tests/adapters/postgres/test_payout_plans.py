"""What PostgreSQL looks at for a page of payouts: about a page, however many payouts there are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import psycopg
import pytest

from adapters.postgres.payout_lists import listing
from domain.settlements.listing import ALL, Place, Wanted
from domain.settlements.payouts import PayoutState
from domain.shared.ids import PayoutId, SettlementId
from domain.shared.money import AssetId
from tests.builders import COIN, MERCHANT, NOON, USDT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 20_000
LIMIT = 21
PAGES_MAX = 200
"""How many pages of 8 KiB a list may look at; the table has some thousands of them."""

FLOOD = f"""
set session_replication_role = replica; -- What payouts refer to is not needed here.
insert into payout (id, settlement_id, merchant_id, amount, asset, destination, hold_id,
    created_at, state)
select 'po_' || lpad(n::text, 6, '0'), 'set_' || lpad(n::text, 6, '0'), '{MERCHANT}', 1,
    case when n % 100 = 7 then '{COIN.id}' else '{USDT.id}' end, 'there', 'hold_1',
    '{NOON.isoformat()}'::timestamptz + n * interval '30 seconds',
    case when n % 1000 = 7 then 'refused' when n < {ROWS // 3} then 'broadcast'
        else 'confirmed' end
from generate_series(1, {ROWS}) n;
set session_replication_role = origin;
"""  # noqa: S608 (constants)

DAY = Wanted(created_after=NOON, created_before=NOON + timedelta(days=1))
COINS, TOKENS = [COIN.id], [COIN.id, USDT.id, AssetId("telegram/stars")]
FILTERS = {
    "none": ALL,
    "most": Wanted(state=PayoutState.CONFIRMED),
    "all old": Wanted(state=PayoutState.BROADCAST),
    "few": Wanted(state=PayoutState.REFUSED),
    "none in the state": Wanted(state=PayoutState.UNKNOWN),
    "an asset": Wanted(assets=COINS),
    "a chain": Wanted(assets=TOKENS),
    "no asset": Wanted(assets=[]),
    "an asset that nobody has": Wanted(assets=[AssetId("telegram/stars")]),
    "an asset in a state": Wanted(assets=COINS, state=PayoutState.UNKNOWN),
    "a chain in a state, on a day": attrs.evolve(DAY, assets=TOKENS, state=PayoutState.REFUSED),
    "a day": DAY,
    "a settlement": Wanted(settlement=SettlementId("set_000007"), assets=TOKENS),
}


@pytest.fixture
def flooded(postgres_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with one merchant's many payouts, as its statistics know."""
    with psycopg.connect(
        postgres_dsn, autocommit=True, cursor_factory=psycopg.RawCursor
    ) as connection:
        connection.execute(FLOOD.encode())
        connection.execute("vacuum analyze payout")
        yield connection


def looked_at(
    connection: psycopg.Connection[Any], wanted: Wanted, before: Place | None
) -> tuple[int, set[str]]:
    """Return how many pages of the database a list looks at, and how."""
    statement, parameters = listing(owner=MERCHANT, before=before, limit=LIMIT, wanted=wanted)
    text = f"explain (analyze, buffers, format json) {statement.text}"
    row = connection.execute(text.encode(), statement.arrange(parameters)).fetchone()
    assert row is not None
    [explained] = row[0] if isinstance(row[0], list) else json.loads(row[0])
    plan = explained["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], {*_ways(plan)}


def _ways(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["Node Type"]
    for part in plan.get("Plans", ()):
        yield from _ways(part)


def test_a_page_costs_what_it_shows(flooded: psycopg.Connection[Any]) -> None:
    middle = Place(NOON + ROWS // 2 * timedelta(seconds=30), PayoutId(f"po_{ROWS // 2:06}"))
    for name, wanted in FILTERS.items():
        for before in (None, middle):
            pages, ways = looked_at(flooded, wanted, before)
            assert "Seq Scan" not in ways, name
            assert pages < PAGES_MAX, name
