"""Pages of one merchant's million intents, by each filter and by several at once.

Rows are made in the database itself. Some filters let through nearly all, some one in a thousand,
some nothing; the pages measured begin anywhere in the list.
"""

from __future__ import annotations

import itertools
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg

from adapters.postgres.intent_rows import row_of_intent, row_of_quote
from config.bootstrap import api
from domain.intents.listing import ALL, Place, Wanted
from domain.intents.model import IntentStatus, Method
from domain.shared.actors import Actor, ActorKind, acting_as
from domain.shared.ids import IntentId
from domain.shared.money import AssetId
from tests.benchmarks.load import percentile_ms
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import opened, run
from tests.builders import COIN, MERCHANT, NOON, USDT, a_quote, an_intent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ports.unit_of_work import Begin
    from tests.benchmarks.world import Bench, World

ROWS, QUICK_ROWS = 1_000_000, 20_000
LIMIT = 21
"""Twenty and the one that tells whether more follow: what the API asks for by default."""
BOUND_MS = 50.0
"""What no page may take, in 99 of 100."""
APART = timedelta(seconds=30)

S, M = IntentStatus, Method
FILTERS: Mapping[str, Wanted] = {
    "no filter": ALL,
    "status, most": Wanted(status=S.SUCCEEDED),
    "status, 1 in 1000": Wanted(status=S.NEEDS_REVIEW),
    "status, none": Wanted(status=S.PROCESSING),
    "method, a third": Wanted(method=M.MEMO),
    "method, none": Wanted(method=M.STARS),
    "asset, 1 in 100": Wanted(asset=COIN.id),
    "asset, none": Wanted(asset=AssetId("telegram/stars")),
    "asset, most, and status, 1 in 1000": Wanted(asset=USDT.id, status=S.NEEDS_REVIEW),
    "asset, status and method, none": Wanted(
        asset=COIN.id, status=S.NEEDS_REVIEW, method=M.ESCROW
    ),
    "a day": Wanted(created_after=NOON, created_before=NOON + timedelta(days=1)),
    "a day, asset and status, 1 in 100,000": Wanted(
        asset=COIN.id,
        status=S.NEEDS_REVIEW,
        created_after=NOON,
        created_before=NOON + timedelta(days=1),
    ),
}
_CHANGED = {
    "id": "'pi_' || lpad(n::text, 12, '0')",
    "created_at": f"%(created_at)s + n * interval '{APART.seconds} seconds'",
    "status": """case when n %% 1000 = 7 then 'needs_review' when n %% 10 < 7 then 'succeeded'
        when n %% 10 < 9 then 'expired' else 'canceled' end""",
    "method": "case when n %% 3 = 0 then 'memo' else 'address' end",
    "due_asset": f"case when n %% 100 = 7 then '{COIN.id}' else '{USDT.id}' end",
    "pay_to": "jsonb_set(%(pay_to)s::jsonb, '{address}', to_jsonb(n::text))",
}


def measure(bench: Bench) -> Iterator[Figure]:
    """Read pages by each filter for a while; the first is what the others stand beside."""
    rows = QUICK_ROWS if bench.quick else ROWS
    with bench.world() as world:
        _fill(world, rows)
        seconds = run(_pages(world, rows, bench.seconds / len(FILTERS)))
    reference = {percent: percentile_ms(seconds["no filter"], percent) for percent in (50, 99)}
    for name, percent in itertools.product(FILTERS, (50, 99)):
        yield Figure(
            name=f"lists/{name}/p{percent}",
            value=percentile_ms(seconds[name], percent),
            unit="ms",
            reference=reference[percent],
            against=f"no filter, {rows} intents",
        )
    slow = [name for name in FILTERS if percentile_ms(seconds[name], 99) > BOUND_MS]
    expect(f"filters slower than {BOUND_MS:.0f} ms", expected=[], found=slow)


def _fill(world: World, rows: int) -> None:
    """Add a merchant's intents, each half a minute after the one before."""
    row = row_of_intent(an_intent())
    columns = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(_CHANGED.get(name, f"%({name})s") for name in row)
    with psycopg.connect(world.dsn) as connection:
        quote = row_of_quote(a_quote())
        names = ", ".join(quote)
        held = ", ".join(f"%({name})s" for name in quote)
        priced = f"insert into quote ({names}) values ({held})"  # noqa: S608 (columns of our own)
        connection.execute(priced.encode(), quote)
        made = f"insert into payment_intent ({columns}) select {values}"
        connection.execute(f"{made} from generate_series(1, {rows}) n".encode(), row)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze payment_intent")


async def _pages(world: World, rows: int, seconds: float) -> Mapping[str, Sequence[float]]:
    measured: dict[str, Sequence[float]] = {}
    draw = random.Random(1)  # noqa: S311 (places in a list)
    services = api(world.structured())
    key = Actor(kind=ActorKind.KEY, id="key", action="list", merchant_id=MERCHANT)
    # As the API reads them: by a role that is shown one merchant's rows alone.
    with acting_as(key):
        async with opened(services.resources):
            begin = services.intents.begin
            for name, wanted in FILTERS.items():
                await _pages_of(begin, wanted, rows, draw, seconds / 10)
                measured[name] = await _pages_of(begin, wanted, rows, draw, seconds)
    return measured


async def _pages_of(
    begin: Begin, wanted: Wanted, rows: int, draw: random.Random, seconds: float
) -> Sequence[float]:
    taken: list[float] = []
    began = time.perf_counter()
    while not taken or time.perf_counter() - began < seconds:
        number = draw.randrange(1, rows + 1)
        place = Place(NOON + number * APART, IntentId(f"pi_{number:012}"))
        start = time.perf_counter()
        async with begin() as work:
            page = await work.intents.list(
                owner=MERCHANT, before=place, limit=LIMIT, wanted=wanted
            )
        taken.append(time.perf_counter() - start)
        for intent in page:
            expect("an intent of the list", expected=True, found=wanted.includes(intent))
    return taken
