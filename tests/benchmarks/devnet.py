"""Reading the devnet: a scan of blocks, and a watcher that catches up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs

from config.bootstrap import container
from config.demo.parts import payer
from config.lifetimes import node_open, storage_open
from domain.shared.money import ChainId
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import opened, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ports.chain import ChainReader
    from tests.benchmarks.world import Bench, World

BLOCKS = 500
TRANSFERS = 10
"""Among the blocks of each scan."""
ROUNDS, QUICK_ROUNDS = 4, 1
BATCH = 100
"""Calls in one JSON-RPC body, as the adapter sends them."""
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""keccak256 of ``Transfer(address,address,uint256)``, ERC-20's event."""


@attrs.frozen
class Reading:
    """How fast blocks were read, by each way."""

    bare: float
    scan: float
    watch: float
    mined: float


def measure(bench: Bench) -> Iterator[Figure]:
    """Mine blocks with payments among them, and read them."""
    with bench.world() as world:
        reading = run(_read(world, rounds=QUICK_ROUNDS if bench.quick else ROUNDS))
    yield Figure(name="devnet/mine", value=reading.mined, unit="blocks/s")
    yield Figure(
        name=f"devnet/scan {BLOCKS} blocks",
        value=reading.scan,
        unit="blocks/s",
        reference=reading.bare,
        against="headers and logs by bare JSON-RPC, nothing checked",
    )
    yield Figure(
        name="devnet/watcher catches up",
        value=reading.watch,
        unit="blocks/s",
        reference=reading.scan,
        against="the scan alone",
    )


async def _read(world: World, *, rounds: int) -> Reading:
    services = container(world.structured())
    chain = ChainId(world.demo.chain)
    node = services.adapters.nodes()[chain]
    reader: ChainReader = services.adapters.readers()[chain]
    watcher = services.watcher()
    async with opened([storage_open(services.adapters.storage()), node_open(node)]):
        while (await watcher.watch(chain=chain)).behind:
            pass
        began = time.perf_counter()
        for _ in range(rounds):
            await _mine(world)
        mined = time.perf_counter() - began
        last = (await reader.head()).latest
        first = last - BLOCKS + 1
        bare = scan = 0.0
        for _ in range(rounds):
            bare += await _bare(world, first=first, last=last)
            began = time.perf_counter()
            found = await reader.scan(first=first, last=last)
            scan += time.perf_counter() - began
            expect("blocks of a scan", expected=BLOCKS, found=len(found.blocks))
            expect("transfers in a scan", expected=TRANSFERS, found=len(found.observations))
        began = time.perf_counter()
        while (progress := await watcher.watch(chain=chain)).behind:
            pass
        watched = time.perf_counter() - began
        expect("last block seen", expected=last, found=progress.seen)
    blocks = rounds * BLOCKS
    return Reading(
        bare=blocks / bare, scan=blocks / scan, watch=blocks / watched, mined=blocks / mined
    )


async def _mine(world: World) -> None:
    """Mine blocks, each transfer in one of its own."""
    async with payer(world.demo, 0) as wallet:
        for number in range(TRANSFERS):
            await wallet.transfer(
                token=world.demo.token, target=f"0x{number + 1:040x}", amount=1_000
            )
    world.devnet.mine(blocks=BLOCKS - TRANSFERS)


async def _bare(world: World, *, first: int, last: int) -> float:
    """Return how long a node takes to hand the blocks out."""
    calls = [
        _call("eth_getBlockByNumber", hex(number), False)  # noqa: FBT003 (JSON-RPC)
        for number in range(first, last + 1)
    ]
    logs = {"fromBlock": hex(first), "toBlock": hex(last), "topics": [TRANSFER_TOPIC]}
    batches: list[object] = [calls[place : place + BATCH] for place in range(0, len(calls), BATCH)]
    batches.append(_call("eth_getLogs", logs))
    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        for batch in batches:
            async with session.post(world.demo.rpc_url, json=batch) as response:
                await response.read()
        return time.perf_counter() - began


def _call(method: str, *params: Any) -> dict[str, object]:  # noqa: ANN401 (any JSON)
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
