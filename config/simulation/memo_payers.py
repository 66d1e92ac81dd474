"""Payers on the second chain: who pays to one wallet, and what each writes beside it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from config.simulation.rails import TON, TON_HOT, TON_STRANGER
from config.simulation.turns import Park
from domain.intents.model import SharedAddress
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.simulation.rails import Rail
    from config.simulation.scenario import Act
    from config.simulation.trace import Trace
    from config.simulation.world import World
    from domain.intents.model import PaymentIntent
    from domain.shared.money import AssetId


def wallet(name: str) -> str:
    """Return the address of somebody on the second chain."""
    return "0:" + hashlib.sha256(name.encode()).hexdigest()


def ton_till(merchant: int) -> str:
    """Return where a merchant is paid out on the second chain."""
    return wallet(f"till {merchant}")


class MemoPayers:
    """Everybody who sends something on the second chain, and what befalls the wallet there."""

    def __init__(
        self, world: World, trace: Trace, *, intent: Callable[[Act], PaymentIntent | None]
    ) -> None:
        self._world = world
        self._trace = trace
        self._intent = intent

    async def pay_by_memo(self, act: Act) -> None:
        """Pay for an intent, with its memo or with a mistake."""
        intent = self._intent(act)
        if intent is None or not isinstance(intent.pay_to, SharedAddress):
            return
        amount = max(intent.due.amount * int(act.detail["percent"]) // 100, 1)
        money = Money(amount, self._asset(act))
        text = self._written(intent.pay_to.memo, str(act.detail["memo"]))
        payer = wallet(f"payer {act.detail['payer']} of #{act.of}")
        self._rail.chain.fund(payer, money)
        self._rail.chain.transfer(money, source=payer, target=TON_HOT, memo=text)
        self._trace.counts["payments"] += 1

    async def dust_by_memo(self, act: Act) -> None:
        """Pay without a word that means anything here."""
        money = Money(int(act.detail["amount"]), self._asset(act))
        words = (None, "", "thanks", "000000000000", "\N{PILE OF POO}")
        memo = words[money.amount % len(words)]
        self._rail.chain.fund(TON_STRANGER, money)
        self._rail.chain.transfer(money, source=TON_STRANGER, target=TON_HOT, memo=memo)

    async def rent(self, act: Act) -> None:
        """Have the network take what lying there costs."""
        self._rail.chain.take_rent(int(act.detail["cost"]))

    async def bounce(self, act: Act) -> None:
        """Have what a merchant is paid come back for some hours."""
        rejecting = self._rail.chain.state.rejecting
        target = ton_till(int(act.detail["merchant"]))
        rejecting.add(target)
        await Park(until=self._world.clock.now() + timedelta(hours=int(act.detail["hours"])))
        rejecting.discard(target)

    @property
    def _rail(self) -> Rail:
        return self._world.rails[TON]

    def _asset(self, act: Act) -> AssetId:
        rail = self._rail
        named = {"token": rail.token, "other": rail.other, "coin": rail.places.native}
        return named[str(act.detail["asset"])]

    def _written(self, memo: str, how: str) -> str | None:
        """Return what a payer writes, and keep what was meant by it where that can be told."""
        right = {
            "plain": memo,
            "lower": memo.lower(),
            "groups": f" {memo[:4]} {memo[4:8]}-{memo[8:]}",
            "look-alikes": memo.replace("0", "O").replace("1", "l"),
        }
        if how in right:
            self._world.memos[right[how].strip()] = memo
            return right[how]
        typo = ("Z" if memo[0] != "Z" else "Y") + memo[1:]
        return {"missing": None, "typo": typo, "prose": f"for {memo}"}[how]
