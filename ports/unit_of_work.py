"""The unit of work: one database transaction over everything the gateway stores.

A service opens one, reads, decides, writes and commits; leaving without ``commit`` undoes all.
Writes may be kept back and sent together: they are visible to reads of the same unit of work,
and what is wrong with them is raised at the write, at a later read or at the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from ports.at_rest import SecretsAtRest
    from ports.audit import AuditLog
    from ports.chain_records import ChainRecords
    from ports.customers import Customers
    from ports.escrows import Escrows
    from ports.events import EventLog
    from ports.idempotency import IdempotencyKeys
    from ports.intents import Intents
    from ports.job_console import JobConsole
    from ports.jobs import Jobs
    from ports.key_usage import KeyUsage
    from ports.ledger import Ledger
    from ports.merchants import Merchants
    from ports.parking import Parking
    from ports.payout_destinations import PayoutDestinations
    from ports.people import People
    from ports.sandbox_orders import SandboxOrders
    from ports.settlements import Settlements
    from ports.star_payments import StarPayments
    from ports.suspense import Suspense
    from ports.sweeps import Sweeps
    from ports.treasury import Treasury
    from ports.webhooks import Webhooks


class NotFound(LookupError):
    """There is no such object, or it belongs to another merchant."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} {id}")
        self.kind = kind
        self.id = id


class AlreadyExists(Exception):
    """An object with this identity is stored already."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"{kind} {id} exists")
        self.kind = kind
        self.id = id


class StorageUnavailable(Exception):
    """The storage did not answer. Whether the last commit took place is unknown; try again."""

    retry_after_seconds = 1


class UnitOfWork(Protocol):
    """Everything stored, inside one transaction."""

    merchants: Merchants
    key_usage: KeyUsage
    people: People
    payout_destinations: PayoutDestinations
    intents: Intents
    customers: Customers
    escrows: Escrows
    ledger: Ledger
    parking: Parking
    sandbox: SandboxOrders
    settlements: Settlements
    suspense: Suspense
    sweeps: Sweeps
    treasury: Treasury
    star_payments: StarPayments
    webhooks: Webhooks
    chains: ChainRecords
    events: EventLog
    jobs: Jobs
    job_console: JobConsole
    idempotency: IdempotencyKeys
    audit: AuditLog
    at_rest: SecretsAtRest

    async def commit(self) -> None:
        """Make everything written so far durable, or raise and make nothing of it.

        Raises:
            AlreadyExists: an object was added twice.
            InsufficientFunds: a booking would take a constrained account below zero.
            StorageUnavailable: the storage did not answer.
        """
        ...


Begin: TypeAlias = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
"""Opens a unit of work."""
