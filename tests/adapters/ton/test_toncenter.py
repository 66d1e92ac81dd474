"""The client of toncenter's HTTP API, asked about answers of every kind; no chain is needed."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import traceback
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from aiohttp import web
from pytoniq_core import begin_cell

from adapters.ton.liteservers import NotAccepted
from adapters.ton.toncenter import NamedBlock, Toncenter
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "a-key-of-nobody-0123456789abcdef"
HASH = bytes(range(32))
MESSAGE = begin_cell().store_uint(7, 32).end_cell()
BLOCK: dict[str, Any] = {
    "@type": "ton.blockIdExt",
    "workchain": -1,
    "shard": "-9223372036854775808",
    "seqno": 51148696,
    "root_hash": base64.b64encode(HASH).decode(),
    "file_hash": base64.b64encode(bytes(32)).decode(),
}
INFO: dict[str, Any] = {
    "@type": "blocks.masterchainInfo",
    "last": BLOCK,
    "state_root_hash": base64.b64encode(bytes(32)).decode(),
    "init": BLOCK | {"shard": "0", "seqno": 0},
    "@extra": "1755812855.1928415:3:0.47373957740114636",
}
SENT: dict[str, Any] = {
    "@type": "raw.extMessageInfo",
    "hash": base64.b64encode(MESSAGE.hash).decode(),
    "hash_norm": base64.b64encode(bytes(32)).decode(),
}


def ok(result: object) -> str:
    return json.dumps({"ok": True, "result": result, "@extra": "1755814930.1:0:0.1"})


def refused(error: str, code: int) -> str:
    return json.dumps({"ok": False, "error": error, "code": code, "@extra": "1:0:0.1"})


@attrs.define
class Vendor:
    """Answers everything with one body, and keeps what it was asked."""

    body: str = ""
    status: int = 200
    headers: dict[str, str] = attrs.field(factory=dict)
    silent: bool = False
    asked: list[tuple[str, str, dict[str, str], str]] = attrs.field(factory=list)
    keys: list[str | None] = attrs.field(factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        if self.silent:
            await asyncio.Event().wait()
        body = await request.text()
        self.asked.append((request.method, request.path, dict(request.query), body))
        self.keys.append(request.headers.get("X-API-Key"))
        return web.Response(text=self.body, status=self.status, headers=self.headers)


@asynccontextmanager
async def asking(vendor: Vendor) -> AsyncIterator[Toncenter]:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", vendor.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v2/"
    try:
        async with Toncenter(url, key=KEY, timeout_seconds=0.3) as toncenter:
            yield toncenter
    finally:
        await runner.cleanup()


async def test_the_newest_block_and_one_by_its_number() -> None:
    vendor = Vendor(ok(INFO))
    async with asking(vendor) as toncenter:
        assert await toncenter.newest() == NamedBlock(51148696, HASH)
        vendor.body = ok(BLOCK)
        assert await toncenter.block(51148696) == NamedBlock(51148696, HASH)
    where = {"workchain": "-1", "shard": "-9223372036854775808", "seqno": "51148696"}
    assert vendor.asked == [
        ("GET", "/api/v2/getMasterchainInfo", {}, ""),
        ("GET", "/api/v2/lookupBlock", where, ""),
    ]
    assert vendor.keys == [KEY, KEY]


async def test_a_message_is_handed_over_in_base64() -> None:
    vendor = Vendor(ok(SENT))
    async with asking(vendor) as toncenter:
        await toncenter.send(MESSAGE.to_boc())
    [(verb, path, _, body)] = vendor.asked
    assert (verb, path) == ("POST", "/api/v2/sendBocReturnHash")
    assert base64.b64decode(json.loads(body)["boc"]) == MESSAGE.to_boc()


async def test_a_message_that_is_not_accepted_is_told_from_one_that_is_lost() -> None:
    words = "LITE_SERVER_UNKNOWN: cannot apply external message to current state : not accepted"
    vendor = Vendor(refused(words, 500), status=500)
    async with asking(vendor) as toncenter:
        with pytest.raises(NotAccepted):
            await toncenter.send(MESSAGE.to_boc())
        vendor.body = refused("LITE_SERVER_NETWORK: timeout", 504)
        with pytest.raises(ChainUnavailable) as lost:
            await toncenter.send(MESSAGE.to_boc())
    assert not isinstance(lost.value, NotAccepted)


async def test_another_message_than_ours_is_no_success() -> None:
    vendor = Vendor(ok(SENT | {"hash": base64.b64encode(HASH).decode()}))
    async with asking(vendor) as toncenter:
        with pytest.raises(ChainUnavailable, match="another message"):
            await toncenter.send(MESSAGE.to_boc())


UNUSABLE = [
    (429, json.dumps({"ok": False, "result": "Ratelimit exceed", "code": 429})),
    (401, refused("API key does not exist", 401)),
    (500, refused("LITE_SERVER_NOTREADY: block is not applied", 500)),
    (542, refused("a liteserver error", 542)),
    (502, "<html>Bad Gateway</html>"),
    (302, ""),
    (200, ""),
    (200, "[]"),
    (200, "\xff"),
    (200, json.dumps({"ok": True})),
    (200, ok(None)),
    (200, ok({"last": "51148696"})),
    (200, ok(INFO | BLOCK | {"last": BLOCK | {"seqno": "9"}, "seqno": "9"})),
    (200, ok(INFO | BLOCK | {"last": BLOCK | {"workchain": 0}, "workchain": 0})),
    (200, ok(INFO | BLOCK | {"last": BLOCK | {"shard": "0"}, "shard": "0"})),
    (200, ok(INFO | BLOCK | {"last": BLOCK | {"root_hash": "AAAA"}, "root_hash": "AAAA"})),
    (200, ok(INFO | BLOCK | {"last": BLOCK | {"root_hash": "?"}, "root_hash": "?"})),
    (200, ok(INFO | BLOCK | SENT | {"padding": "x" * 70_000})),
]


@pytest.mark.parametrize(("status", "body"), UNUSABLE)
async def test_an_answer_that_is_not_known_is_none(status: int, body: str) -> None:
    vendor = Vendor(body, status=status, headers={"Location": "/api/v2/elsewhere"})
    async with asking(vendor) as toncenter:
        with pytest.raises(ChainUnavailable):
            await toncenter.newest()
        with pytest.raises(ChainUnavailable):
            await toncenter.block(51148696)
        with pytest.raises(ChainUnavailable):
            await toncenter.send(MESSAGE.to_boc())
    assert len(vendor.asked) == 3


async def test_another_block_than_was_asked_for_is_no_answer() -> None:
    async with asking(Vendor(ok(BLOCK))) as toncenter:
        with pytest.raises(ChainUnavailable, match="asked for block 7"):
            await toncenter.block(7)


@pytest.mark.parametrize("fault", ["silent", "status", "body", "nobody"])
async def test_neither_key_nor_address_is_ever_told(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor = Vendor(
        "" if fault == "body" else refused(KEY, 500),
        status=500 if fault == "status" else 200,
        silent=fault == "silent",
    )
    async with asking(vendor) as toncenter:
        asked = toncenter
        if fault == "nobody":
            asked = Toncenter(f"http://127.0.0.1:1/{KEY}", key=KEY)
        with pytest.raises(ChainUnavailable) as error:
            await asked.newest()
        told = [*traceback.format_exception(error.value), repr(asked), str(asked), caplog.text]
        await asked.aclose()
    assert KEY not in "".join(told)
    assert "127.0.0.1" not in "".join(told)
