from __future__ import annotations

from typing import TYPE_CHECKING

from config import bootstrap
from entrypoints.http.app import create_app
from tests.builders import USDT
from tests.entrypoints.http.document import Document
from tests.entrypoints.http.gateway import SETTINGS, client_of, price, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway


async def test_a_healthy_gateway_says_so_to_everybody(gateway: Gateway) -> None:
    async with client_of(gateway.app, gateway.document, headers={}) as stranger:
        for path in ("/healthz", "/readyz"):
            assert told(await stranger.get(path), 200) == {"status": "ok"}
            assert (await stranger.head(path)).status_code == 200


async def test_without_its_storage_a_gateway_lives_and_is_not_ready(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    await gateway.api_storage.close()
    http = gateway.ada.http
    assert told(await http.get("/healthz"), 200) == {"status": "ok"}
    assert told(await http.get("/readyz"), 503) == {"status": "unavailable"}
    body = {"method": "escrow", "price": price(2500), "asset": USDT.id}
    for response in (
        await http.get(f"/v1/payment_intents/{intent['id']}"),
        await http.get("/v1/events"),
        await http.post("/v1/payment_intents", json=body),
    ):
        assert refusal(response) == (503, "storage-unavailable")


async def test_the_settings_alone_make_an_api() -> None:
    app = create_app(bootstrap.api(SETTINGS))
    async with (
        app.router.lifespan_context(app),
        client_of(app, Document.of(app), headers={}) as stranger,
    ):
        assert told(await stranger.get("/readyz"), 200) == {"status": "ok"}
        assert refusal(await stranger.get("/v1/balances")) == (401, "unauthenticated")
    async with client_of(app, Document.of(app), headers={}) as stranger:
        assert told(await stranger.get("/readyz"), 503) == {"status": "unavailable"}
