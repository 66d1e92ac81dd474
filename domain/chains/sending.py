"""The sender: signs what is queued, once, and gets the signed bytes to the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.batches import batch_of, batched, instruction_of
from domain.chains.outcomes import Outcomes
from domain.chains.places import Places
from domain.chains.submissions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    SendMany,
    SendMoney,
    SubmissionState,
    SweepDeposit,
)
from domain.shared.ids import SubmissionId
from domain.shared.money import Assets, ChainId
from domain.sweeps.model import OPEN_MAX
from ports.chain import ChainSender, ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.submissions import Submission
    from domain.shared.money import AssetId
    from ports.chain import Prepared

IN_FLIGHT_MAX = 16
"""How many of the hot wallet's transactions may wait on one chain; nodes drop longer queues.

Deposit addresses have sequences of their own, with one transaction at a time.
"""

LOOKED_AT_MAX = IN_FLIGHT_MAX + OPEN_MAX
"""How many are looked at in one go, so that no sweep that waits keeps a payout from its turn."""

PARKED_MAX = 1_000
"""How many are looked at while an asset is parked, so that those in other assets are found."""


@attrs.frozen
class Sent:
    """What one round of sending did, in transactions."""

    signed: int
    """A batch is one, however many payouts are in it."""
    broadcast: int
    waiting: int
    """Not signed: the wallet lacks funds, the chain did not answer, or the asset is parked."""


@attrs.frozen
class Sender:
    """Sends the gateway's own transactions, exactly once each, whatever dies in between."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    senders: Mapping[ChainId, ChainSender]
    places: Mapping[ChainId, Places]

    async def send(self, *, chain: ChainId) -> Sent:
        """Broadcast again what was signed before, then sign and broadcast what is queued.

        Raises:
            ChainUnavailable: no node answered. What was signed stays signed.
            ChainParked: something on this chain cannot be right; nothing is sent.
            Exception: one transaction met a fault that only a person can mend; all others that
                could be sent were.
        """
        batch_max = self.senders[chain].batch_max
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is not None:
                cursor.must_move()
            in_flight = await work.chains.in_flight(chain, limit=LOOKED_AT_MAX)
            parked = {asset.asset for asset in await work.parking.all()}
            most = LOOKED_AT_MAX + IN_FLIGHT_MAX * (batch_max - 1)
            most = max(most, PARKED_MAX) if parked else most
            queued = await work.chains.queued(chain, limit=most)
        broadcast = 0
        for submission in in_flight:
            broadcast += await self._broadcast(submission)
        room = IN_FLIGHT_MAX - sum(not _of_deposit(submission) for submission in in_flight)
        free = [submission for submission in queued if not _moved_assets(submission) & parked]
        signed, waiting, fault = 0, len(queued) - len(free), None
        for group in batched(free, most=batch_max):
            of_deposit = _of_deposit(group[0])
            if room <= 0 and not of_deposit:
                continue
            try:
                fresh, left, wrong = await self._sign(group, room=room)
            except ChainUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 (the rest comes first; it is raised then)
                fresh, left, wrong = [], len(group), error
            fault = wrong or fault
            waiting += left
            signed += len(fresh)
            room -= 0 if of_deposit else len(fresh)
            for submission in fresh:
                broadcast += await self._broadcast(submission)
        if fault is not None:
            raise fault
        return Sent(signed=signed, broadcast=broadcast, waiting=waiting)

    async def _sign(
        self, group: Sequence[Submission], *, room: int
    ) -> tuple[list[Submission], int, Exception | None]:
        """Sign a group as one transaction; where that cannot be, as several.

        A batch that cannot be signed is cut in two, and so on, so that what is wrong with one
        payout is no other's.

        Returns:
            What was signed, how many must wait or never will be, and a fault of one of these.
        """
        signed: list[Submission] = []
        waiting, rest, fault = 0, [group], None
        while rest:
            some = rest.pop()
            if signed and len(signed) >= room:
                waiting += len(some)
                continue
            try:
                made = await self._sign_together(some)
            except (ChainUnavailable, StorageUnavailable):
                raise
            except Exception as error:  # noqa: BLE001 (told of one alone, when all had their turn)
                if len(some) > 1:
                    rest += [some[len(some) // 2 :], some[: len(some) // 2]]
                    continue
                waiting += 1
                if not isinstance(error, InstructionRefused | InsufficientFundsOnChain):
                    fault = error
                    continue
                await self._not_signed(some[0], error)
                if _lacks_fee(some[0], error):
                    # So do the others: they are not tried out one by one for that.
                    waiting += sum(len(others) for others in rest)
                    rest = []
            else:
                waiting += len(some) if made is None else 0
                signed += [] if made is None else [made]
        return signed, waiting, fault

    async def _sign_together(self, group: Sequence[Submission]) -> Submission | None:
        """Try them out as one transaction and sign it, unless another process was first."""
        sender = self.senders[group[0].chain]
        prepared = await sender.prepare(instruction_of(group))
        at_least = await sender.next_sequence(prepared.sender)
        return await self._store_signed(group, prepared, at_least=at_least)

    async def _not_signed(
        self, queued: Submission, refusal: InstructionRefused | InsufficientFundsOnChain
    ) -> None:
        if isinstance(refusal, InstructionRefused):
            await self._refuse(queued.id, refusal.reason, chain=queued.chain)
        elif _of_deposit(queued):
            # It was given what the fee was then. Another sweep gives it what that is now.
            await self._refuse(queued.id, f"lacks {refusal.asset}", chain=queued.chain)

    async def _store_signed(
        self, group: Sequence[Submission], prepared: Prepared, *, at_least: int
    ) -> Submission | None:
        """Take a place in the sequence, sign and store, all or nothing; nothing is sent yet.

        Of a batch, each submission ends in favour of the one that carries them all out. None is
        returned where another process was at one of them first: the rest has its turn again.
        """
        at, chain = self.clock.now(), group[0].chain
        async with self.begin() as work:
            if len(group) > 1:
                # As whoever books more than once, so that none who does can wait for the other.
                await work.chains.lock_cursor(chain)
            locked = [await work.chains.lock_submission(queued.id) for queued in group]
            if any(each.state is not SubmissionState.QUEUED for each in locked):
                return None
            for asset in sorted({asset for each in locked for asset in _moved_assets(each)}):
                if await work.parking.of(asset) is not None:
                    return None
            sequence = await work.chains.take_sequence(
                chain, sender=prepared.sender, at_least=at_least
            )
            bytes_ = await self.senders[chain].sign(prepared, sequence=sequence)
            if len(locked) == 1:
                submission = locked[0].sign(bytes_, at=at)
                await work.chains.save_submission(submission)
            else:
                id = SubmissionId(self.ids.new("submission"))
                submission = batch_of(locked, id=id, at=at).sign(bytes_, at=at)
                await work.chains.add_submission(submission)
                for each in locked:
                    await work.chains.save_submission(each.join(id))
            await self._outcomes(chain).signed(work, submission, bytes_, at=at)
            await work.commit()
        return submission

    async def _broadcast(self, submission: Submission) -> int:
        """Hand stored bytes to the chain; return 1 if a node has taken them for the first time."""
        if submission.signed is None or not submission.wants_broadcast(at=self.clock.now()):
            return await self._give_up_if_overdue(submission)
        try:
            await self.senders[submission.chain].broadcast(submission.signed)
        except ChainUnavailable:
            # Whether a node has the bytes is unknown. They are sent again, never others.
            return await self._give_up_if_overdue(submission)
        if submission.state is not SubmissionState.SIGNED:
            return await self._give_up_if_overdue(submission)
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            if locked.state is not SubmissionState.SIGNED:
                return 0
            taken = locked.broadcast()
            await work.chains.save_submission(taken)
            await self._outcomes(submission.chain).moved(work, taken, at=self.clock.now())
            await work.commit()
        return 1

    async def _give_up_if_overdue(self, submission: Submission) -> int:
        at = self.clock.now()
        if not submission.overdue(at=at):
            return 0
        async with self.begin() as work:
            locked = await work.chains.lock_submission(submission.id)
            if locked.overdue(at=at):
                lost = locked.lose(reason="in no block for too long")
                await work.chains.save_submission(lost)
                await self._outcomes(submission.chain).moved(work, lost, at=at)
                await work.commit()
        return 0

    async def _refuse(self, id: SubmissionId, reason: str, *, chain: ChainId) -> None:
        at = self.clock.now()
        async with self.begin() as work:
            submission = await work.chains.lock_submission(id)
            if submission.state is not SubmissionState.QUEUED:
                return
            refused = submission.refuse(reason=reason)
            await work.chains.save_submission(refused)
            await self._outcomes(chain).refused(work, refused, at=at)
            await work.commit()

    def _outcomes(self, chain: ChainId) -> Outcomes:
        return Outcomes(self.ids, self.assets, self.places[chain])


def _of_deposit(submission: Submission) -> bool:
    """Tell whether a deposit address sends it, and not the hot wallet."""
    return isinstance(submission.instruction, SweepDeposit)


def _moved_assets(submission: Submission) -> frozenset[AssetId]:
    """Return the assets that a submission moves, its fee apart."""
    match submission.instruction:
        case ReleaseEscrow(terms=terms) | RefundEscrow(terms=terms):
            return frozenset({terms.money.asset})
        case SendMany(parts=parts):
            return frozenset(part.send.money.asset for part in parts)
        case SendMoney(money=money) | FundGas(money=money) | SweepDeposit(money=money):
            return frozenset({money.asset})


def _lacks_fee(
    submission: Submission, refusal: InstructionRefused | InsufficientFundsOnChain
) -> bool:
    """Tell whether the hot wallet lacks what it pays the network with, and not what it sends."""
    return (
        isinstance(refusal, InsufficientFundsOnChain)
        and not _of_deposit(submission)
        and refusal.asset not in _moved_assets(submission)
    )
