from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.merchants import api_keys
from domain.merchants.model import ApiKey
from domain.shared.ids import KeyId
from tests.builders import NOON, USDT
from tests.entrypoints.http.gateway import client_of, price, refusal

if TYPE_CHECKING:
    from httpx2 import Response

    from tests.entrypoints.http.gateway import Gateway

UNAUTHENTICATED = (401, "unauthenticated")
INTENT = {"method": "escrow", "price": price(2500), "asset": USDT.id}


async def ask(gateway: Gateway, *, key: str | None) -> Response:
    headers = {} if key is None else {b"Authorization": f"Bearer {key}".encode()}
    async with client_of(gateway.app, gateway.document, headers=headers) as stranger:
        return await stranger.post("/v1/payment_intents", json=INTENT)


def wrong_keys(key: str) -> dict[str | None, str]:
    swapped = key[:20] + key[21] + key[20] + key[22:]
    return {
        None: "none",
        "": "empty",
        "x": "short",
        key[:-1]: "cut",
        key + "0": "longer",
        swapped: "mistyped",
        key.replace("sy_test_", "sy_live_"): "of another kind",
        key.swapcase(): "in the other case",
        "é" * len(key): "not ASCII",
        api_keys.write(bytes(32)): "well formed, and nobody's",
        f"{key} {key}": "twice",
    }


async def test_nobody_is_let_in_by_a_wrong_key(gateway: Gateway) -> None:
    before = await gateway.everything()
    for key, kind in wrong_keys(gateway.ada.key).items():
        response = await ask(gateway, key=key)
        assert refusal(response) == UNAUTHENTICATED, kind
        assert response.headers["www-authenticate"] == "Bearer"
    assert await gateway.everything() == before


async def test_a_revoked_key_opens_nothing(gateway: Gateway) -> None:
    revoked, good = api_keys.write(b"r" * 32), api_keys.write(b"g" * 32)
    async with gateway.storage.begin() as work:
        for name, key, revoked_at in (("r", revoked, NOON), ("g", good, None)):
            await work.merchants.add_key(
                ApiKey(
                    id=KeyId(f"key_{name}"),
                    merchant_id=gateway.ada.merchant.id,
                    digest=api_keys.digest(key),
                    created_at=NOON,
                    revoked_at=revoked_at,
                )
            )
        await work.commit()
    assert refusal(await ask(gateway, key=revoked)) == UNAUTHENTICATED
    assert (await ask(gateway, key=good)).status_code == 201


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "BearerX"])
async def test_another_scheme_is_refused(memory_gateway: Gateway, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {memory_gateway.ada.key}"}
    async with client_of(memory_gateway.app, memory_gateway.document, headers=headers) as client:
        assert refusal(await client.get("/v1/balances")) == UNAUTHENTICATED


async def test_the_scheme_is_read_in_any_case(memory_gateway: Gateway) -> None:
    headers = {"Authorization": f"bEARER  {memory_gateway.ada.key}"}
    async with client_of(memory_gateway.app, memory_gateway.document, headers=headers) as client:
        assert (await client.get("/v1/balances")).status_code == 200


async def test_a_key_is_never_told_again(memory_gateway: Gateway) -> None:
    response = await ask(memory_gateway, key=memory_gateway.ada.key[:-1])
    assert memory_gateway.ada.key[8:30] not in response.text
