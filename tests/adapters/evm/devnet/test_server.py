from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from adapters.evm.devnet.devnet import Devnet
from adapters.evm.devnet.server import serve
from adapters.evm.devnet.settings import DevnetSettings
from tests.adapters.evm.devnet.conftest import Rpc


def height(url: str) -> int:
    rpc = Rpc(url)
    try:
        return rpc.number("eth_blockNumber")
    finally:
        rpc.close()


class TestServe:
    async def test_answers_until_told_to_stop(self) -> None:
        stop = asyncio.Event()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = DevnetSettings(port=0, block_seconds=0)
        serving = asyncio.create_task(serve(settings, stop=stop, on_ready=ready.set_result))
        url = await asyncio.wait_for(ready, 10)

        assert url.startswith("http://127.0.0.1:")
        assert await asyncio.to_thread(height, url) == 0

        stop.set()
        await asyncio.wait_for(serving, 10)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(url.rsplit(":", 1)[1]))) != 0


class TestDevnet:
    async def test_runs_beside_async_code(self) -> None:
        async with Devnet() as devnet:
            devnet.mine(blocks=2)
            assert await asyncio.to_thread(height, devnet.url) == 2

    def test_says_so_when_its_port_is_taken(self) -> None:
        with Devnet() as first:
            port = int(first.url.rsplit(":", 1)[1])
            with pytest.raises(OSError, match="in use"):
                Devnet(DevnetSettings(port=port)).start()

    def test_has_no_verbs_before_it_starts(self) -> None:
        with pytest.raises(RuntimeError, match="not started"):
            Devnet().mine()

    def test_is_stopped_once(self) -> None:
        devnet = Devnet()
        devnet.start()
        devnet.stop()
        devnet.stop()


class TestSettings:
    @pytest.mark.parametrize(
        "options",
        [{"port": 70_000}, {"chain_id": 0}, {"block_seconds": -1}, {"safe_depth": -1}],
    )
    def test_refuse_what_makes_no_sense(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="must be"):
            DevnetSettings(**options)
