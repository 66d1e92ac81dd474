"""The operator: looks in now and then, and does what only a person may do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.simulation.broken import must
from config.simulation.messages import ENDED, landed
from config.simulation.people import server
from config.simulation.process import ConnectionLost
from config.simulation.rails import TON
from config.simulation.turns import Park
from domain.chains.canceling import CannotCancel
from domain.chains.submissions import SubmissionTransitionRefused
from domain.ledger.model import InsufficientFunds
from domain.ledger.parking import AssetParked
from domain.settlements.model import SettlementState, SettlementTransitionRefused
from domain.settlements.payouts import PayoutState
from domain.shared.jobs import JobState
from domain.shared.money import chain_of
from domain.stars.model import PaymentRole, PaymentState
from domain.webhooks.model import DeliveryState
from ports.chain import ChainUnavailable
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from config.simulation.fleet import Fleet
    from config.simulation.people import People
    from config.simulation.rails import Rail
    from config.simulation.scenario import Act
    from config.simulation.trace import Trace
    from config.simulation.world import Gateway, World
    from domain.chains.submissions import Submission
    from domain.shared.ids import DeliveryId, EndpointId, MerchantId, PayoutId, SettlementId
    from domain.shared.money import AssetId
    from domain.stars.model import ChargeId

ROUND = timedelta(hours=3)
"""How often the operator looks in."""
LOOKS, BETWEEN_LOOKS = 20, timedelta(minutes=7)
"""How often, and after which time, it is looked whether there is something to call off."""
REFILL = 3 * 10**6
"""What is put into the gas tank each time, smallest unit."""


class Operator:
    """Approves, retries, refills, resumes and redelivers, by requests that may fail as any."""

    def __init__(
        self,
        world: World,
        fleet: Fleet,
        trace: Trace,
        people: People,
        *,
        unforeseen: Callable[[str, Exception], None],
    ) -> None:
        self._world = world
        self._fleet = fleet
        self._trace = trace
        self._people = people
        self._unforeseen = unforeseen
        self._random = world.random("operator")
        self._star_choices = world.random("operator of Stars")
        self._forks_seen = 0
        self._lies_met = 0

    async def rounds(self) -> None:
        """Look in, again and again."""
        while True:
            await Park(until=self._world.clock.now() + ROUND)
            await self.look()

    async def look(self) -> None:
        """Look in once."""
        for rail in self._world.rails.values():
            await self._resume(rail)
        await self._resume_assets()
        await self._money()
        for rail in self._world.rails.values():
            await self._fill_tank(rail)
        await self._webhooks()
        await self._stars()

    async def settle(self) -> None:
        """Settle at once, whatever the schedule says."""
        await self._ask("settle", lambda gateway: gateway.settlements.run())

    async def call_off(self, act: Act) -> None:
        """Take back one of the transactions that have not ended, when there is one."""
        there = self._not_landed()
        for _ in range(LOOKS):
            if there:
                break
            await Park(until=self._world.clock.now() + BETWEEN_LOOKS)
            there = self._not_landed()
        if there:
            id = there[int(act.detail["which"]) % len(there)].id
            self._trace.counts["called off"] += 1
            await self._ask(
                f"call off {id}",
                lambda gateway: gateway.services.canceling().cancel(submission_id=id),
            )

    def _not_landed(self) -> list[Submission]:
        """Return what can still be taken back, as far as one can see."""
        world = self._world
        open_ = [it for it in world.store.tables.submissions if it.state.value not in ENDED]
        return [
            it for it in open_ if not it.unwanted and landed(world.rails[it.chain], it) is None
        ]

    async def _resume(self, rail: Rail) -> None:
        chain = rail.places.chain
        cursor = self._world.store.tables.cursors.get(chain)
        if cursor is None or cursor.parked is None:
            return
        seen = rail.network.forks_seen
        must(seen > self._forks_seen, "a chain is parked for a reason", cursor.parked)
        self._forks_seen = seen
        self._trace.counts["parked"] += 1
        self._trace.note("operator", "finds the chain parked", cursor.parked)
        await self._ask("resume", lambda gateway: gateway.watcher.resume(chain=chain))

    async def _resume_assets(self) -> None:
        lies, met_before = self._world.lies(), self._lies_met
        for parked in list(self._world.store.tables.parked):
            # The second chain's nodes are late or silent; they never show what is not so.
            has_reason = lies > met_before and chain_of(parked.asset) != TON
            must(has_reason, "an asset is parked for a reason", parked.reason)
            self._lies_met = lies
            self._trace.counts["parked"] += 1
            self._trace.note("operator", f"finds {parked.asset} parked", parked.reason)
            await self._resume_asset(parked.asset)

    async def _resume_asset(self, asset: AssetId) -> None:
        await self._ask(
            f"resume {asset}", lambda gateway: gateway.conservation.resume(asset=asset)
        )

    async def _money(self) -> None:
        tables = self._world.store.tables
        for settlement in list(tables.settlements):
            if settlement.state is SettlementState.READY:
                await self._approve(settlement.id)
            if settlement.state is not SettlementState.APPROVED or settlement.payout_id is None:
                continue
            payout = tables.payouts.get(settlement.payout_id)
            if payout is not None and payout.state is PayoutState.REFUSED:
                if self._random.randrange(3) == 0:  # Somebody else does the same.
                    self._world.turns.start("another operator", self._retry(payout.id))
                await self._retry(payout.id)

    async def _approve(self, settlement_id: SettlementId) -> None:
        await self._ask(
            f"approve {settlement_id}",
            lambda gateway: gateway.settlements.approve(settlement_id=settlement_id),
        )

    async def _retry(self, payout_id: PayoutId) -> None:
        await self._ask(
            f"retry {payout_id}",
            lambda gateway: gateway.settlements.retry_payout(payout_id=payout_id),
        )

    async def _fill_tank(self, rail: Rail) -> None:
        chain = rail.places.chain
        if self._random.randrange(3) == 0:
            rail.fill_tank(REFILL)
        await self._ask("book gas", lambda gateway: gateway.books.book_gas(chain=chain))

    async def _stars(self) -> None:
        """Give back what Telegram would not give back before, and some of what is nobody's."""
        for payment in list(self._world.store.tables.star_payments):
            stray = payment.role is PaymentRole.STRAY and payment.state is PaymentState.HELD
            wanted = stray and self._star_choices.randrange(8) == 0
            if wanted or payment.state is PaymentState.REFUND_REFUSED:
                await self._refund(payment.id)

    async def _refund(self, charge_id: ChargeId) -> None:
        await self._ask(
            f"refund {charge_id}",
            lambda gateway: gateway.stars.refund_charge(charge_id=charge_id),
        )

    async def _webhooks(self) -> None:
        tables = self._world.store.tables
        for number, merchant in enumerate(self._people.merchants):
            if not any(it.enabled for it in tables.endpoints.where(owner=merchant.id)):
                await self._register(merchant.id, number)
        parked = [
            it.id
            for it in tables.deliveries
            if it.state is DeliveryState.PARKED and self._listens(it.endpoint_id)
        ]
        for delivery_id in parked[:3]:
            await self._redeliver(delivery_id)
        dead = tables.jobs.where(state=JobState.DEAD)
        must(
            not dead, "no job is given up", "; ".join(f"{it.name} {it.last_error}" for it in dead)
        )

    async def _register(self, owner: MerchantId, number: int) -> None:
        await self._ask(
            f"register an endpoint of merchant {number}",
            lambda gateway: gateway.webhooks.register(owner=owner, url=server(number)),
        )

    async def _redeliver(self, delivery_id: DeliveryId) -> None:
        await self._ask(
            f"redeliver {delivery_id}",
            lambda gateway: gateway.webhooks.redeliver(delivery_id=delivery_id),
        )

    def _listens(self, endpoint_id: EndpointId) -> bool:
        endpoint = self._world.store.tables.endpoints.get(endpoint_id)
        return endpoint is not None and endpoint.enabled

    async def _ask(
        self, what: str, verb: Callable[[Gateway], Coroutine[Any, Any, object]]
    ) -> None:
        try:
            answer = await self._fleet.request("api-1", what, verb)
        except (
            ConnectionLost,
            StorageUnavailable,
            ChainUnavailable,
            SettlementTransitionRefused,
            AssetParked,
            InsufficientFunds,
            SubmissionTransitionRefused,
            CannotCancel,
        ) as error:
            self._trace.note("operator", what, type(error).__name__)
        except Exception as error:  # noqa: BLE001 (whatever nobody foresaw)
            self._trace.note("operator", what, repr(error))
            self._unforeseen(what, error)
        else:
            self._trace.note("operator", what, "done" if answer is not None else "")
