"""The kinds of job there are: what queue each belongs to, and how urgent it is.

Whoever promises a job names its kind; everything else about it is looked up here.
"""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import Final

import attrs


class Queue(enum.StrEnum):
    """What jobs are about. An operator pauses a queue; a worker may serve some alone."""

    CHAINS = "chains"
    MONEY = "money"
    WEBHOOKS = "webhooks"
    UPKEEP = "upkeep"


class Priority(enum.IntEnum):
    """How urgent a kind of job is; the smaller is taken first."""

    URGENT = 0
    NORMAL = 1
    PATIENT = 2

    @property
    def behind(self) -> int:
        """The standing of a job that was put off or has failed before: one class back.

        However many jobs come due again at once, one that is in time does not wait for them.
        """
        return self + 1


STANDINGS: Final = len(Priority) + 1
"""How many classes there are to claim from: the priorities, and one behind the last."""


@attrs.frozen
class Kind:
    """How jobs of one kind are run."""

    queue: Queue = Queue.UPKEEP
    priority: Priority = Priority.NORMAL
    attempts_max: int = 20
    time_limit: timedelta = timedelta(minutes=10)
    """What takes longer has hung: the worker cancels it, which counts as a failure."""


KINDS: Final = {
    "watch_chain": Kind(Queue.CHAINS, Priority.URGENT),
    "send_transactions": Kind(Queue.MONEY, Priority.URGENT),
    "run_settlements": Kind(Queue.MONEY),
    "release_escrows": Kind(Queue.MONEY),
    "sweep_deposits": Kind(Queue.MONEY),
    "apply_destinations": Kind(Queue.MONEY),
    "expire_holds": Kind(Queue.MONEY),
    "reconcile": Kind(Queue.MONEY),
    "rebalance_wallets": Kind(Queue.MONEY),
    "check_gas_tanks": Kind(Queue.UPKEEP),
    "refund_stars": Kind(Queue.MONEY),
    "reconcile_stars": Kind(Queue.MONEY),
    "mature_stars": Kind(Queue.MONEY),
    "hand_over_events": Kind(Queue.WEBHOOKS, Priority.URGENT),
    "deliver_webhooks": Kind(Queue.WEBHOOKS),
    "deliver_webhook": Kind(Queue.WEBHOOKS),
    "expire_intents": Kind(Queue.UPKEEP),
    "seal_books": Kind(Queue.UPKEEP),
    "seal_audit": Kind(Queue.UPKEEP),
    "keep_rates": Kind(Queue.UPKEEP),
    "carry_out_test_order": Kind(Queue.UPKEEP, attempts_max=5),
    "prune_jobs": Kind(Queue.UPKEEP, Priority.PATIENT),
    "forget_answers": Kind(Queue.UPKEEP, Priority.PATIENT),
    "prune_deliveries": Kind(Queue.UPKEEP, Priority.PATIENT),
    "prune_test_orders": Kind(Queue.UPKEEP, Priority.PATIENT),
    "prune_key_usage": Kind(Queue.UPKEEP, Priority.PATIENT),
    "look_at_chain": Kind(Queue.UPKEEP),
    "look_at_queues": Kind(Queue.UPKEEP),
    "prune_platform_events": Kind(Queue.UPKEEP, Priority.PATIENT),
}

_ANY: Final = Kind()


def kind_of(name: str) -> Kind:
    """Return how jobs of a name are run; one that is not in the table is upkeep."""
    return KINDS.get(name, _ANY)
