"""The sender: signs what is queued, once, and gets the signed bytes to the chain."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.chains.batches import batch_of, batched, instruction_of
from domain.chains.broadcasting import Broadcasting
from domain.chains.instructions import (
    FundGas,
    RefundEscrow,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
)
from domain.chains.outcomes import Outcomes
from domain.chains.places import Places
from domain.chains.replacing import Replacing
from domain.chains.sequences import CHECK_EVERY, KeyUsedElsewhere, Sequences
from domain.chains.submissions import SubmissionState
from domain.shared.ids import SubmissionId
from domain.shared.money import Assets, ChainId
from domain.sweeps.model import OPEN_MAX
from ports.chain import ChainSender, ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

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
    """A batch is one, however much is in it."""
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
    _reconciled: dict[ChainId, datetime] = attrs.field(factory=dict, init=False, eq=False)
    """When this process has last compared a chain's count of transactions with ours."""

    async def send(self, *, chain: ChainId) -> Sent:
        """Broadcast again what was signed before, then sign and broadcast what is queued.

        What waits because it offers too little is replaced, and what an operator has taken back.

        Raises:
            ChainUnavailable: no node answered. What was signed stays signed.
            ChainParked: something on this chain cannot be right; nothing is sent.
            KeyUsedElsewhere: the chain knows transactions of the hot wallet that we do not. It
                is parked.
            Exception: one transaction met a fault that only a person can mend; all others that
                could be sent were.
        """
        payouts, releases = self.senders[chain].batch_max, self.senders[chain].releases_max
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is not None:
                cursor.must_move()
            in_flight = await work.chains.in_flight(chain, limit=LOOKED_AT_MAX)
            parked = {asset.asset for asset in await work.parking.all()}
            most = LOOKED_AT_MAX + IN_FLIGHT_MAX * (max(payouts, releases) - 1)
            most = max(most, PARKED_MAX) if parked else most
            queued = await work.chains.queued(chain, limit=most)
        seen = None if cursor is None else cursor.seen.number
        broadcast, fault = await self._look_after(in_flight, parked, seen=seen)
        await self._reconcile(chain)
        room = IN_FLIGHT_MAX - sum(not _of_deposit(submission) for submission in in_flight)
        free = [submission for submission in queued if not _moved_assets(submission) & parked]
        signed, waiting = 0, len(queued) - len(free)
        for group in batched(free, payouts=payouts, releases=releases):
            of_deposit = _of_deposit(group[0])
            if room <= 0 and not of_deposit:
                continue
            try:
                fresh, left, wrong = await self._sign(group, room=room, seen=seen)
            except (ChainUnavailable, KeyUsedElsewhere):
                raise
            except Exception as error:  # noqa: BLE001 (the rest comes first; it is raised then)
                fresh, left, wrong = [], len(group), error
            fault = wrong or fault
            waiting += left
            signed += len(fresh)
            room -= 0 if of_deposit else len(fresh)
            for submission in fresh:
                broadcast += await self._broadcasting(chain).broadcast(submission)
        if fault is not None:
            raise fault
        return Sent(signed=signed, broadcast=broadcast, waiting=waiting)

    async def _reconcile(self, chain: ChainId) -> None:
        """Compare counts when this process begins with a chain, and every few minutes."""
        now, before = self.clock.now(), self._reconciled.get(chain)
        if before is not None and now < before + CHECK_EVERY:
            return
        with suppress(ChainUnavailable):
            await Sequences(self.begin, self.clock, self.senders[chain]).reconcile()
            self._reconciled[chain] = now

    async def _look_after(
        self, in_flight: Sequence[Submission], parked: AbstractSet[AssetId], *, seen: int | None
    ) -> tuple[int, Exception | None]:
        """Broadcast again what waits, or sign and broadcast others with the same number.

        Returns:
            How many a node has taken for the first time, and a fault of one of them.
        """
        taken, fault = 0, None
        for submission in in_flight:
            broadcasting = self._broadcasting(submission.chain)
            taken += await broadcasting.broadcast(submission)
            if _moved_assets(submission) & parked and not submission.unwanted:
                continue
            sender, outcomes = self.senders[submission.chain], self._outcomes(submission.chain)
            try:
                replacing = Replacing(self.begin, sender, outcomes)
                at = self.clock.now()
                replaced = await replacing.replace(submission, seen=seen, at=at)
            except StorageUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 (the rest comes first; it is raised then)
                fault = error
                continue
            if replaced is not None:
                await broadcasting.hand_over(replaced)
        return taken, fault

    async def _sign(
        self, group: Sequence[Submission], *, room: int, seen: int | None
    ) -> tuple[list[Submission], int, Exception | None]:
        """Sign a group as one transaction; where that cannot be, as several.

        A batch that cannot be signed is cut in two, and so on, so that what is wrong with one
        payout or escrow is no other's.

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
                made = await self._sign_together(some, seen=seen)
            except (ChainUnavailable, KeyUsedElsewhere, StorageUnavailable):
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

    async def _sign_together(
        self, group: Sequence[Submission], *, seen: int | None
    ) -> Submission | None:
        """Try them out as one transaction and sign it, unless another process was first."""
        sender = self.senders[group[0].chain]
        prepared = await sender.prepare(instruction_of(group))
        at_least = await Sequences(self.begin, self.clock, sender).next_of(prepared.sender)
        return await self._store_signed(group, prepared, at_least=at_least, seen=seen)

    async def _not_signed(
        self, queued: Submission, refusal: InstructionRefused | InsufficientFundsOnChain
    ) -> None:
        if isinstance(refusal, InstructionRefused):
            await self._refuse(queued.id, refusal.reason, chain=queued.chain)
        elif _of_deposit(queued):
            # It was given what the fee was then. Another sweep gives it what that is now.
            await self._refuse(queued.id, f"lacks {refusal.asset}", chain=queued.chain)

    async def _store_signed(
        self,
        group: Sequence[Submission],
        prepared: Prepared,
        *,
        at_least: int,
        seen: int | None,
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
                submission = locked[0].sign(bytes_, at=at, after=seen)
                await work.chains.save_submission(submission)
            else:
                id = SubmissionId(self.ids.new("submission"))
                submission = batch_of(locked, id=id, at=at).sign(bytes_, at=at, after=seen)
                await work.chains.add_submission(submission)
                for each in locked:
                    await work.chains.save_submission(each.join(id))
                await self._outcomes(chain).joined(work, locked, submission)
            await self._outcomes(chain).signed(work, submission, bytes_, at=at)
            await work.commit()
        return submission

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

    def _broadcasting(self, chain: ChainId) -> Broadcasting:
        return Broadcasting(self.begin, self.clock, self.senders[chain], self._outcomes(chain))

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
        case ReleaseMany(releases=releases):
            return frozenset(it.release.terms.money.asset for it in releases)
        case SendMany(parts=parts):
            return frozenset(part.send.money.asset for part in parts)
        case SweepMany(places=places):
            return frozenset(place.sweep.money.asset for place in places)
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
