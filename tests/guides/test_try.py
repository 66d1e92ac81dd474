"""The script of /docs is run as it is served, in Node (``tox -e guides``).

It is given the API's document; what it would send to an API is sent to one.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import USDT
from tests.entrypoints.http.gateway import opened, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.entrypoints.http.gateway import Gateway

SCRIPT = Path(__file__).parents[2] / "entrypoints" / "http" / "web" / "try.js"
_BEGINNING = """
import { readFileSync } from "node:fs";
import { fits, operationsOf, requestFor, sample, shown } from "./try.mjs";
const { api, asked } = JSON.parse(readFileSync(0));
const operations = operationsOf(api);
const say = (it) => console.log(JSON.stringify(it));
"""
_REQUESTS = """
const told = {};
for (const [name, operation] of operations) {
  const fields = operation.parameters.map((each) => asked[each.name] ?? "");
  const body = operation.body ? JSON.stringify(sample(api, operation.body)) : "";
  told[name] = requestFor(operation, { key: " sy_test_1 ", fields, body });
}
say(told);
"""
_REFUSED = """
const operation = operations.get(asked.operation);
const empty = operation.parameters.map(() => "");
try {
  say(requestFor(operation, { key: "sy_test_1", fields: empty, body: "", ...asked.given }));
} catch (error) {
  say(error.message);
}
"""
_SHOWN = """
const headers = new Headers({ "X-Request-Id": "req_1", "Set-Cookie": "a=b" });
say([
  shown({ status: 200, statusText: "OK", headers }, '{"a":[1]}', 12.4),
  shown({ status: 502, statusText: "", headers }, "<b>bad</b>", 1),
  fits("Refund post", "POST /v1/x/refund"), fits("refund get", "POST /v1/x/refund"), fits("", "x"),
]);
"""

TYPED = {"Content-Type": "application/json"}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with opened() as gateway:
        yield gateway


def run(program: str, place: Path, gateway: Gateway, asked: Mapping[str, object]) -> Any:  # noqa: ANN401 (JSON)
    (place / "try.mjs").write_bytes(SCRIPT.read_bytes())
    (place / "program.mjs").write_text(_BEGINNING + program)
    done = subprocess.run(  # noqa: S603 (our own script)
        ["node", str(place / "program.mjs")],  # noqa: S607 (whichever Node there is)
        input=json.dumps({"api": gateway.document.content, "asked": asked}),
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def needed(gateway: Gateway) -> dict[str, str]:
    """Return a text for each parameter that some operation needs."""
    return {
        parameter["name"]: "a/b?c"
        for operations in gateway.document.content["paths"].values()
        for operation in operations.values()
        for parameter in operation["parameters"]
        if parameter.get("required")
    }


async def test_every_operation_can_be_sent(gateway: Gateway, tmp_path: Path) -> None:
    asked = {**needed(gateway), "Idempotency-Key": "one"}
    requests = run(_REQUESTS, tmp_path, gateway, asked)
    methods = gateway.document.content["paths"].values()
    assert set(requests) == {it["operationId"] for each in methods for it in each.values()}
    for name, request in requests.items():
        assert "{" not in request["url"], name
        assert "sy_test_1" not in request["url"], name
        assert request["sent"]["headers"]["Authorization"] == "Bearer sy_test_1"
    assert requests["paymentintents_show"]["url"] == "/v1/payment_intents/a%2Fb%3Fc"
    keyed = requests["paymentintents_cancel"]["sent"]
    assert (keyed["method"], keyed["headers"]["Idempotency-Key"]) == ("POST", "one")
    assert "body" not in keyed


async def test_what_stands_in_the_form_is_what_the_api_takes(
    gateway: Gateway, tmp_path: Path
) -> None:
    requests = run(_REQUESTS, tmp_path, gateway, needed(gateway))
    ada = gateway.ada.http
    quote = json.loads(requests["paymentintents_create_quote"]["sent"]["body"])
    assert set(quote) == {"price", "asset"}
    told(await ada.post("/v1/quotes", json={**quote, "asset": USDT.id}), 201)
    for name, path in (
        ("paymentintents_create", "/v1/payment_intents"),
        ("webhookendpoints_create", "/v1/webhook_endpoints"),
        ("customeraddresses_create", "/v1/customer_addresses"),
    ):
        sent = requests[name]["sent"]
        assert (sent["method"], requests[name]["url"]) == ("POST", path)
        response = await ada.post(path, content=sent["body"], headers=TYPED)
        assert response.is_success, (name, response.text)


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        ("paymentintents_list", {"key": " "}, "An API key is needed"),
        ("paymentintents_show", {}, "intent is needed"),
        ("paymentintents_show", {"fields": ["..", "", "", ""]}, "intent cannot be .."),
        ("paymentintents_create_quote", {"body": "{"}, "JSON"),
    ],
)
async def test_what_cannot_be_sent_is_not(
    gateway: Gateway, tmp_path: Path, operation: str, given: dict[str, object], words: str
) -> None:
    said = run(_REFUSED, tmp_path, gateway, {"operation": operation, "given": given})
    assert words in said


async def test_lists_are_repeated_and_what_is_empty_is_left_out(
    gateway: Gateway, tmp_path: Path
) -> None:
    path = gateway.document.content["paths"]["/v1/payment_intents"]["get"]
    fields = [
        "quote, escrow" if each.get("name") == "expand" else "" for each in path["parameters"]
    ]
    asked = {"operation": "paymentintents_list", "given": {"fields": fields}}
    request = run(_REFUSED, tmp_path, gateway, asked)
    assert request["url"] == "/v1/payment_intents?expand=quote&expand=escrow"
    assert (await gateway.ada.get(request["url"]))["data"] == []


async def test_answers_are_shown_as_texts(gateway: Gateway, tmp_path: Path) -> None:
    good, bad, *fitting = run(_SHOWN, tmp_path, gateway, {})
    assert good == '200 OK (12 ms)\nx-request-id: req_1\n\n{\n  "a": [\n    1\n  ]\n}'
    assert bad == "502 (1 ms)\nx-request-id: req_1\n\n<b>bad</b>"
    assert fitting == [True, False, True]
