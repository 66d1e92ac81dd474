"""The store: everything the gateway keeps, in this process's memory.

Units of work run one after the other: a unit waits at its first look at the store until no
other is under way, and holds the store until it commits or leaves. Two things do not wait, as
they do not in a database either: drawing a deposit index, and finding that a key is in flight.
"""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

from adapters.memory.tables import Journal, Table
from adapters.memory.turn import Turn
from adapters.memory.unit_of_work import InMemoryUnitOfWork
from domain.chains.model import Transfer
from domain.chains.submissions import IN_FLIGHT, SubmissionState
from domain.customers.model import DepositStatus
from domain.intents.model import DepositAddress, IntentStatus, SharedAddress
from domain.shared.jobs import UNFINISHED
from domain.stars.model import PaymentRole
from domain.suspense.model import WAITING, ItemState
from domain.webhooks.model import DeliveryState
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import date, datetime

    from domain.audit.model import Entry
    from domain.audit.seals import AuditSeal
    from domain.chains.coverage import Stretch
    from domain.chains.model import Block, Cursor, Observation, ObservationKey
    from domain.chains.submissions import Submission
    from domain.customers.model import CustomerAddress, Deposit
    from domain.destinations.model import DestinationChange
    from domain.escrow.model import Escrow
    from domain.intents.model import PaymentIntent
    from domain.intents.quotes import Quote
    from domain.jobs.model import Note
    from domain.ledger.accounts import Account
    from domain.ledger.holds import Hold
    from domain.ledger.model import BookedTransaction
    from domain.ledger.parking import ParkedAsset
    from domain.ledger.seals import Seal
    from domain.ledger.values import BookRate
    from domain.limits.model import Kind
    from domain.merchants.model import ApiKey, Merchant
    from domain.merchants.roles import Role, User
    from domain.sandbox.model import SandboxOrder
    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.events import RecordedEvent
    from domain.shared.idempotency import Answer
    from domain.shared.ids import (
        CustomerAddressId,
        DecisionId,
        DeliveryId,
        DepositId,
        DestinationChangeId,
        EndpointId,
        EscrowId,
        EventId,
        HoldId,
        IntentId,
        JobId,
        KeyId,
        MerchantId,
        PayoutId,
        QuoteId,
        SandboxOrderId,
        SettlementId,
        SubmissionId,
        SuspenseId,
        SweepId,
        TransactionId,
        TransferId,
        UserId,
    )
    from domain.shared.jobs import Job
    from domain.shared.kinds import Queue
    from domain.shared.money import AssetId, ChainId, Money
    from domain.stars.model import ChargeId, Reading, StarPayment
    from domain.suspense.model import Decision, SuspenseItem
    from domain.sweeps.model import Sweep
    from domain.treasury.model import Alarm, ColdTransfer, Watched
    from domain.usage.model import Requests
    from domain.webhooks.endpoint import Endpoint
    from domain.webhooks.model import Delivery
    from ports.clock import Clock
    from ports.ids import Ids
    from ports.unit_of_work import UnitOfWork


_Place: TypeAlias = "tuple[ChainId, int]"
"""A chain, and the number of a block on it."""


class Tables:
    """The rows, by kind. Tests may look at them; only a unit of work changes them."""

    def __init__(self, journal: Journal) -> None:
        self.merchants: Table[MerchantId, Merchant] = Table(journal)
        self.api_keys: Table[KeyId, ApiKey] = Table(journal, digest=lambda row: row.digest)
        self.people: Table[UserId, User] = Table(journal, email=lambda row: row.email)
        self.members: Table[tuple[MerchantId, UserId], Role] = Table(journal)
        self.destination_changes: Table[DestinationChangeId, DestinationChange] = Table(
            journal,
            owner=lambda row: row.merchant_id,
            open_on=lambda row: (row.merchant_id, row.chain) if row.is_open else None,
        )
        self.key_usage: Table[tuple[KeyId, date, int], Requests] = Table(
            journal, key=lambda row: row.key_id
        )
        self.key_quotas: Table[tuple[KeyId, Kind], tuple[int, int]] = Table(journal)
        self.intents: Table[IntentId, PaymentIntent] = Table(
            journal,
            owner=lambda row: row.merchant_id,
            address=_address,
            memo=_memo,
            unpaid_on=_unpaid_on,
        )
        self.quotes: Table[QuoteId, Quote] = Table(journal)
        self.escrows: Table[EscrowId, Escrow] = Table(journal, intent=lambda row: row.intent_id)
        self.transactions: Table[TransactionId, BookedTransaction] = Table(
            journal, reference=lambda row: row.transaction.reference
        )
        self.sums: Table[tuple[Account, AssetId], int] = Table(journal)
        self.kept: Table[tuple[Account, AssetId], int] = Table(journal)
        self.reversed: Table[TransactionId, str] = Table(journal)
        self.rates: Table[AssetId, tuple[BookRate, ...]] = Table(journal)
        self.valued_by: Table[TransactionId, dict[AssetId, BookRate]] = Table(journal)
        self.unsealed: Table[TransactionId, BookedTransaction] = Table(journal)
        self.seals: Table[int, Seal] = Table(journal)
        self.holds: Table[HoldId, Hold] = Table(journal, state=lambda row: row.state)
        self.parked: Table[AssetId, ParkedAsset] = Table(journal)
        self.agreed: Table[tuple[Account, AssetId], int] = Table(journal)
        self.settlements: Table[SettlementId, Settlement] = Table(
            journal, owner=lambda row: row.merchant_id
        )
        self.payouts: Table[PayoutId, Payout] = Table(journal, owner=lambda row: row.merchant_id)
        self.sandbox_orders: Table[SandboxOrderId, SandboxOrder] = Table(journal)
        self.sweeps: Table[SweepId, Sweep] = Table(
            journal, address=lambda row: (row.chain, row.address), open_on=_open_on
        )
        self.suspense: Table[SuspenseId, SuspenseItem] = Table(
            journal,
            waiting=_waiting,
            counted_by=_counted_by,
            payout=lambda row: row.payout_id,
            paid_to=lambda row: row.paid_to,
            counted=lambda row: row.counted_by,
        )
        self.decisions: Table[DecisionId, Decision] = Table(journal, item=lambda row: row.item_id)
        self.cold_transfers: Table[TransferId, ColdTransfer] = Table(
            journal, asset=lambda row: row.money.asset, payout=lambda row: row.payout_id
        )
        self.alarms: Table[tuple[Watched, AssetId], Alarm] = Table(journal)
        self.holdings: Table[tuple[ChainId, str, AssetId], Money] = Table(journal)
        self.star_payments: Table[ChargeId, StarPayment] = Table(
            journal, intent=_paid_intent, state=lambda row: row.state
        )
        self.star_readings: Table[str, Reading] = Table(journal)
        self._of_customers(journal)
        self._of_chains(journal)
        self._of_messages(journal)

    def _of_customers(self, journal: Journal) -> None:
        self.customer_addresses: Table[CustomerAddressId, CustomerAddress] = Table(
            journal,
            owner=lambda row: row.merchant_id,
            of=lambda row: (row.merchant_id, row.customer, row.reach),
            address=lambda row: row.address,
            reach=lambda row: row.reach,
        )
        self.deposits: Table[DepositId, Deposit] = Table(
            journal,
            owner=lambda row: row.merchant_id,
            standing=lambda row: None if _is_gone(row) else (row.key, row.address_id),
            gone=lambda row: row.address_id if _is_gone(row) else None,
        )

    def _of_chains(self, journal: Journal) -> None:
        self.cursors: Table[ChainId, Cursor] = Table(journal)
        self.stretches: Table[_Place, Stretch] = Table(journal, chain=lambda row: row.chain)
        self.blocks: Table[_Place, tuple[ChainId, Block]] = Table(journal, chain=lambda it: it[0])
        self.observations: Table[ObservationKey, Observation] = Table(
            journal,
            standing=lambda row: (row.key.chain, row.finality),
            escrow=lambda row: getattr(row.fact, "escrow_id", None),
            paid_to=_paid_to,
        )
        self.submissions: Table[SubmissionId, Submission] = Table(journal, standing=_standing)
        self.sequences: Table[tuple[ChainId, str], int] = Table(journal)

    def _of_messages(self, journal: Journal) -> None:
        self.endpoints: Table[EndpointId, Endpoint] = Table(
            journal, owner=lambda row: row.merchant_id
        )
        self.deliveries: Table[DeliveryId, Delivery] = Table(
            journal, event=lambda row: row.event_id, pending_to=_pending_to
        )
        self.last_told: Table[EndpointId, int] = Table(journal)
        self.events: Table[tuple[MerchantId, int], RecordedEvent] = Table(
            journal, id=lambda row: row.id, of=lambda row: row.event.object_id
        )
        self.last_event: Table[MerchantId, int] = Table(journal)
        self.last_pruned: Table[MerchantId, int] = Table(journal)
        self.unrelayed: Table[EventId, RecordedEvent] = Table(journal)
        self.jobs: Table[JobId, Job] = Table(
            journal, state=lambda row: row.state, open_key=_open_key
        )
        self.job_logs: Table[JobId, tuple[Note, ...]] = Table(journal)
        self.paused_queues: Table[Queue, datetime] = Table(journal)
        self.answers: Table[tuple[MerchantId, str], tuple[Answer, datetime]] = Table(journal)
        self.audit: Table[int, Entry] = Table(journal)
        self.audit_seals: Table[int, AuditSeal] = Table(journal)


class Store:
    """Everything stored; ``store.begin`` is the ``Begin`` port."""

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self.clock = clock
        self.ids = ids
        self.journal = Journal()
        self.tables = Tables(self.journal)
        self.turns = asyncio.Lock()
        self.held_by: asyncio.Task[object] | None = None
        self.keys_in_flight: set[tuple[MerchantId, str]] = set()
        self.deposit_indices = itertools.count()
        self.job_added = asyncio.Condition()
        self._commit_faults: list[bool] = []
        self.on_commit: Callable[[Journal], None] | None = None
        """Told of the changes of each commit that takes place, just before they stand."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work."""
        turn = Turn(self)
        try:
            yield InMemoryUnitOfWork(turn)
        finally:
            turn.leave()

    def fail_next_commit(self) -> None:
        """Have the next commit fail without an effect, as if the server had gone away."""
        self._commit_faults.append(False)

    def lose_next_commit(self) -> None:
        """Have the next commit take place and its answer be lost on the way."""
        self._commit_faults.append(True)

    async def settle(self) -> None:
        """Make the changes under way stand.

        Raises:
            StorageUnavailable: a fault was ordered.
        """
        took_place = self._commit_faults.pop(0) if self._commit_faults else None
        if took_place is False:
            raise StorageUnavailable
        if self.on_commit is not None:
            self.on_commit(self.journal)
        self.journal.forget()
        async with self.job_added:
            self.job_added.notify_all()
        if took_place:
            raise StorageUnavailable


def _is_gone(deposit: Deposit) -> bool:
    return deposit.status is DepositStatus.RETRACTED


def _address(intent: PaymentIntent) -> tuple[ChainId, str] | None:
    to = intent.pay_to
    return (to.chain, to.address) if isinstance(to, DepositAddress) else None


def _memo(intent: PaymentIntent) -> tuple[ChainId, str] | None:
    to = intent.pay_to
    return (to.chain, to.memo) if isinstance(to, SharedAddress) else None


def _unpaid_on(intent: PaymentIntent) -> ChainId | None:
    return intent.pay_to.chain if intent.status is IntentStatus.REQUIRES_PAYMENT else None


def _pending_to(delivery: Delivery) -> EndpointId | None:
    return delivery.endpoint_id if delivery.state is DeliveryState.PENDING else None


def _standing(submission: Submission) -> tuple[ChainId, str] | None:
    if submission.state is SubmissionState.QUEUED:
        return submission.chain, "queued"
    return (submission.chain, "in flight") if submission.state in IN_FLIGHT else None


def _open_on(sweep: Sweep) -> ChainId | None:
    return sweep.chain if sweep.is_open else None


def _waiting(item: SuspenseItem) -> bool | None:
    return True if item.state in WAITING else None


def _paid_to(observation: Observation) -> tuple[ChainId, str] | None:
    fact = observation.fact
    return (observation.key.chain, fact.target) if isinstance(fact, Transfer) else None


def _counted_by(item: SuspenseItem) -> IntentId | None:
    return item.counted_by if item.state is ItemState.OPEN else None


def _paid_intent(payment: StarPayment) -> IntentId | None:
    return payment.intent_id if payment.role is PaymentRole.PAYMENT else None


def _open_key(job: Job) -> str | None:
    return job.dedupe_key if job.state in UNFINISHED else None
