"""Orders of test accounts: what is hard to wait for, made to happen, and what came of it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import ClassVar, Final, TypeAlias

import attrs

from domain.intents.model import Method
from domain.shared.ids import EndpointId, IntentId, MerchantId, SandboxOrderId
from domain.shared.money import ChainId, Money
from domain.webhooks.endpoint import SimulatedAnswer

ADVANCE_MAX: Final = 400 * 86_400
"""How far one order brings deadlines nearer, in seconds: a year, and what lies behind it."""

DEPTH_MAX: Final = 20
"""How many blocks one order replaces."""

TIMES_MAX: Final = 100
"""How many deliveries one order has fail."""


class OrderState(enum.StrEnum):
    """Where an order stands. ``unknown`` is neither success nor failure, and stays so."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@attrs.frozen
class NotATestAccount(Exception):
    """Only a test account can order what would otherwise have to be waited for."""

    merchant_id: MerchantId


@attrs.frozen
class NotADevnet(Exception):
    """The chain is no devnet of this installation: what happens there, nobody can order."""

    chain: ChainId


@attrs.frozen
class NothingDue(Exception):
    """All that was due has been paid. Name an amount to pay more."""

    intent_id: IntentId


@attrs.frozen
class AssetOfOtherChain(ValueError):
    """An intent is paid on its own chain; this asset is of another."""

    asset: str
    chain: ChainId


@attrs.frozen
class OnlyWhatIsDue(Exception):
    """The contract takes what its terms say, once and in time; this it would refuse."""

    method: Method


@attrs.frozen
class ReachesFinal(Exception):
    """So many of the newest blocks cannot be replaced: a final one would be among them."""

    chain: ChainId
    depth: int
    maximum: int
    """How many can be, by what the gateway has read of the chain."""


@attrs.frozen
class Pay:
    """Pay an intent as a payer would."""

    intent_id: IntentId
    money: Money
    late: bool = False
    """Bring the intent's end about first."""

    action: ClassVar = "pay"


@attrs.frozen
class AdvanceClock:
    """Bring nearer all that the account waits for."""

    seconds: int

    action: ClassVar = "advance_clock"


@attrs.frozen
class Reorganize:
    """Replace a devnet's newest blocks."""

    chain: ChainId
    depth: int

    action: ClassVar = "reorg"


@attrs.frozen
class FailDeliveries:
    """Have the next deliveries to an endpoint fail without asking it; None: no more of them."""

    endpoint_id: EndpointId
    answer: SimulatedAnswer | None
    times: int

    action: ClassVar = "fail_deliveries"


Task: TypeAlias = Pay | AdvanceClock | Reorganize | FailDeliveries


@attrs.frozen
class SandboxOrder:
    """Something ordered by a test account.

    What is done outside the database, a payment or a reorganization, is begun once. Whoever finds
    it begun and not ended cannot know whether it was done: it is ``unknown``, and never repeated.
    """

    id: SandboxOrderId
    merchant_id: MerchantId
    task: Task
    created_at: datetime
    state: OrderState = OrderState.PENDING
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    """Why it failed, or why nobody knows."""
    transaction: str | None = None
    """The hash of the payment's transaction."""

    def begin(self, *, at: datetime) -> SandboxOrder:
        """Note that the devnet is about to be asked."""
        return attrs.evolve(self, begun_at=at)

    def done(self, *, at: datetime, transaction: str | None = None) -> SandboxOrder:
        """End well."""
        return attrs.evolve(
            self, state=OrderState.DONE, ended_at=at, reason=None, transaction=transaction
        )

    def fail(self, reason: str, *, at: datetime) -> SandboxOrder:
        """End without an effect."""
        return attrs.evolve(self, state=OrderState.FAILED, ended_at=at, reason=reason)

    def lose(self, reason: str, *, at: datetime) -> SandboxOrder:
        """Give up finding out whether it had an effect."""
        return attrs.evolve(self, state=OrderState.UNKNOWN, ended_at=at, reason=reason)
