"""What must hold at the end of each day, and at the very end: looked at as a whole."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.simulation.invariants import must
from config.simulation.payers import till
from config.simulation.world import CHAIN, COIN, CONTRACT, HOT, OTHER_TOKEN, TOKEN
from domain.chains.model import Finality, Transfer
from domain.chains.submissions import SendMoney
from domain.escrow.model import EscrowState
from domain.intents.model import DepositAddress, IntentStatus
from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT, WORLD, gas, is_reserve
from domain.settlements.model import SettlementState
from domain.shared.jobs import JobState
from domain.webhooks.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.simulation.people import People
    from config.simulation.world import Gateway, World
    from domain.chains.model import Fact
    from domain.ledger.comparing import Comparison
    from domain.shared.jobs import Job

SEALED_AT_ONCE = 500
OPEN_JOBS = (JobState.READY, JobState.RUNNING)
CONCLUDED = frozenset({"confirmed", "reverted", "refused"})
"""The states of a submission that last."""


class Checkpoints:
    """Looks at everything there is."""

    def __init__(self, world: World, people: People) -> None:
        self.days = 0
        self._world = world
        self._people = people
        self.looked_up_to = 0

    async def look(self, auditor: Gateway) -> None:
        """Compare books, chain and queue, after reading the chain to its end.

        Raises:
            Broken: something does not fit.
        """
        self.days += 1
        cursor = self._world.store.tables.cursors.get(CHAIN)
        if cursor is not None and cursor.parked is None:
            for _ in range(20):
                if not (await auditor.watcher.watch(chain=CHAIN)).behind:
                    break
            self.everything_was_seen()
            for spot in await auditor.books.compare(chain=CHAIN):
                unbooked = self._unbooked(spot) if spot.account == gas(CHAIN) else 0
                what = f"{spot.account} {spot.asset} {spot.books} {spot.chain} at {spot.block}"
                right = spot.books + unbooked == spot.chain
                must(right, "the books equal the chain", what)
        self.at_rest()
        while await auditor.sealing.seal(limit=SEALED_AT_ONCE) == SEALED_AT_ONCE:
            continue
        found = await auditor.books.check()
        must(not found, "the books are right", "; ".join(f"{it.what} {it.where}" for it in found))

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
        self._holdings_are_in_the_books()

    def nothing_is_left(self) -> None:
        """See that nothing waits for ever.

        Raises:
            Broken: something does.
        """
        for what in self.left():
            must(holds=False, invariant="nothing is stuck for ever", what=what)
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
            f"{it.id} is {it.state}"
            for it in tables.submissions
            if it.state.value not in CONCLUDED
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

    def _unbooked(self, spot: Comparison) -> int:
        """Return what has come into the gas tank and that no operator has booked yet."""
        booked = [
            posting.money.amount
            for it in self._world.store.tables.transactions.where(reference=spot.account)
            for posting in it.transaction.postings
            if posting.account == spot.account
        ]
        return self._world.refilled(at_block=spot.block) - sum(booked)

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
        cursor = tables.cursors.get(CHAIN)
        if cursor is None:
            return
        ours = {HOT, CONTRACT}
        ours |= {
            it.pay_to.address for it in tables.intents if isinstance(it.pay_to, DepositAddress)
        }
        first = max(cursor.first, self.looked_up_to + 1)
        for mined in self._world.chain.blocks.mined[first : cursor.final.number + 1]:
            for observation in mined.observations:
                if not _concerns(observation.fact, ours):
                    continue
                stored = tables.observations.get(observation.key)
                right = stored is not None and stored.finality is Finality.FINAL
                must(right, "everything final was seen", str(observation.key))
        self.looked_up_to = cursor.final.number

    def _is_paid_once(self) -> None:
        """See on the chain itself that no settlement was paid twice."""
        tables, chain = self._world.store.tables, self._world.chain
        times: Counter[str] = Counter()
        sent: Counter[str] = Counter()
        for submission in tables.submissions:
            instruction = submission.instruction
            if not isinstance(instruction, SendMoney) or submission.signed is None:
                continue
            number = chain.blocks.number_of(submission.signed.hash)
            if number is None:
                continue
            for inclusion in chain.blocks.mined[number].inclusions:
                if inclusion.hash == submission.signed.hash and inclusion.succeeded:
                    payout = tables.payouts.get(submission.purpose)  # type: ignore[arg-type]  # A payout's id.
                    times[payout.settlement_id if payout else ""] += 1
                    if instruction.money.asset == TOKEN:
                        sent[instruction.target] += instruction.money.amount
        for settlement, count in times.items():
            must(count == 1, "a settlement is paid once", f"{settlement} {count} times")
        for number in range(len(self._people.merchants)):
            held = chain.state.balance(till(number), TOKEN)
            must(held == sent[till(number)], "merchants hold what was paid out", till(number))

    def _promises_are_covered(self) -> None:
        """See that what was promised to be paid out is there, the gas tank apart."""
        sums = self._world.store.tables.sums
        places = self._world.places[CHAIN]
        for asset in (TOKEN, COIN):
            promised = -(sums.get((PAYOUTS_IN_FLIGHT, asset)) or 0)
            for (account, held), total in sums.items():
                if held == asset and is_reserve(account):
                    promised -= total
            there = sums.get((places.pays_from(asset), asset)) or 0
            if asset == COIN:
                brought_in = -(sums.get((WORLD, COIN)) or 0)
                there -= brought_in - (sums.get((NETWORK_FEES, COIN)) or 0)
                there += sums.get((places.deposits, COIN)) or 0  # For the fees of sweeps.
            must(promised <= there, "payouts are covered", f"{asset} {promised} of {there}")

    def _requests_have_one_effect(self) -> None:
        times = Counter(it.metadata["act"] for it in self._world.store.tables.intents)
        for act, count in times.items():
            must(count == 1, "one key has one effect", f"#{act} made {count} intents")

    def _deliveries_are_promised(self) -> None:
        promised = {it.arguments.get("delivery") for it in self._open_jobs()}
        for delivery in self._world.store.tables.deliveries:
            if delivery.state is DeliveryState.PENDING:
                must(delivery.id in promised, "a pending delivery has a job", delivery.id)

    def _holdings_are_in_the_books(self) -> None:
        """See that what is noted of each deposit address adds up, and that its sweep goes on."""
        tables, places = self._world.store.tables, self._world.places[CHAIN]
        held: Counter[str] = Counter()
        for holding in tables.holdings:
            held[holding.asset] += holding.amount
        for asset in (TOKEN, OTHER_TOKEN):
            booked = tables.sums.get((places.deposits, asset)) or 0
            must(held[asset] == booked, "holdings are the books", f"{asset} {booked}")
        sweeping = Counter(it.address for it in tables.sweeps if it.is_open)
        for address, count in sweeping.items():
            must(count == 1, "an address has one open sweep", address)
        for sweep in tables.sweeps:
            if sweep.is_open and sweep.submission_id is not None:
                submission = tables.submissions.get(sweep.submission_id)
                under_way = submission is not None and submission.state.value not in CONCLUDED
                must(under_way, "an open sweep is under way", sweep.id)

    def _endpoints_can_tell_gaps(self) -> None:
        told: dict[str, int] = {}
        deliveries = sorted(self._world.store.tables.deliveries, key=lambda it: it.sequence)
        for delivery in deliveries:
            before = told.get(delivery.endpoint_id, 0)
            right = delivery.previous_sequence == before < delivery.sequence
            must(right, "a delivery names the one before it", delivery.id)
            told[delivery.endpoint_id] = delivery.sequence


def _concerns(fact: Fact, ours: set[str]) -> bool:
    return not isinstance(fact, Transfer) or (fact.target in ours and fact.money.amount > 0)
