"""Carrying out what test accounts have ordered: the worker's part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.chains.places import Places
from domain.escrow.model import EscrowTerms
from domain.intents.model import IntentStatus, SharedAddress, StarsInvoice
from domain.sandbox.model import (
    AdvanceClock,
    FailDeliveries,
    NotADevnet,
    OrderState,
    Pay,
    Reorganize,
)
from domain.shared.modes import Mode
from domain.shared.money import ChainId
from ports.chain import ChainUnavailable
from ports.clock import Clock
from ports.sandbox import Sandbox, SandboxRefused, WrongSandbox
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent, PayTo
    from domain.sandbox.model import SandboxOrder
    from domain.shared.ids import IntentId, SandboxOrderId
    from ports.unit_of_work import UnitOfWork

INTERRUPTED: Final = "interrupted: whether it was done, nobody knows, and it is not done again"

NO_DEVNET: Final = "the worker knows no such devnet"

KEPT: Final = timedelta(days=30)
"""How long orders are kept after their end."""
PRUNED_MAX: Final = 1000
"""How many are dropped in one transaction."""

_UNPAID: Final = {IntentStatus.REQUIRES_PAYMENT}


@attrs.frozen
class SandboxWorks:
    """Carries orders out: in the database at once, on a devnet once at the most."""

    begin: Begin
    clock: Clock
    places: Mapping[ChainId, Places]
    sandboxes: Mapping[ChainId, Sandbox]

    async def carry_out(self, *, order_id: SandboxOrderId) -> None:
        """Carry an order out; one that has ended is left as it is.

        That a devnet is about to be asked is stored before it is. One that was asked by a process
        that has died since ends as unknown, because a devnet signs by itself, and nobody knows
        its transaction's hash before it is sent.
        """
        at = self.clock.now()
        async with self.begin() as work:
            order = await work.sandbox.lock(order_id)
            if order.state is not OrderState.PENDING:
                return
            if order.begun_at is not None:
                order = order.lose(INTERRUPTED, at=at)
            elif isinstance(order.task, AdvanceClock):
                order = await self._advance(work, order, order.task.seconds, at=at)
            else:
                order = order.begin(at=at)
            if isinstance(order.task, Pay) and order.task.late and order.ended_at is None:
                await self._end_time_of(work, order.task.intent_id)
            await work.sandbox.save(order)
            await work.commit()
        if order.ended_at is None:
            await self._on_devnet(order)

    async def prune(self) -> int:
        """Drop some orders that ended longer ago than they are kept; return how many."""
        async with self.begin() as work:
            pruned = await work.sandbox.prune(
                ended_before=self.clock.now() - KEPT, limit=PRUNED_MAX
            )
            await work.commit()
        return pruned

    async def _advance(
        self, work: UnitOfWork, order: SandboxOrder, seconds: int, *, at: datetime
    ) -> SandboxOrder:
        """Bring nearer what the account waits for, and wake those who look for what is due."""
        by = timedelta(seconds=seconds)
        await work.sandbox.bring_nearer(owner=order.merchant_id, by=by, at=at)
        await work.jobs.enqueue("release_escrows", dedupe_key="release_escrows:now")
        await work.jobs.enqueue("deliver_webhooks", dedupe_key="deliver_webhooks:now")
        for chain, place in self.places.items():
            if place.mode is Mode.TEST:
                await work.jobs.enqueue(
                    "expire_intents",
                    arguments={"chain": chain},
                    dedupe_key=f"expire_intents:{chain}:now",
                )
        return order.done(at=at)

    async def _end_time_of(self, work: UnitOfWork, intent_id: IntentId) -> None:
        """Have the time to pay an intent be over by the newest final block that was read.

        Any block that is made from now on is later than that.
        """
        intent = await work.intents.lock(intent_id, owner=None)
        cursor = await work.chains.cursor(ChainId(intent.pay_to.chain))
        if cursor is None or intent.status not in _UNPAID:
            return
        over = min(intent.expires_at, cursor.final.time - timedelta(seconds=1))
        await work.intents.save(attrs.evolve(intent, expires_at=over))

    async def _on_devnet(self, begun: SandboxOrder) -> None:
        """Have a devnet do what was ordered, and note what came of it."""
        transaction, lost = None, ""
        try:
            transaction = await self._ask(begun)
        except (SandboxRefused, WrongSandbox) as error:
            failure = error.reason
        except NotADevnet:
            failure = NO_DEVNET
        except ChainUnavailable as error:
            failure, lost = "", f"no answer, and whether it was done, nobody knows: {error}"
        else:
            failure = ""
        at = self.clock.now()
        async with self.begin() as work:
            order = await work.sandbox.lock(begun.id)
            if lost:
                ended = order.lose(lost, at=at)
            elif failure:
                ended = order.fail(failure, at=at)
            else:
                ended = order.done(at=at, transaction=transaction)
            await work.sandbox.save(ended)
            await work.commit()

    async def _ask(self, order: SandboxOrder) -> str | None:
        match order.task:
            case Reorganize(chain=chain, depth=depth):
                sandbox = await self._ready(chain)
                await sandbox.reorganize(depth=depth)
                return None
            case Pay(intent_id=intent_id):
                async with self.begin() as work:
                    intent = await work.intents.get(intent_id, owner=order.merchant_id)
                return await self._pay(order.task, intent)
            case AdvanceClock() | FailDeliveries():
                raise TypeError(order.task)

    async def _pay(self, task: Pay, intent: PaymentIntent) -> str:
        sandbox = await self._ready(intent.pay_to.chain)
        if isinstance(intent.pay_to, EscrowTerms):
            return await sandbox.pay_escrow(intent.pay_to)
        target, memo = _address(intent.pay_to)
        return await sandbox.pay(target=target, money=task.money, memo=memo)

    async def _ready(self, chain: ChainId) -> Sandbox:
        """Return a chain's sandbox, which answers, and has done nothing yet.

        Raises:
            NotADevnet: the worker has none.
            WrongSandbox: the node is no devnet.
            SandboxRefused: it does not answer.
        """
        sandbox = self.sandboxes.get(chain)
        if sandbox is None:
            raise NotADevnet(chain)
        try:
            await sandbox.check()
        except ChainUnavailable as error:
            raise SandboxRefused(f"the devnet does not answer: {error}") from error
        return sandbox


def _address(to: PayTo) -> tuple[str, str | None]:
    """Return where a payer pays, and what is written beside it."""
    if isinstance(to, SharedAddress):
        return to.wallet, to.memo
    if isinstance(to, StarsInvoice | EscrowTerms):
        raise NotADevnet(to.chain)
    return to.address, None
