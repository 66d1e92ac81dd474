"""Reading a busy token's transfers, beside web3.py: which of them are to addresses of ours?"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from web3 import AsyncHTTPProvider, AsyncWeb3

from adapters.evm.facts import TRANSFER
from adapters.evm.names import chain_name, token_asset
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.settings import EvmChain
from domain.chains.model import Transfer
from domain.shared.money import Asset
from tests.benchmarks.canned_node import CHAIN_ID, ESCROW, TOKEN, Order, watched
from tests.benchmarks.processes import free_port, serving
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator

    from tests.benchmarks.world import Bench

WATCHED = 100_000
LOGS = 1_000
"""In each block, as in those of a chain with a popular token."""
BLOCKS, QUICK_BLOCKS = 100, 20
RANGE = 10
"""Blocks in each question for logs: some six megabytes of answer."""


@attrs.frozen
class Reading:
    """What it took to read all blocks once."""

    seconds: float
    cpu_seconds: float
    found: frozenset[str]


def measure(bench: Bench) -> Iterator[Figure]:
    """Read the same blocks with the gateway's reader and with web3.py."""
    blocks = QUICK_BLOCKS if bench.quick else BLOCKS
    order = Order(port=free_port(), blocks=blocks, logs=LOGS, watched=WATCHED)
    ours = frozenset(watched(place) for place in range(WATCHED))
    expected = frozenset(watched(block * 31 % WATCHED) for block in range(1, blocks + 1))
    url = f"http://127.0.0.1:{order.port}"
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as directory:
        log = Path(directory, "canned_node.log")
        command = ("tests.benchmarks.canned_node", json.dumps(attrs.asdict(order)))
        with serving(*command, port=order.port, log=log):
            reader = run(_timed(lambda: _with_reader(url, blocks, ours)))
            web3 = run(_timed(lambda: _with_web3(url, blocks, ours)))
    logs = blocks * LOGS
    for name, reading in (("the reader", reader), ("web3.py", web3)):
        expect(f"recipients that {name} found", expected=expected, found=reading.found)
    yield Figure(
        name=f"scanner/transfers, {WATCHED} watched",
        value=logs / reader.seconds,
        unit="logs/s",
        reference=logs / web3.seconds,
        against="web3.py's eth.get_logs",
        cpu_seconds=reader.cpu_seconds,
    )
    yield Figure(
        name="scanner/CPU of a transfer",
        value=reader.cpu_seconds / logs * 1e6,
        unit="µs",
        reference=web3.cpu_seconds / logs * 1e6,
        against="web3.py's eth.get_logs",
    )


async def _timed(read: Callable[[], Awaitable[Collection[str]]]) -> Reading:
    began, cpu = time.perf_counter(), time.process_time()
    found = await read()
    return Reading(time.perf_counter() - began, time.process_time() - cpu, frozenset(found))


async def _with_reader(url: str, blocks: int, ours: frozenset[str]) -> Collection[str]:
    async def among(addresses: Collection[str]) -> Collection[str]:
        return ours.intersection(addresses)

    token = Asset(token_asset(chain_name(CHAIN_ID), TOKEN), "USDT", 6)
    chain = EvmChain(
        chain_id=CHAIN_ID, rpc_url=url, tokens=(token,), escrow=ESCROW, scan_blocks=RANGE
    )
    found: list[str] = []
    async with EvmNode(chain) as node:
        reader, first = EvmChainReader(node), 1
        while first <= blocks:
            scan = await reader.scan(first=first, last=blocks, ours=among)
            first += len(scan.blocks)
            facts = [each.fact for each in scan.observations]
            found += [fact.target for fact in facts if isinstance(fact, Transfer)]
    return found


async def _with_web3(url: str, blocks: int, ours: frozenset[str]) -> Collection[str]:
    client = AsyncWeb3(AsyncHTTPProvider(url))
    token = client.to_checksum_address(TOKEN)
    found: list[str] = []
    try:
        for first in range(1, blocks + 1, RANGE):
            last = min(first + RANGE - 1, blocks)
            logs = await client.eth.get_logs(
                {"fromBlock": first, "toBlock": last, "address": token, "topics": [TRANSFER]}
            )
            paid = ("0x" + log["topics"][2].hex()[-40:] for log in logs)
            found += [address for address in paid if address in ours]
    finally:
        await client.provider.disconnect()
    return found
