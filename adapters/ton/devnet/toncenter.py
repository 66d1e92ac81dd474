"""toncenter's HTTP API, version 2, on the devnet's chain; as far as the gateway asks it.

Answers have the shapes of docs.ton.org's examples and of toncenter's own schema
(``ton-http-api/schemas/v2.yaml`` in toncenter/ton-http-api-cpp), refusals too.
"""

from __future__ import annotations

import asyncio
import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

import attrs
from aiohttp import web
from pytoniq_core import Cell

from adapters.ton.devnet.blocks import MASTERCHAIN
from adapters.ton.devnet.emulator import NotExecuted
from adapters.ton.devnet.view import View

if TYPE_CHECKING:
    from pytoniq_core import BlockIdExt

    from adapters.ton.devnet.chain import Chain

HOST = "127.0.0.1"
EXTRA = {"@extra": "1755812855.1928415:3:0.47373957740114636"}
"""When and by whom it was answered; of no use to anybody else."""


@attrs.define(kw_only=True)
class ToncenterFaults:
    """What is wrong with it at the moment; nothing at first.

    Attributes:
        silent: It takes requests and answers none.
        status: It answers everything with this HTTP status, as 429 for too many requests.
        body: It answers everything with this text.
        blocks_behind: So many of the newest masterchain blocks it has not seen yet.
        another_chain: The hashes that it tells are of another chain's blocks.
        messages_refused: It says that accounts do not accept what they are sent.
    """

    silent: bool = False
    status: int | None = None
    body: str | None = None
    blocks_behind: int = 0
    another_chain: bool = False
    messages_refused: bool = False


class DevnetToncenter:
    """A toncenter on loopback while it is entered.

    Args:
        chain: The devnet's chain.
        key: What it wants to see as ``X-API-Key``; anybody may ask if None.

    Attributes:
        faults: What is wrong with it; set them as you like.
        asked: The methods that it was asked, in order.
    """

    def __init__(self, chain: Chain, *, key: str | None = None) -> None:
        self.faults: Final = ToncenterFaults()
        self.asked: Final[list[str]] = []
        self._chain: Final = chain
        self._key: Final = key
        self._view: Final = View(chain, blocks_behind=lambda: self.faults.blocks_behind)
        self._methods: Final = {
            "getMasterchainInfo": self._masterchain_info,
            "lookupBlock": self._block,
            "sendBocReturnHash": self._sent,
        }
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/v2/{method}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Where version 2 is.

        Raises:
            RuntimeError: It is not started.
        """
        if self._runner is None:
            raise RuntimeError("the toncenter is not started")
        return f"http://{HOST}:{self._runner.addresses[0][1]}/api/v2"

    async def _serve(self, request: web.Request) -> web.Response:
        name, faults = request.match_info["method"], self.faults
        self.asked.append(name)
        if faults.silent:
            await asyncio.Event().wait()
        if faults.body is not None:
            return web.Response(text=faults.body, status=faults.status or HTTPStatus.OK)
        if faults.status == HTTPStatus.TOO_MANY_REQUESTS:
            # As docs.ton.org, rate limits, has it: the words are where a result would be.
            told = {"ok": False, "result": "Ratelimit exceed", "code": 429}
            return web.json_response(told, status=faults.status)
        if faults.status is not None:
            return _refused(faults.status, "LITE_SERVER_NETWORK: internal error")
        if self._key is not None and request.headers.get("X-API-Key") != self._key:
            return _refused(HTTPStatus.UNAUTHORIZED, "API key does not exist")
        method = self._methods.get(name)
        if method is None:
            return _refused(HTTPStatus.NOT_FOUND, "no such method")
        return await method(request)

    async def _masterchain_info(self, _: web.Request) -> web.Response:
        first = self._chain.masterchain.oldest or self._view.head
        return _answered(
            {
                "@type": "blocks.masterchainInfo",
                "last": self._named(self._view.head.id),
                "state_root_hash": _base64(bytes(32)),
                "init": self._named(first.id) | {"shard": "0"},
            }
        )

    async def _block(self, request: web.Request) -> web.Response:
        try:
            workchain, shard, seqno = (
                int(request.query[each]) for each in ("workchain", "shard", "seqno")
            )
        except (KeyError, ValueError):
            return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, "failed to parse seqno")
        found = self._chain.masterchain.at(seqno) if workchain == MASTERCHAIN else None
        if found is None or shard != found.id.shard or not self._view.seen(found):
            words = "LITE_SERVER_NOTREADY: block is not applied"
            return _refused(HTTPStatus.INTERNAL_SERVER_ERROR, words)
        return _answered(self._named(found.id))

    async def _sent(self, request: web.Request) -> web.Response:
        message = Cell.one_from_boc(base64.b64decode((await request.json())["boc"]))
        if self.faults.messages_refused:
            return _not_accepted("External message was not accepted")
        try:
            self._chain.try_out(message)
        except NotExecuted as refused:
            return _not_accepted(refused.reason)
        self._chain.send(message)
        hash = _base64(message.hash)
        return _answered({"@type": "raw.extMessageInfo", "hash": hash, "hash_norm": hash})

    def _named(self, block: BlockIdExt) -> dict[str, Any]:
        other = 0xFF if self.faults.another_chain else 0
        return {
            "@type": "ton.blockIdExt",
            "workchain": block.workchain,
            "shard": str(block.shard),
            "seqno": block.seqno,
            "root_hash": _base64(bytes(each ^ other for each in block.root_hash)),
            "file_hash": _base64(bytes(each ^ other for each in block.file_hash)),
        }


def _answered(result: dict[str, Any]) -> web.Response:
    return web.json_response({"ok": True, "result": result | EXTRA} | EXTRA)


def _refused(status: int, error: str) -> web.Response:
    return web.json_response(
        {"ok": False, "error": error, "code": int(status)} | EXTRA, status=status
    )


def _not_accepted(reason: str) -> web.Response:
    words = f"LITE_SERVER_UNKNOWN: cannot apply external message to current state : {reason}"
    return _refused(HTTPStatus.INTERNAL_SERVER_ERROR, words)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
