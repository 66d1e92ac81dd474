"""A shop over a demo: orders that are made, paid and shipped once, however often it is killed."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
from eth_abi.abi import encode
from eth_typing import HexStr
from web3 import AsyncWeb3

from adapters.evm.abi import selector
from config.bootstrap import operator
from config.demo.parts import merchant_wallet, payer
from config.demo.record import Directory
from config.settings import load
from domain.shared.money import ChainId
from entrypoints.cli.story.cast import DUE, FEE, NET, PRICE
from entrypoints.cli.story.merchant import calling
from ports.chain import InstructionRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from config.bootstrap import OperatorServices
    from config.demo.record import Demo
    from entrypoints.cli.story.merchant import Merchant
    from tests.end_to_end.running_demo import RunningDemo

PATIENCE_SECONDS: Final = 40


@attrs.define
class Shop:
    """What the merchant and the buyers remember by themselves, outside the gateway."""

    directory: Path
    methods: list[str] = attrs.field(factory=list)
    """How each order is paid: ``address`` or ``escrow``."""
    seen: dict[int, str] = attrs.field(factory=dict)
    """The intent of each order that the shop was told of."""

    def order(self, *methods: str) -> None:
        """Sell something more; nothing is asked of the gateway yet."""
        self.methods += methods

    async def go_on(self, demo: RunningDemo) -> None:
        """Bring every order to where it is paid, and one by escrow to where it is paid out.

        Whatever was done before is not done again; the calls may fail at any moment.
        """
        made = self._made()
        async with calling(demo.api_url, made.api_key) as merchant:
            for number, method in enumerate(self.methods):
                await self._go_on_with(number, method, merchant, made)

    async def reckon(self, demo: RunningDemo) -> None:
        """Wait until everything is paid and paid out, and hold books and chain to it."""
        made, count = self._made(), len(self.methods)
        async with AsyncExitStack() as stack:
            merchant = await stack.enter_async_context(calling(demo.api_url, made.api_key))
            services = operator(load(self.directory / "worker.toml"))
            for resource in services.resources:
                await stack.enter_async_context(resource)
            for intent in self.seen.values():
                await _until(partial(_succeeded, merchant, intent))
            # What lies at deposit addresses is not paid out before it has been swept.
            kept = self.methods.count("address") * NET
            await _until(partial(_balance_is, merchant, kept))
            wallet = await stack.enter_async_context(merchant_wallet(made))
            assert await wallet.balance(token=made.token) == count * NET - kept
            await merchant.pull()
            succeeded = [
                event["data"]["id"]
                for event in merchant.events
                if event["type"] == "payment_intent.succeeded"
            ]
            assert sorted(succeeded) == sorted(self.seen.values())
            assert await services.books.check() == []
            assert await _booked(services, "fees:platform", made.asset) == count * FEE
            await _until(lambda: _books_equal_chain(services, made))

    async def _go_on_with(self, number: int, method: str, merchant: Merchant, made: Demo) -> None:
        intent = await merchant.call(
            "POST",
            "/v1/payment_intents",
            body={"method": method, "asset": made.asset, "price": PRICE},
            key=f"order-{number}",
            status=201,
        )
        assert self.seen.setdefault(number, intent["id"]) == intent["id"]
        path = f"/v1/payment_intents/{intent['id']}"
        async with payer(made, number % 3) as wallet:
            if method == "address":
                address = intent["pay_to"]["address"]
                if not await _tokens(wallet.web3, made.token, address):
                    await wallet.transfer(token=made.token, target=address, amount=DUE)
                return
            with suppress(InstructionRefused):  # The contract takes a payment once.
                for call in (await merchant.call("GET", f"{path}/wallet_calls"))["data"]:
                    await wallet.call(target=call["target"], data=call["data"])
        await merchant.event(
            "escrow.held", when=lambda escrow: escrow["payment_intent"] == intent["id"]
        )
        await merchant.call("POST", f"{path}/escrow/release", key=f"release-{number}", status=202)
        await merchant.event("payment_intent.succeeded", when=lambda it: it["id"] == intent["id"])
        await self._settle()

    async def _settle(self) -> None:
        services = operator(load(self.directory / "worker.toml"))
        async with services.resources[0]:
            await services.settlements.run()

    def _made(self) -> Demo:
        made = Directory(self.directory).load()
        assert made is not None
        return made


async def _until(holds: Callable[[], Awaitable[object]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (wrong := await holds()) is not None:
        assert time.monotonic() < deadline, wrong
        await asyncio.sleep(0.1)


async def _succeeded(merchant: Merchant, id: str) -> object:
    intent = await merchant.call("GET", f"/v1/payment_intents/{id}")
    got = (intent["status"], intent["amount_final"]["amount"], intent["exception"])
    return None if got == ("succeeded", str(DUE), "none") else intent


async def _balance_is(merchant: Merchant, available: int) -> object:
    rows: list[dict[str, Any]] = (await merchant.call("GET", "/v1/balances"))["data"]
    left = [money["amount"] for row in rows for money in row.values() if money["amount"] != "0"]
    return None if left == [str(available)] else rows


async def _books_equal_chain(services: OperatorServices, made: Demo) -> object:
    compared = await services.books.compare(chain=ChainId(made.chain))
    return [spot for spot in compared if not spot.agree] or None


async def _booked(services: OperatorServices, account: str, asset: str) -> int:
    async with services.books.begin() as work:
        balances = await work.ledger.balances(prefix=account)
    return sum(row.money.amount for row in balances if row.money.asset == asset)


async def _tokens(web3: AsyncWeb3[Any], token: str, holder: str) -> int:
    data = selector("balanceOf(address)") + encode(["address"], [holder])
    call = {"to": AsyncWeb3.to_checksum_address(token), "data": HexStr("0x" + data.hex())}
    return int.from_bytes(await web3.eth.call(call))  # type: ignore[arg-type]  # TypedDict.
