"""Use cases of escrows: show, release, refund, release what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.submissions import RefundEscrow, ReleaseEscrow, Submission
from domain.escrow import events
from domain.escrow.model import EscrowAction
from domain.shared.ids import SubmissionId
from domain.shared.money import Assets
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime

    from domain.escrow.model import Escrow
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import IntentId, MerchantId
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class EscrowService:
    """What merchants ask of escrows; the contract does it, and the watcher sees that it did."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets

    async def get(self, *, owner: MerchantId, intent_id: IntentId) -> Escrow:
        """Return the escrow of an intent.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        async with self.begin() as work:
            return await work.escrows.of_intent(intent_id, owner=owner)

    async def release(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        idempotency: Idempotency[Escrow] | None = None,
    ) -> Escrow:
        """Ask the contract to pay the merchant.

        Raises:
            NotFound: there is no escrow, or it belongs to another merchant.
            EscrowTransitionRefused: the money is not held any more, or is disputed.
            EscrowActionInProgress: another request is under way.
        """
        return await self._ask(EscrowAction.RELEASE, owner, intent_id, idempotency)

    async def refund(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        idempotency: Idempotency[Escrow] | None = None,
    ) -> Escrow:
        """Ask the contract to pay the payer back, in full.

        Raises:
            NotFound: there is no escrow, or it belongs to another merchant.
            EscrowTransitionRefused: the money is not held any more, or is disputed.
            EscrowActionInProgress: another request is under way.
        """
        return await self._ask(EscrowAction.REFUND, owner, intent_id, idempotency)

    async def release_due(self, *, limit: int = 50) -> int:
        """Ask for the release of escrows whose auto-release time has come."""
        at = self.clock.now()
        async with self.begin() as work:
            due = await work.escrows.due_for_release(at=at, limit=limit)
        released = 0
        for escrow_id in due:
            async with self.begin() as work:
                escrow = await work.escrows.lock(escrow_id)
                if escrow is None or not escrow.may_auto_release(at=at):
                    continue
                await self._submit(work, escrow, EscrowAction.RELEASE, at=at)
                await work.commit()
            released += 1
        return released

    async def _ask(
        self,
        action: EscrowAction,
        owner: MerchantId,
        intent_id: IntentId,
        idempotency: Idempotency[Escrow] | None,
    ) -> Escrow:
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            escrow = await work.escrows.lock_of_intent(intent_id, owner=owner)
            asked = await self._submit(work, escrow, action, at=self.clock.now())
            if idempotency:
                await idempotency.keep(work, asked, owner=owner)
            await work.commit()
        return asked

    async def _submit(
        self, work: UnitOfWork, escrow: Escrow, action: EscrowAction, *, at: datetime
    ) -> Escrow:
        submission_id = SubmissionId(self.ids.new("submission"))
        asked = escrow.request(action, submission_id=submission_id)
        release = action is EscrowAction.RELEASE
        await work.chains.add_submission(
            Submission(
                id=submission_id,
                chain=escrow.terms.chain,
                instruction=(ReleaseEscrow if release else RefundEscrow)(escrow.terms),
                purpose=escrow.id,
                created_at=at,
            )
        )
        await work.escrows.save(asked)
        told = events.RELEASE_REQUESTED if release else events.REFUND_REQUESTED
        await work.events.record(events.happened(told, asked, at=at, assets=self.assets))
        await work.jobs.enqueue(
            "send_transactions",
            arguments={"chain": escrow.terms.chain},
            dedupe_key=f"send_transactions:{escrow.terms.chain}:now",
        )
        return asked
