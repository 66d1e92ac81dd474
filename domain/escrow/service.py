"""Use cases of escrows: show, release, refund, release what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import RefundEscrow, ReleaseEscrow
from domain.chains.submissions import Submission
from domain.chains.waking import wake_sender
from domain.escrow import events
from domain.escrow.model import EscrowAction
from domain.shared.ids import SubmissionId
from domain.shared.money import Assets
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.escrow.model import Escrow
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import EscrowId, IntentId, MerchantId
    from domain.shared.money import ChainId
    from ports.unit_of_work import UnitOfWork

DUE_MAX = 1_000
"""How many escrows that are due one run asks for; the next run finds the rest."""

TOGETHER_MAX = 50
"""How many are asked for in one unit of work, as many as the contract is given at once."""


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

    async def release_due(self, *, limit: int = DUE_MAX) -> int:
        """Ask for the release of escrows whose auto-release time has come; return how many.

        So many as can share a transaction are asked for together, and the sender finds them all.
        """
        at = self.clock.now()
        async with self.begin() as work:
            due = await work.escrows.due_for_release(at=at, limit=limit)
        by_chain: dict[ChainId, list[EscrowId]] = {}
        for it in due:
            by_chain.setdefault(it.chain, []).append(it.id)
        released = 0
        for chain, ids in by_chain.items():
            for first in range(0, len(ids), TOGETHER_MAX):
                together = ids[first : first + TOGETHER_MAX]
                released += await self._release_together(chain, together, at=at)
        return released

    async def _release_together(
        self, chain: ChainId, ids: Sequence[EscrowId], *, at: datetime
    ) -> int:
        released = 0
        async with self.begin() as work:
            # As whoever changes several at once, so that none who does can wait for the other.
            await work.chains.lock_cursor(chain)
            for escrow_id in ids:
                escrow = await work.escrows.lock(escrow_id)
                if escrow is None or not escrow.may_auto_release(at=at):
                    continue
                # What has come to nothing before goes alone: it may be what is wrong with others.
                release = ReleaseEscrow(escrow.terms, due=escrow.failure is None)
                await self._submit(work, escrow, EscrowAction.RELEASE, release, at=at)
                released += 1
            if released:
                await wake_sender(work, chain)
                await work.commit()
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
            release = action is EscrowAction.RELEASE
            instruction = (ReleaseEscrow if release else RefundEscrow)(escrow.terms)
            asked = await self._submit(work, escrow, action, instruction, at=self.clock.now())
            await wake_sender(work, escrow.terms.chain)
            if idempotency:
                await idempotency.keep(work, asked, owner=owner)
            await work.commit()
        return asked

    async def _submit(
        self,
        work: UnitOfWork,
        escrow: Escrow,
        action: EscrowAction,
        instruction: ReleaseEscrow | RefundEscrow,
        *,
        at: datetime,
    ) -> Escrow:
        submission_id = SubmissionId(self.ids.new("submission"))
        asked = escrow.request(action, submission_id=submission_id)
        await work.chains.add_submission(
            Submission(
                id=submission_id,
                chain=escrow.terms.chain,
                instruction=instruction,
                purpose=escrow.id,
                created_at=at,
            )
        )
        await work.escrows.save(asked)
        release = action is EscrowAction.RELEASE
        told = events.RELEASE_REQUESTED if release else events.REFUND_REQUESTED
        await work.events.record(events.happened(told, asked, at=at, assets=self.assets))
        return asked
