"""From a block to the merchant's server: how long a payment takes to be told.

A chain with a block a second, a hundred open intents, a worker with the demo's own schedules, and
a sink that notes when each ``payment.received`` comes. A block counts from when its node shows it.
The chain is our devnet and, where it is installed, anvil.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
from aiohttp import web
from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.types import RPCEndpoint

from adapters.evm.abi import address_word, selector
from adapters.evm.devnet.accounts import devnet_accounts
from config.bootstrap import api
from config.demo.parts import PAYERS
from config.demo.running import write_settings
from domain.intents.model import DepositAddress, Method
from domain.intents.service import PriceIn
from domain.shared.actors import Actor, ActorKind, acting_as
from domain.shared.ids import MerchantId
from domain.shared.money import AssetId, Money
from tests.benchmarks.load import percentile_ms
from tests.benchmarks.processes import cpu_seconds, running
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import opened, operating, run
from tests.support.anvil.run import node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.benchmarks.world import Bench, World

INTENTS, QUICK_INTENTS = 100, 20
EACH_SECOND: Final = 5
"""Payments that come into one block."""
PRICE: Final = Money(500, AssetId("iso4217:USD"))
UNITS: Final = 5_000_000
GAS: Final = 100_000
LIMIT_SECONDS: Final = 60.0
BLOCK_SECONDS: Final = 1.0
WATCHED: Final = "select count(*) from chain_cursor"


@attrs.define
class Sink:
    """Notes when payments are told, by intent."""

    count: int
    url: str = ""
    told: dict[str, float] = attrs.field(factory=dict)
    complete: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """Take one message."""
        event = json.loads(await request.read())
        if event["type"] == "payment.received":
            self.told.setdefault(event["data"]["id"], time.perf_counter())
        if len(self.told) == self.count:
            self.complete.set()
        return web.Response(status=204)


def measure(bench: Bench) -> Iterator[Figure]:
    """Pay a hundred intents, some in each block, and see when the merchant is told."""
    yield from _on(bench, "devnet", url=None)
    if program := shutil.which("anvil"):
        with node(Path(program), block_seconds=None) as url:
            yield from _on(bench, "anvil", url=url)


def _on(bench: Bench, chain: str, *, url: str | None) -> Iterator[Figure]:
    count = QUICK_INTENTS if bench.quick else INTENTS
    with bench.world(url=url) as world:
        file = write_settings(world.settings(signs=True), world.directory.root / "worker.toml")
        log = world.directory.logs / "worker.log"
        command = ("entrypoints.cli.main", "worker", f"--settings={file}", "--stop-with-parent")
        with running(*command, log=log) as worker:
            spent = cpu_seconds(worker.pid)
            delays = run(_told(world, count))
            spent = cpu_seconds(worker.pid) - spent
    expect("payments told", expected=count, found=len(delays))
    for name, percent in (("p50", 50), ("p99", 99)):
        yield Figure(
            name=f"told/block to webhook on {chain} {name}",
            value=percentile_ms(delays, percent),
            unit="ms",
            reference=BLOCK_SECONDS * 1000,
            against="the time between two blocks",
            cpu_seconds=spent,
        )


async def _told(world: World, count: int) -> list[float]:
    async with _listening(count) as sink, operating(world) as services:
        await services.webhooks.register(owner=MerchantId(world.demo.merchant_id), url=sink.url)
        paid_to = await _intents(world, count)
        shown: dict[int, float] = {}
        mining = asyncio.create_task(_mine(world, shown))
        await _watched(world)
        try:
            blocks = await _pay(world, paid_to)
            with suppress(TimeoutError):
                await asyncio.wait_for(sink.complete.wait(), LIMIT_SECONDS)
        finally:
            mining.cancel()
        return [at - shown[blocks[intent]] for intent, at in sink.told.items()]


async def _watched(world: World) -> None:
    """Wait for the worker to have read the chain for the first time."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await asyncio.to_thread(world.count, WATCHED):  # noqa: ASYNC110 (a process apart)
            await asyncio.sleep(BLOCK_SECONDS)


async def _intents(world: World, count: int) -> dict[str, str]:
    """Create intents; return their addresses."""
    services, owner = api(world.structured()), MerchantId(world.demo.merchant_id)
    key = Actor(kind=ActorKind.KEY, id="key", action="create", merchant_id=owner)
    with acting_as(key):
        async with opened(services.resources):
            merchant = (await services.merchants.authenticate(key=world.demo.api_key)).merchant
            made = [
                await services.intents.create(
                    merchant=merchant,
                    method=Method.ADDRESS,
                    offer=PriceIn(PRICE, AssetId(world.demo.asset)),
                )
                for _ in range(count)
            ]
    return {it.id: it.pay_to.address for it in made if isinstance(it.pay_to, DepositAddress)}


async def _pay(world: World, paid_to: dict[str, str]) -> dict[str, int]:
    """Send a few transfers in each second; return each one's block, by intent."""
    account = Account.from_key(devnet_accounts()[PAYERS[0]].private_key)
    web3 = AsyncWeb3(AsyncHTTPProvider(world.url))
    try:
        nonce = await web3.eth.get_transaction_count(account.address)
        price = await web3.eth.gas_price
        hashes = {}
        for place, (intent, address) in enumerate(paid_to.items()):
            amount = UNITS.to_bytes(32, "big")
            data = selector("transfer(address,uint256)") + address_word(address) + amount
            signed = account.sign_transaction(
                {
                    "to": AsyncWeb3.to_checksum_address(world.demo.token),
                    "data": "0x" + data.hex(),
                    "value": 0,
                    "gas": GAS,
                    "gasPrice": 2 * price,
                    "nonce": nonce + place,
                    "chainId": int(world.demo.chain.partition(":")[2]),
                }
            )
            hashes[intent] = await web3.eth.send_raw_transaction(signed.raw_transaction)
            if place % EACH_SECOND == EACH_SECOND - 1:
                await asyncio.sleep(BLOCK_SECONDS)
        receipts = {
            intent: await web3.eth.wait_for_transaction_receipt(hash)
            for intent, hash in hashes.items()
        }
        return {intent: int(receipt["blockNumber"]) for intent, receipt in receipts.items()}
    finally:
        await web3.provider.disconnect()


async def _mine(world: World, shown: dict[int, float]) -> None:
    """Make a block each second, and note when there is one."""
    web3 = AsyncWeb3(AsyncHTTPProvider(world.url))
    try:
        await web3.provider.make_request(RPCEndpoint("evm_setAutomine"), [False])
        while True:
            await web3.provider.make_request(RPCEndpoint("evm_mine"), [])
            at = time.perf_counter()
            shown[int(await web3.eth.block_number)] = at
            await asyncio.sleep(BLOCK_SECONDS)
    finally:
        await web3.provider.disconnect()


@asynccontextmanager
async def _listening(count: int) -> AsyncIterator[Sink]:
    sink = Sink(count)
    app = web.Application()
    app.router.add_post("/webhooks", sink.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sink.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
    try:
        yield sink
    finally:
        await runner.cleanup()
