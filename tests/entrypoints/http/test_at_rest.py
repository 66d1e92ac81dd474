"""No secret that merchants were shown lies in the database, whatever was asked for it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from adapters.postgres.key_ring import KeyRing
from adapters.postgres.storage import PostgresStorage
from adapters.postgres.tables.everything import METADATA
from domain.shared.visibility import seeing_all
from domain.webhooks.dispatching import Dispatch
from domain.webhooks.in_turn import InTurn
from tests.entrypoints.http.gateway import opened, refusal, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import Response

    from tests.entrypoints.http.gateway import Gateway, Json

SECRET = re.compile(rb"whsec_[A-Za-z0-9+/=]+|sy_(?:test|live|oper)_[0-9A-Za-z_-]{20,}")
"""A signing secret, or the whole text of an API key or a token, wherever it stands."""
ENDPOINTS, KEYS = "/v1/webhook_endpoints", "/v1/api_keys"


def dump(dsn: str) -> dict[str, bytes]:
    """Return all that lies in each table: texts and documents as they are, and bytes too."""
    found = {}
    with psycopg.connect(dsn) as connection:
        for table in METADATA.sorted_tables:
            # As text no type of Python's hides anything; bytes, which are digits so, come apart.
            query = sql.SQL("select it::text from {} it").format(sql.Identifier(table.name))
            held = [str(row).encode() for (row,) in connection.execute(query)]
            for column in table.columns:
                if column.type.python_type is bytes:
                    octets = sql.SQL("select {} from {}").format(
                        sql.Identifier(column.name), sql.Identifier(table.name)
                    )
                    held += [bytes(row or b"") for (row,) in connection.execute(octets)]
            found[table.name] = b"\n".join(held)
    return found


def with_secrets(dumped: Mapping[str, bytes]) -> set[str]:
    return {table for table, held in dumped.items() if SECRET.search(held)}


async def live(gateway: Gateway) -> tuple[list[str], list[tuple[Response, Response]]]:
    """Have Ada make and replace secrets, each twice by its key, and be told of events.

    Returns:
        What she was shown, and the answers in pairs.
    """
    pairs = []

    async def twice(path: str, body: Json, key: str) -> Json:
        headers = {"Idempotency-Key": key}
        pair = [await gateway.ada.http.post(path, json=body, headers=headers) for _ in range(2)]
        pairs.append((pair[0], pair[1]))
        return told(pair[0], pair[0].status_code)

    made = await twice(ENDPOINTS, {"url": "https://shop.example/hooks"}, "endpoint")
    rotated = await twice(f"{ENDPOINTS}/{made['id']}/rotate_secret", {}, "rotation")
    await twice(f"{ENDPOINTS}/{made['id']}/test", {}, "ping")
    name = {"name": "till", "scopes": ["payment_intents:read"]}
    key = told(
        await gateway.ada.http.post(KEYS, json=name, headers={"Idempotency-Key": "key"}), 201
    )
    successor = told(
        await gateway.ada.http.post(
            f"{KEYS}/{key['id']}/regenerate", json={}, headers={"Idempotency-Key": "next"}
        ),
        201,
    )
    await gateway.ada.intent()
    with seeing_all():
        await gateway.api.usage.flush()
    webhooks = gateway.services.webhooks()
    await webhooks.hand_over()
    publisher = gateway.services.adapters.publisher()
    await Dispatch(webhooks.begin, webhooks.clock, webhooks.ids, publisher, InTurn()).run()
    assert {post.secret for post in publisher.posts} == {rotated["secret"]}
    shown = [made["secret"], rotated["secret"], key["key"], successor["key"], gateway.ada.key]
    return shown, pairs


async def test_a_dump_of_the_database_holds_no_secret(postgres_dsn: str) -> None:
    async with opened(dsn=postgres_dsn) as gateway:
        shown, pairs = await live(gateway)
        dumped = dump(postgres_dsn)

    assert [pair[0].content for pair in pairs] == [pair[1].content for pair in pairs]
    assert all(pair[1].headers["Idempotent-Replayed"] == "true" for pair in pairs)
    filled = {"webhook_endpoint", "idempotency_key", "api_key", "event", "audit_entry", "job"}
    assert all(dumped[table] for table in (*filled, "webhook_delivery"))
    assert with_secrets(dumped) == set()
    for secret in shown:
        assert SECRET.fullmatch(secret.encode())
        core = secret.rpartition("_")[2]
        for form in (core.encode(), core.encode().hex().encode(), _octets(core)):
            assert [table for table, held in dumped.items() if form in held] == []


async def test_what_lies_in_clear_would_be_found(postgres_dsn: str) -> None:
    async with opened(dsn=postgres_dsn, ring=KeyRing()) as gateway:
        await live(gateway)
        dumped = dump(postgres_dsn)

    assert with_secrets(dumped) == {"webhook_endpoint", "idempotency_key"}


async def test_what_was_answered_and_does_not_open_is_not_done_again(postgres_dsn: str) -> None:
    async with opened(dsn=postgres_dsn) as gateway:
        assert isinstance(gateway.api_storage, PostgresStorage)
        request: dict[str, Any] = {
            "json": {"url": "https://shop.example/hooks"},
            "headers": {"Idempotency-Key": "k-1"},
        }
        first = await gateway.ada.http.post(ENDPOINTS, **request)

        ring, gateway.api_storage.ring = gateway.api_storage.ring, KeyRing([bytes(32)])
        assert refusal(await gateway.ada.http.post(ENDPOINTS, **request))[0] == 500
        gateway.api_storage.ring = ring

        assert (await gateway.ada.http.post(ENDPOINTS, **request)).content == first.content
        assert len((await gateway.ada.get(ENDPOINTS))["data"]) == 1


def _octets(core: str) -> bytes:
    """Return the key of a webhook's secret; of an API key, which is no base64, its text."""
    try:
        return base64.b64decode(core, validate=True)
    except ValueError:
        return core.encode()
