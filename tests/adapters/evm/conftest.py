from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from contextlib import AsyncExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import pytest

from adapters.evm.devnet.devnet import Devnet
from adapters.evm.node import EvmNode
from tests.adapters.evm.local_chain import CHAIN_ID, LocalChain
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_ANVIL = shutil.which("anvil")
_ANVIL_START_SECONDS = 20


@pytest.fixture(scope="module", params=["devnet", *(["anvil"] if _ANVIL else [])])
def node_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each test runs on the devnet and, where it is installed, on anvil."""
    if request.param == "devnet":
        with Devnet() as devnet:
            yield devnet.url
    else:
        with _anvil() as url:
            yield url


@pytest.fixture
async def chain(node_url: str) -> AsyncIterator[LocalChain]:
    async with AsyncExitStack() as closing:
        yield await LocalChain.prepare(node_url, closing)


@pytest.fixture
async def node(chain: LocalChain) -> AsyncIterator[EvmNode]:
    async with EvmNode(chain.settings()) as node:
        yield node


@pytest.fixture
async def relay(chain: LocalChain) -> AsyncIterator[Relay]:
    """Pass everything on to the chain's node until told otherwise."""
    async with Relay(chain.url) as relay:
        yield relay


@pytest.fixture
async def relayed(chain: LocalChain, relay: Relay) -> AsyncIterator[EvmNode]:
    """The chain's node as it is seen through the relay."""
    async with EvmNode(chain.settings(rpc_url=relay.url)) as node:
        await node.open()
        yield node


@contextmanager
def _anvil() -> Iterator[str]:
    assert _ANVIL is not None
    command = [_ANVIL, "--port", "0", "--chain-id", str(CHAIN_ID), "--slots-in-an-epoch", "1"]
    # A file, not a pipe: anvil logs every call, and stops when nobody reads.
    with (
        TemporaryFile() as printed,
        subprocess.Popen(command, stdout=printed) as process,  # noqa: S603 - found on PATH
    ):
        try:
            yield f"http://127.0.0.1:{_port(process, printed)}"
        finally:
            process.terminate()
            process.wait(10)


def _port(process: subprocess.Popen[bytes], printed: IO[bytes]) -> int:
    deadline = time.monotonic() + _ANVIL_START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(
            rb"Listening on 127\.0\.0\.1:(\d+)", os.pread(printed.fileno(), 1 << 20, 0)
        )
        if found:
            return int(found[1])
        time.sleep(0.02)
    raise TimeoutError("anvil did not start")
