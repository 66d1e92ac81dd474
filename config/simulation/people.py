"""Merchants: what they ask of the gateway, again and again until there is an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.simulation.broken import must
from config.simulation.configured import CHAIN, COIN, TOKEN, USD
from config.simulation.customers import Customers
from config.simulation.memo_payers import MemoPayers, ton_till
from config.simulation.payers import Payers, till
from config.simulation.process import ConnectionLost
from config.simulation.rails import TON, TON_COIN, TON_TOKEN
from config.simulation.star_payers import StarPayers
from config.simulation.turns import Park
from domain.escrow.model import EscrowActionInProgress, EscrowTransitionRefused
from domain.fees.model import FeeSchedule
from domain.intents.model import IntentTransitionRefused, Method
from domain.intents.quotes import NoRate, QuoteExpired
from domain.intents.service import PriceIn
from domain.ledger.model import InsufficientFunds
from domain.ledger.parking import AssetParked
from domain.merchants.model import PaymentPolicy, PayoutTerms, Verdict
from domain.shared.idempotency import Idempotency, KeyInFlight, RequestReplayed
from domain.shared.ids import IntentId
from domain.shared.money import Money
from domain.stars.model import STARS
from ports.stars import StarsUnavailable
from ports.unit_of_work import NotFound, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from config.simulation.fleet import Fleet
    from config.simulation.scenario import Act
    from config.simulation.trace import Trace
    from config.simulation.world import Gateway, World
    from domain.intents.model import PaymentIntent
    from domain.merchants.model import Merchant

REFUSALS = (
    IntentTransitionRefused,
    EscrowTransitionRefused,
    EscrowActionInProgress,
    NotFound,
    InsufficientFunds,
)
"""How the gateway may refuse what a merchant asks for."""
ASSETS = {
    ("memo", "token"): TON_TOKEN,
    ("memo", "coin"): TON_COIN,
    ("stars", "stars"): STARS,
    ("escrow", "coin"): COIN,
}
"""What is asked for by which method; by all others it is the first chain's token."""
TRIES = 12
"""How often a merchant repeats a request that was not answered."""


def server(merchant: int) -> str:
    """Return where a merchant hears of events."""
    return f"https://merchant-{merchant}.example/hooks"


class People:
    """Everybody who wants something of the gateway."""

    def __init__(
        self,
        world: World,
        fleet: Fleet,
        trace: Trace,
        *,
        unforeseen: Callable[[str, Exception], None],
    ) -> None:
        self.merchants: list[Merchant] = []
        self.intents: dict[int, IntentId] = {}
        """The intents that merchants know of, by the acts that created them."""
        self.links: dict[int, str] = {}
        """The links to invoices in Telegram, by the acts that created their intents."""
        self.payers = Payers(world, trace, merchants=self.merchants, intents=self.intents)
        known = self.payers.intent
        self._payers = (
            self.payers,
            MemoPayers(world, trace, intent=known),
            StarPayers(world, trace, intent=known, links=self.links),
            Customers(world, trace, merchants=self.merchants, insist=self._insist),
        )
        self._world = world
        self._fleet = fleet
        self._trace = trace
        self._unforeseen = unforeseen

    async def join(self, gateway: Gateway, count: int) -> None:
        """Have merchants register, with rules of their own."""
        random = self._world.random("merchants")
        for number in range(count):
            approval = {TOKEN: 300 * 10**6} if random.randrange(3) == 0 else {}
            destinations = {CHAIN: till(number)}
            if TON in self._world.rails:
                destinations[TON] = ton_till(number)
            merchant = await gateway.services.merchants().register(
                name=f"merchant {number}",
                fees=FeeSchedule(bps=random.choice((0, 100, 250))),
                payments=PaymentPolicy(
                    underpaid_tolerance_bps=random.choice((0, 0, 100, 500)),
                    overpaid=random.choice(list(Verdict)),
                    late=random.choice(list(Verdict)),
                ),
                payouts=PayoutTerms(
                    destinations=destinations,
                    minimums={TOKEN: random.choice((1, 5 * 10**6))},
                    approval_above=approval,
                ),
            )
            self.merchants.append(merchant)
            await gateway.services.webhooks().register(owner=merchant.id, url=server(number))

    async def play(self, act: Act) -> None:
        """Carry out an act."""
        self._trace.note("act", f"#{act.number} {act.verb}", _detail(act))
        own = getattr(self, f"_{act.verb}", None)
        others = (getattr(who, act.verb, None) for who in self._payers)
        await (own or next(it for it in others if it is not None))(act)

    # Merchants.

    async def _create(self, act: Act) -> None:
        if act.detail["repeats"] == 1:
            again = self._create_once(act, "again")
            self._world.turns.start(f"#{act.number} again", again)
        await self._create_once(act, "create")
        if act.detail["repeats"] == 2:  # noqa: PLR2004 (the second kind)
            await Park(until=self._world.clock.now() + timedelta(minutes=10))
            await self._create_once(act, "later again")

    async def _create_once(self, act: Act, what: str) -> None:
        merchant = self.merchants[int(act.detail["merchant"])]
        price = Money(int(act.detail["cents"]), USD)
        method = Method(str(act.detail["method"]))
        asset = ASSETS.get((method.value, str(act.detail["asset"])), TOKEN)

        def verb(gateway: Gateway) -> Coroutine[Any, Any, PaymentIntent]:
            return gateway.intents.create(
                merchant=merchant,
                method=method,
                offer=PriceIn(price, asset),
                metadata={"act": str(act.number)},
                idempotency=_key(act),
            )

        created = await self._insist(act, what, verb)
        if created is None:
            return
        if created != "nothing":
            known = self.intents.setdefault(act.number, IntentId(created))
            must(known == created, "one key has one effect", f"{known} and {created}")
            self._trace.counts["intents"] += what == "create"
            if method is Method.STARS:
                await self._ask_for_link(act)

    async def _ask_for_link(self, act: Act) -> None:
        """Ask for what a payer in Telegram is to be shown."""
        intent_id = self.intents[act.number]
        owner = self.merchants[int(act.detail["merchant"])].id
        named = Idempotency(f"link of #{act.number}", b"link", str.encode)
        link = await self._insist(
            act,
            "invoice",
            lambda gateway: gateway.stars.invoice_link(
                owner=owner,
                intent_id=intent_id,
                title="A thing",
                description="A thing that is worth it",
                idempotency=named,
            ),
        )
        if link not in {None, "nothing"}:
            known = self.links.setdefault(act.number, str(link))
            must(known == link, "one key has one effect", f"{known} and {link}")

    async def _cancel(self, act: Act) -> None:
        await self._decide(act, lambda gateway: gateway.intents.cancel)

    async def _accept(self, act: Act) -> None:
        await self._decide(act, lambda gateway: gateway.intents.accept)

    async def _release(self, act: Act) -> None:
        await self._decide(act, lambda gateway: gateway.escrows.release)

    async def _refund(self, act: Act) -> None:
        await self._decide(act, lambda gateway: gateway.escrows.refund)

    async def _refund_stars(self, act: Act) -> None:
        await self._decide(act, lambda gateway: gateway.stars.refund)

    async def _decide(self, act: Act, service: Callable[[Gateway], Callable[..., Any]]) -> None:
        intent = self.payers.intent(act)
        if intent is None:
            return
        await self._insist(
            act,
            act.verb,
            lambda gateway: service(gateway)(
                owner=intent.merchant_id, intent_id=intent.id, idempotency=_key(act)
            ),
        )

    async def _insist(
        self, act: Act, what: str, verb: Callable[[Gateway], Coroutine[Any, Any, Any]]
    ) -> str | None:
        """Ask until there is an answer; return the id it names, or None where it was refused."""
        who = f"#{act.number}"
        for _ in range(TRIES):
            try:
                answer = await self._fleet.request("api-1", f"{who} {what}", verb)
            except RequestReplayed as replayed:
                self._trace.note(who, what, f"as before {replayed.answer.decode()}")
                return replayed.answer.decode()
            except REFUSALS as refusal:
                self._trace.note(who, what, type(refusal).__name__)
                return None
            except (
                ConnectionLost,
                StorageUnavailable,
                StarsUnavailable,
                KeyInFlight,
                NoRate,
                QuoteExpired,
                AssetParked,
            ) as error:
                self._trace.note(who, what, type(error).__name__)
                await Park(until=self._world.clock.now() + timedelta(seconds=17))
                continue
            except Exception as error:  # noqa: BLE001 (whatever nobody foresaw)
                self._trace.note(who, what, repr(error))
                self._unforeseen(what, error)
                return None
            named = str(getattr(answer, "id", answer))
            self._trace.note(who, what, named)
            return named
        return "nothing"


def _key(act: Act) -> Idempotency[Any]:
    def render(made: Any) -> bytes:  # noqa: ANN401 (an intent or an escrow)
        return str(made.id).encode()

    return Idempotency(f"key of #{act.number}", act.verb.encode(), render)


def _detail(act: Act) -> str:
    about = "" if act.of is None else f"of #{act.of} "
    return about + " ".join(f"{name}={value}" for name, value in act.detail.items())
