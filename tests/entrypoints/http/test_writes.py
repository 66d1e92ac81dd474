"""Every operation that writes can be sent again: by its key, or by what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from config.bootstrap import ApiConsole
from config.operators import operators
from entrypoints.http.app import create_app
from tests.entrypoints.http.document import Document
from tests.entrypoints.http.gateway import api_services

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

STATE = "It says what is to be, and that is so however often it is said."
REST = "It deals with at most so many of what is left; sent again, with the rest of it."

WITHOUT_KEY = {
    "DELETE /v1/api_keys/{key}": STATE,
    "PATCH /v1/webhook_endpoints/{endpoint}": STATE,
    "DELETE /v1/webhook_endpoints/{endpoint}": STATE,
    "POST /v1/ops/queues/{queue}/pause": STATE,
    "POST /v1/ops/queues/{queue}/resume": STATE,
    "POST /v1/ops/queues/{queue}/clean": REST,
    "POST /v1/ops/jobs/retry": REST,
    "POST /v1/ops/jobs/{job}/retry": STATE,
}
"""Operations that write and take no key, and why they need none."""


@pytest.fixture
def writes(memory_gateway: Gateway) -> dict[str, Json]:
    """Every operation that writes, operators' included."""
    services = memory_gateway.services
    console = ApiConsole(operators=operators([]), jobs=services.jobs())
    app = create_app(attrs.evolve(api_services(services), console=console))
    return {
        f"{method.upper()} {path}": operation
        for path, operations in Document.of(app).content["paths"].items()
        for method, operation in operations.items()
        if method in {"post", "put", "patch", "delete"}
    }


def takes_key(operation: Json) -> bool:
    """Tell whether an operation takes an idempotency key."""
    return any(each.get("name") == "Idempotency-Key" for each in operation["parameters"])


def test_every_write_takes_a_key_or_needs_none(writes: dict[str, Json]) -> None:
    assert len(writes) > 25
    assert {name for name, it in writes.items() if not takes_key(it)} == set(WITHOUT_KEY)


def test_who_takes_a_key_tells_what_can_become_of_it(writes: dict[str, Json]) -> None:
    for name, operation in writes.items():
        if not takes_key(operation):
            continue
        slugs = {
            slug
            for response in operation["responses"].values()
            for content in response.get("content", {}).values()
            for slug in content.get("examples", {})
        }
        wanted = {"reused", "in-flight", "invalid"}
        assert {f"idempotency-key-{each}" for each in wanted} <= slugs, name
        done = next(it for status, it in operation["responses"].items() if status < "300")
        assert "Idempotent-Replayed" in done["headers"], name
