"""Customers of merchants: each is given an address for good, and pays there whenever it likes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.simulation.broken import must
from config.simulation.configured import CHAIN, UNLISTED
from config.simulation.memo_payers import wallet
from config.simulation.payers import address
from config.simulation.rails import TON
from config.simulation.saving import CUSTOMERS
from config.simulation.turns import Park
from domain.shared.idempotency import Idempotency
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import TypeAlias

    from config.simulation.rails import Rail
    from config.simulation.scenario import Act
    from config.simulation.trace import Trace
    from config.simulation.world import Gateway, World
    from domain.customers.model import CustomerAddress
    from domain.merchants.model import Merchant
    from domain.shared.money import AssetId, ChainId

    Verb: TypeAlias = Callable[[Gateway], Coroutine[Any, Any, CustomerAddress]]


class Customers:
    """Everybody who pays without being asked for a price."""

    def __init__(
        self,
        world: World,
        trace: Trace,
        *,
        merchants: Sequence[Merchant],
        insist: Callable[[Act, str, Verb], Coroutine[Any, Any, str | None]],
    ) -> None:
        self._world = world
        self._trace = trace
        self._merchants = merchants
        self._insist = insist
        self._ids: dict[tuple[str, str, ChainId], str] = {}
        """The addresses that merchants know of, by merchant, customer and chain."""

    async def open_address(self, act: Act) -> None:
        """Have a merchant ask for a customer's address, of which there may be one already."""
        rail = self._rail(act)
        if rail is None:
            return
        if act.detail["repeats"] == 1:
            again = self._ask(act, rail, "again")
            self._world.turns.start(f"#{act.number} again", again)
        await self._ask(act, rail, "open")
        if act.detail["repeats"] == 2:  # noqa: PLR2004 (the second kind)
            await Park(until=self._world.clock.now() + timedelta(minutes=10))
            await self._ask(act, rail, "open")

    async def deposit(self, act: Act) -> None:
        """Pay to a customer's own address, in one transaction or in several."""
        rail = self._rail(act)
        target = None if rail is None else self._address(act, rail)
        if rail is None or target is None:
            return
        parts, way = int(act.detail["parts"]), act.detail["way"]
        payer = self._payer(act, rail)
        money = Money(int(act.detail["amount"]), self._asset(act, rail))
        rail.chain.fund(payer, Money(money.amount * parts, money.asset))
        self._trace.counts["deposits paid"] += parts
        if way in {"together", "to two"}:
            second = self._address(act, rail, further=1) if way == "to two" else None
            targets = [target, second or target, target][:parts]
            rail.chain.transfer_all([(money, it) for it in targets], source=payer)
            return
        for part in range(parts):
            if part and way == "slowly":
                minutes = timedelta(minutes=int(act.detail["minutes"]))
                await Park(until=self._world.clock.now() + minutes)
            rail.chain.transfer(money, source=payer, target=target)

    async def _ask(self, act: Act, rail: Rail, what: str) -> None:
        merchant = self._merchants[int(act.detail["merchant"])]
        customer, chain = f"customer {act.detail['customer']}", rail.places.chain
        named: Idempotency[Any] = Idempotency(
            f"{what} #{act.number}", b"open_address", lambda made: str(made.id).encode()
        )
        found = await self._insist(
            act,
            what,
            lambda gateway: gateway.services.customers().address(
                merchant=merchant, customer=customer, chain=chain, idempotency=named
            ),
        )
        if found is not None and found != "nothing":
            known = self._ids.setdefault((merchant.id, customer, chain), found)
            must(known == found, "a customer has one address", f"{known} and {found}")

    def _rail(self, act: Act) -> Rail | None:
        """Return the chain that an act is about, if it is played."""
        return self._world.rails.get(TON if act.detail["rail"] == "ton" else CHAIN)

    def _address(self, act: Act, rail: Rail, *, further: int = 0) -> str | None:
        """Return where a customer pays to, or one of the others of the same merchant."""
        merchant = self._merchants[int(act.detail["merchant"])]
        customer = (int(act.detail["customer"]) + further) % CUSTOMERS
        id = self._ids.get((merchant.id, f"customer {customer}", rail.places.chain))
        table: Any = self._world.store.tables.customer_addresses
        known = None if id is None else table.get(id)
        return None if known is None else str(known.address)

    def _payer(self, act: Act, rail: Rail) -> str:
        who = f"customer {act.detail['customer']} of {act.detail['merchant']}"
        return address(who) if rail.places.chain == CHAIN else wallet(who)

    def _asset(self, act: Act, rail: Rail) -> AssetId:
        unlisted = UNLISTED if rail.places.chain == CHAIN else rail.token
        named = {"token": rail.token, "other": rail.other, "unlisted": unlisted}
        return named[str(act.detail["asset"])]
