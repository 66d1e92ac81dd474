"""What PostgreSQL looks at to note tries: never at what waits for others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import psycopg

from adapters.postgres.webhook_deliveries import NOTE, noted_rows
from domain.shared.ids import DeliveryId
from domain.webhooks.model import Try
from tests.builders import NOON, a_delivery

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKLOG = 20_000
NOTED = 50
FLOOD = f"""
insert into webhook_delivery
    (id, endpoint_id, event_id, merchant_id, created_at, state, tries, next_try_at, sequence,
    previous_sequence)
select 'wd_' || n, 'we_' || n % 16, 'evt_' || n, 'mer_1', now(), 'pending', '[]', now(), n, n - 1
from generate_series(1, {BACKLOG}) n
"""  # noqa: S608 (a constant)


def test_a_try_is_noted_by_the_id_of_its_delivery(postgres_dsn: str) -> None:
    """Also where most were done when the server looked last, as its statistics still say."""
    delivery = a_delivery().record(Try(at=NOON, status=200, detail=""))
    noted = noted_rows(
        [attrs.evolve(delivery, id=DeliveryId(f"wd_{n}")) for n in range(1, NOTED + 1)]
    )
    with psycopg.connect(
        postgres_dsn, autocommit=True, cursor_factory=psycopg.RawCursor
    ) as connection:
        connection.execute("set session_replication_role = replica")  # Endpoints are not needed.
        connection.execute(FLOOD.encode())
        connection.execute("update webhook_delivery set state = 'delivered'")
        connection.execute("vacuum analyze webhook_delivery")
        connection.execute("update webhook_delivery set state = 'pending'")
        text = f"explain (analyze, buffers, format json) {NOTE.text}"
        row = connection.execute(text.encode(), NOTE.arrange({"noted": noted})).fetchone()

    assert row is not None
    [explained] = row[0] if isinstance(row[0], list) else json.loads(row[0])
    assert explained["Plan"]["Actual Rows"] == NOTED
    assert set(_indexes(explained["Plan"])) == {"webhook_delivery_pkey"}


def _indexes(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _indexes(part)
