"""Payers, strangers and the arbiter: all who act on the chain, and not through the gateway."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from config.simulation.configured import CONTRACT, HOT, OTHER_TOKEN, STRANGER, TOKEN, TREASURY
from config.simulation.turns import Park
from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents.model import DepositAddress
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.simulation.scenario import Act
    from config.simulation.trace import Trace
    from config.simulation.world import World
    from domain.intents.model import PaymentIntent
    from domain.merchants.model import Merchant
    from domain.shared.ids import IntentId


def address(name: str) -> str:
    """Return the address of somebody."""
    return "0x" + hashlib.sha256(name.encode()).hexdigest()[:40]


def till(merchant: int) -> str:
    """Return where a merchant is paid out."""
    return address(f"till {merchant}")


class Payers:
    """Everybody who sends transactions of their own."""

    def __init__(
        self,
        world: World,
        trace: Trace,
        *,
        merchants: Sequence[Merchant],
        intents: Mapping[int, IntentId],
    ) -> None:
        self._world = world
        self._trace = trace
        self._merchants = merchants
        self._intents = intents

    async def pay(self, act: Act) -> None:
        """Pay to the address of an intent."""
        intent = self.intent(act)
        if intent is None or not isinstance(intent.pay_to, DepositAddress):
            return
        asset = OTHER_TOKEN if act.detail["asset"] == "other" else TOKEN
        amount = max(intent.due.amount * int(act.detail["percent"]) // 100, 1)
        payer = self._funded(act, Money(amount, asset))
        self._world.chain.transfer(
            Money(amount, asset), source=payer, target=intent.pay_to.address
        )
        self._trace.counts["payments"] += 1

    async def pay_escrow(self, act: Act) -> None:
        """Pay into the contract."""
        terms = self._terms(act)
        if terms is not None:
            payer = self._funded(act, terms.money)
            self._world.chain.pay_escrow(terms, payer=payer)
            self._trace.counts["payments"] += 1

    async def release_as_payer(self, act: Act) -> None:
        """Let the merchant have it."""
        if (terms := self._terms(act)) is not None:
            self._world.chain.release(terms, by=_payer(act))

    async def dispute(self, act: Act) -> None:
        """Object."""
        if (terms := self._terms(act)) is not None:
            self._world.chain.dispute(terms, by=_payer(act))

    async def resolve(self, act: Act) -> None:
        """Decide, as the arbiter."""
        if (terms := self._terms(act)) is not None:
            part = terms.money.amount * int(act.detail["percent"]) // 100
            self._world.chain.resolve(terms, payer_amount=part)

    async def claim_unresolved(self, act: Act) -> None:
        """Take back what the arbiter has not decided about."""
        if (terms := self._terms(act)) is not None:
            self._world.chain.claim_unresolved(terms)

    async def reclaim(self, act: Act) -> None:
        """Take back what nobody has released."""
        if (terms := self._terms(act)) is not None:
            self._world.chain.reclaim(terms, by=_payer(act))

    async def dust(self, act: Act) -> None:
        """Pay where nobody has asked for it."""
        money, chain = Money(int(act.detail["amount"]), TOKEN), self._world.chain
        chain.fund(STRANGER, money)
        last = self._last_intent(int(act.detail["merchant"]))
        terms = last.pay_to if last is not None else None
        match act.detail["to"]:
            case "hot":
                chain.transfer(money, source=STRANGER, target=HOT)
            case "contract":
                chain.transfer(money, source=STRANGER, target=CONTRACT)
            case "altered" if isinstance(terms, EscrowTerms):
                other = attrs.evolve(terms, money=money, fees=FeeSchedule(bps=0))
                chain.pay_escrow(other, payer=STRANGER)
                if money.amount % 2:
                    chain.release(other, by=STRANGER)
            case "deposit" if isinstance(terms, DepositAddress):
                chain.transfer(money, source=STRANGER, target=terms.address)
            case _:
                chain.transfer(money, source=STRANGER, target=address("nobody of ours"))

    async def withdraw(self, act: Act) -> None:
        """Take a credit out of the contract."""
        who = {"hot": HOT, "treasury": TREASURY}.get(str(act.detail["who"]), STRANGER)
        self._world.chain.withdraw(TOKEN, by=who, to=who)

    async def reject(self, act: Act) -> None:
        """Have the hot wallet refuse what is pushed to it, and a merchant's till what is paid."""
        now, rejecting = self._world.clock.now(), self._world.chain.state.rejecting
        target = till(int(act.detail["merchant"]))
        rejecting |= {HOT, target}
        await Park(until=now + timedelta(hours=2))
        rejecting.discard(HOT)
        await Park(until=now + timedelta(hours=12))
        rejecting.discard(target)

    def intent(self, act: Act) -> PaymentIntent | None:
        """Return the intent that an act is about, as it is now."""
        known = self._intents.get(-1 if act.of is None else act.of)
        return None if known is None else self._world.store.tables.intents.get(known)

    def _terms(self, act: Act) -> EscrowTerms | None:
        intent = self.intent(act)
        terms = intent.pay_to if intent is not None else None
        return terms if isinstance(terms, EscrowTerms) else None

    def _last_intent(self, merchant: int) -> PaymentIntent | None:
        owner = self._merchants[merchant].id
        mine = self._world.store.tables.intents.where(owner=owner)
        return mine[-1] if mine else None

    def _funded(self, act: Act, money: Money) -> str:
        payer = _payer(act)
        self._world.chain.fund(payer, money)
        return payer


def _payer(act: Act) -> str:
    return address(f"payer of #{act.of}")
