"""What must hold at the end of each day, and at the very end: looked at as a whole."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from config.simulation.broken import must
from config.simulation.configured import CHAIN, CONTRACT, HOT
from config.simulation.custody import Custody
from config.simulation.deposit_rules import DepositRules
from config.simulation.memo_payers import ton_till
from config.simulation.messages import ENDED, Messages, arrived, landed
from config.simulation.payers import till
from config.simulation.rails import TON_HOT
from config.simulation.star_rules import StarRules
from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.model import Finality, Transfer
from domain.escrow.model import EscrowState
from domain.intents.model import DepositAddress, IntentStatus
from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT, WORLD, is_reserve
from domain.settlements.model import SettlementState
from domain.shared.jobs import JobState
from domain.webhooks.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.simulation.people import People
    from config.simulation.rails import Rail
    from config.simulation.world import Gateway, World
    from domain.chains.model import Fact
    from domain.chains.places import Places
    from domain.ledger.comparing import Comparison
    from domain.shared.ids import MerchantId
    from domain.shared.jobs import Job
    from domain.shared.money import ChainId

SEALED_AT_ONCE = 500
OPEN_JOBS = (JobState.READY, JobState.RUNNING)
SKEW_MAX = timedelta(minutes=5)
"""How far a machine's clock may be off."""


class Checkpoints:
    """Looks at everything there is."""

    def __init__(self, world: World, people: People) -> None:
        self.days = 0
        self._world = world
        self._people = people
        self._stars = StarRules(world)
        self._deposits = DepositRules(world)
        self._custody = Custody(world)
        self._messages = Messages(world)
        self.looked_up_to: Counter[ChainId] = Counter()

    async def look(self, auditor: Gateway) -> None:
        """Compare books, chain and queue, after reading the chain to its end.

        Raises:
            Broken: something does not fit.
        """
        self.days += 1
        for rail in self._world.rails.values():
            await self._read_to_its_end(rail, auditor)
        self.everything_was_seen()
        self.at_rest()
        while await auditor.sealing.seal(limit=SEALED_AT_ONCE) == SEALED_AT_ONCE:
            continue
        found = await auditor.books.check()
        must(not found, "the books are right", "; ".join(f"{it.what} {it.where}" for it in found))

    async def _read_to_its_end(self, rail: Rail, auditor: Gateway) -> None:
        """Compare books and chain, unless nothing moves there."""
        chain = rail.places.chain
        cursor = self._world.store.tables.cursors.get(chain)
        if cursor is None or cursor.parked is not None:
            return
        for _ in range(20):
            if not (await auditor.watcher.watch(chain=chain)).behind:
                break
        self._nothing_waits_in_vain(rail)
        under_way = self._under_way(rail)
        for spot in await auditor.books.compare(chain=chain):
            unbooked = 0
            if spot.account == rail.places.gas and not rail.places.shows_coins:
                unbooked = self._unbooked(spot, rail)
            unbooked -= under_way[spot.account, spot.asset]
            what = f"{spot.account} {spot.asset} {spot.books} {spot.chain} at {spot.block}"
            right = spot.books + unbooked == spot.chain
            must(right, "the books equal the chain", what)

    def _nothing_waits_in_vain(self, rail: Rail) -> None:
        """See that all is final that the chain calls final and that no rung holds up."""
        cursor = self._world.store.tables.cursors.get(rail.places.chain)
        newest = rail.chain.blocks.mined[-1].block
        if cursor is None or cursor.parked is not None or cursor.gap is not None:
            return
        held = self._world.evidence.held_from(newest) if rail.places.chain == CHAIN else None
        final = rail.final if held is None else min(rail.final, held - 1)
        what = f"{cursor.final.number} of {newest.number}, held from {held}"
        must(cursor.final.number >= final, "nothing waits for more than its rung", what)

    def _under_way(self, rail: Rail) -> Counter[tuple[str, str]]:
        """Return what has left places by final blocks of which the end is not booked, by asset.

        What a message sets off arrives some blocks later; until then nobody can tell.
        """
        places, gone = rail.places, Counter[tuple[str, str]]()
        for submission in self._world.store.tables.submissions.where(
            standing=(places.chain, "in flight")
        ):
            found = landed(rail, submission) if rail.chain.state.nature.travels else None
            if found is None:
                continue
            cost, sent = found[1].cost, submission.instruction
            payer = places.deposits if isinstance(sent, SweepDeposit) else places.gas
            gone[payer, cost.asset] += cost.amount
            if isinstance(sent, FundGas):
                gone[places.gas, sent.money.asset] += sent.money.amount
                gone[places.deposits, sent.money.asset] -= sent.money.amount
            for _, send in arrived(rail, submission):
                gone[places.pays_from(send.money.asset), send.money.asset] += send.money.amount
        return gone

    def at_rest(self) -> None:
        """Look at what can be seen without asking anybody.

        Raises:
            Broken: something does not fit.
        """
        self._is_paid_once()
        self._promises_are_covered()
        self._requests_have_one_effect()
        self._deliveries_are_promised()
        self._endpoints_can_tell_gaps()
        self._custody.at_rest()
        self._messages.nothing_has_risen()
        self._stars.at_rest()
        self._deposits.at_rest()

    def nothing_is_left(self) -> None:
        """See that nothing waits for ever.

        Raises:
            Broken: something does.
        """
        for what in self.left():
            must(holds=False, invariant="nothing is stuck for ever", what=what)
        self._stars.all_is_there()
        servers = self._world.servers
        tables = self._world.store.tables
        for delivery in tables.deliveries:
            if delivery.state is DeliveryState.DELIVERED:
                endpoint = tables.endpoints.get(delivery.endpoint_id)
                url = endpoint.url if endpoint is not None else ""
                must(
                    servers.accepted[url][delivery.event_id] > 0,
                    "what is called delivered was accepted",
                    delivery.id,
                )

    def left(self) -> Iterator[str]:
        """Name what still waits for something."""
        tables = self._world.store.tables
        yield from (f"{it.name} {it.arguments} is to be run" for it in self._open_jobs())
        yield from (
            f"{it.name} is dead: {it.last_error}" for it in tables.jobs.where(state=JobState.DEAD)
        )
        yield from (f"{it.id} was not handed over" for it in tables.unrelayed)
        yield from (
            f"{it.id} is {it.state}" for it in tables.submissions if it.state.value not in ENDED
        )
        yield from (
            f"{it.id} is {it.state}"
            for it in tables.deliveries
            if it.state is DeliveryState.PENDING
        )
        yield from (
            f"{it.id} is {it.state}"
            for it in tables.settlements
            if it.state is not SettlementState.PAID_OUT
        )
        yield from (f"{it.id} is {it.state}" for it in tables.sweeps if it.is_open)
        for escrow in tables.escrows:
            if escrow.state in {EscrowState.HELD, EscrowState.DISPUTED}:
                yield f"escrow of {escrow.intent_id} is {escrow.state}, {escrow.requested}"
        for intent in tables.intents:
            if intent.status in {IntentStatus.REQUIRES_PAYMENT, IntentStatus.PROCESSING}:
                yield f"{intent.id} is {intent.status}"
        yield from self._stars.left()
        yield from self._deposits.left()

    def _unbooked(self, spot: Comparison, rail: Rail) -> int:
        """Return what has come into the gas tank and that no operator has booked yet."""
        booked = [
            posting.money.amount
            for it in self._world.store.tables.transactions.where(reference=spot.account)
            for posting in it.transaction.postings
            if posting.account == spot.account
        ]
        return rail.refilled(at_block=spot.block) - sum(booked)

    def _open_jobs(self) -> Iterator[Job]:
        for state in OPEN_JOBS:
            for job in self._world.store.tables.jobs.where(state=state):
                if not (job.dedupe_key or "").startswith("schedule:"):
                    yield job

    def everything_was_seen(self) -> None:
        """See that what happened on the chain up to the final block was seen, for good.

        Raises:
            Broken: something was not.
        """
        tables = self._world.store.tables
        ours = {HOT, CONTRACT, TON_HOT}
        ours |= {
            it.pay_to.address for it in tables.intents if isinstance(it.pay_to, DepositAddress)
        }
        ours |= {it.address for it in tables.customer_addresses}
        for name, rail in self._world.rails.items():
            cursor = tables.cursors.get(name)
            if cursor is None or cursor.parked is not None:
                continue
            first = max(cursor.first, self.looked_up_to[name] + 1)
            for mined in rail.chain.blocks.mined[first : cursor.final.number + 1]:
                for observation in mined.observations:
                    if not _concerns(observation.fact, ours, rail.places):
                        continue
                    stored = tables.observations.get(observation.key)
                    right = stored is not None and stored.finality is Finality.FINAL
                    must(right, "everything final was seen", str(observation.key))
            self.looked_up_to[name] = cursor.final.number

    def _is_paid_once(self) -> None:
        """See on the chains themselves that no settlement was paid twice."""
        tables = self._world.store.tables
        times: Counter[str] = Counter()
        sent: Counter[tuple[str, str]] = Counter()
        for submission in tables.submissions:
            for payout_id, send in arrived(self._world.rails[submission.chain], submission):
                payout = tables.payouts.get(payout_id)
                times[(payout.settlement_id if payout else None) or payout_id] += 1
                sent[send.target, send.money.asset] += send.money.amount
        for settlement, count in times.items():
            must(count == 1, "a settlement is paid once", f"{settlement} {count} times")
        for number in range(len(self._people.merchants)):
            for name, rail in self._world.rails.items():
                place = till(number) if name == CHAIN else ton_till(number)
                held = rail.chain.state.balance(place, rail.token)
                right = held == sent[place, rail.token]
                must(right, "merchants hold what was paid out", place)

    def _promises_are_covered(self) -> None:
        """See that what was promised to be paid out is there, the gas tank apart."""
        sums = self._world.store.tables.sums
        for rail in self._world.rails.values():
            places, coin = rail.places, rail.places.native
            for asset in (rail.token, coin):
                promised = -(sums.get((PAYOUTS_IN_FLIGHT, asset)) or 0)
                for (account, held), total in sums.items():
                    if held == asset and is_reserve(account):
                        promised -= total
                there = sums.get((places.pays_from(asset), asset)) or 0
                if asset == coin and not places.shows_coins:
                    brought_in = -(sums.get((WORLD, coin)) or 0)
                    there -= brought_in - (sums.get((NETWORK_FEES, coin)) or 0)
                    there += sums.get((places.deposits, coin)) or 0  # For the fees of sweeps.
                must(promised <= there, "payouts are covered", f"{asset} {promised} of {there}")

    def _requests_have_one_effect(self) -> None:
        times = Counter(it.metadata["act"] for it in self._world.store.tables.intents)
        for act, count in times.items():
            must(count == 1, "one key has one effect", f"#{act} made {count} intents")

    def _deliveries_are_promised(self) -> None:
        # One that comes back at its pace looks for all that are due again.
        schedule = "schedule:deliver_webhooks"
        looked_for = bool(self._world.store.tables.jobs.where(open_key=schedule))
        for delivery in self._world.store.tables.deliveries:
            if delivery.state is DeliveryState.PENDING:
                has_job = looked_for and delivery.next_try_at is not None
                must(has_job, "a pending delivery has a job", delivery.id)

    def _is_pruned(self, merchant_id: MerchantId, sequence: int) -> bool:
        """Tell whether a delivery of so old an event may not be kept any more."""
        world = self._world
        told = world.store.tables.events.get((merchant_id, sequence))
        kept = timedelta(days=world.settings.webhooks.log_kept_days) - SKEW_MAX
        return told is not None and told.event.occurred_at < world.clock.now() - kept

    def _endpoints_can_tell_gaps(self) -> None:
        told: dict[str, int] = {}
        deliveries = sorted(self._world.store.tables.deliveries, key=lambda it: it.sequence)
        for delivery in deliveries:
            before = told.get(delivery.endpoint_id, 0)
            previous = delivery.previous_sequence
            named = previous == before or self._is_pruned(delivery.merchant_id, previous)
            right = named and before <= previous < delivery.sequence
            must(right, "a delivery names the one before it", delivery.id)
            told[delivery.endpoint_id] = delivery.sequence


def _concerns(fact: Fact, ours: set[str], places: Places) -> bool:
    """Tell whether a fact has to be noted; what pays for a sweep is booked by its own end."""
    if not isinstance(fact, Transfer):
        return True
    gas = (fact.source, fact.money.asset) == (places.hot_wallet, places.native)
    return fact.target in ours and fact.money.amount > 0 and not gas
