"""Who takes part in the story, and what all of its chapters ask and do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs

from config.bootstrap import OperatorServices
from entrypoints.cli.demo import World
from entrypoints.cli.story.merchant import Merchant, Sink
from entrypoints.cli.story.timeline import StoryFailed, Timeline

if TYPE_CHECKING:
    from collections.abc import Callable

PRICE = {"asset": "iso4217:USD", "amount": "2500"}
DUE, FEE = 25_000_000, 625_000
"""25.00 USD in test USDT, and 2.5 % of it; smallest units."""
NET = DUE - FEE
SWEEP_SECONDS = 60


@attrs.frozen(kw_only=True)
class Story:
    """Everybody who plays a part."""

    world: World
    timeline: Timeline
    merchant: Merchant
    sink: Sink
    services: OperatorServices

    async def balance(self, asset: str | None = None) -> dict[str, int]:
        """Return the merchant's balances of an asset, in smallest units; of test USDT if None."""
        page = await self.merchant.call("GET", "/v1/balances")
        for row in page["data"]:
            if row["available"]["asset"] == (asset or self.world.demo.asset):
                return {name: int(money["amount"]) for name, money in row.items()}
        return {"pending": 0, "available": 0, "reserved": 0}

    async def booked(self, account: str, asset: str | None = None) -> int:
        """Return what the books say an account holds of an asset; of test USDT if None."""
        async with self.services.books.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                of = balance.money.asset == (asset or self.world.demo.asset)
                if of and balance.account == account:
                    return balance.money.amount
        return 0

    async def swept(self, account: str, asset: str | None = None) -> None:
        """Wait until nothing is left at deposit addresses, by the books.

        Raises:
            StoryFailed: something stays there.
        """
        for _ in range(SWEEP_SECONDS * 10):
            if await self.booked(account, asset) == 0:
                return
            await asyncio.sleep(0.1)
        raise StoryFailed("deposit addresses", 0, await self.booked(account, asset))

    async def create(
        self, method: str, *, asset: str | None = None, **more: object
    ) -> dict[str, Any]:
        """Create an intent of 25.00 USD, in test USDT if no asset is named."""
        body = {
            "method": method,
            "asset": asset or self.world.demo.asset,
            "price": PRICE,
            **more,
        }
        return await self.merchant.call("POST", "/v1/payment_intents", body=body, status=201)

    async def settled(self) -> None:
        """Have the operator settle, and follow the payout of what one intent has earned.

        Raises:
            StoryFailed: it does not come to its end.
        """
        timeline, merchant = self.timeline, self.merchant
        made = await self.services.settlements.run()
        timeline.check("one settlement", expected=1, got=len(made))
        [settlement] = made
        timeline.check("settled", expected=NET, got=settlement.money.amount)
        timeline.step("settled", settlement=settlement.id, state=settlement.state.value)
        for state in ("signed", "broadcast", "confirmed"):
            payout = await merchant.event(
                f"payout.{state}", when=lambda data: data["id"] == settlement.payout_id
            )
            if state == "signed":
                timeline.step("payout signed and stored", transaction=payout["transaction"])
            else:
                timeline.step(f"payout {state}")
        await merchant.event("settlement.paid_out", when=lambda data: data["id"] == settlement.id)
        balances = await self.balance(settlement.money.asset)
        timeline.check(
            "paid out", expected=(0, 0), got=(balances["available"], balances["reserved"])
        )


def of_intent(intent: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    """Return what tells whether an event's object is an intent."""
    return lambda data: data["id"] == intent["id"]
