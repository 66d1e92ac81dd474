"""The blocks of an in-memory chain: what waits, what is mined, what is undone again."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from adapters.memory.chain_state import Reverted
from adapters.memory.tables import Table
from domain.chains.model import Block, Observation, ObservationKey
from domain.chains.submissions import Inclusion
from domain.shared.money import Money

if TYPE_CHECKING:
    from adapters.memory.chain_state import ChainState
    from domain.shared.money import ChainId
    from ports.clock import Clock


@attrs.frozen
class PendingTransaction:
    """A transaction that waits for a block."""

    hash: str
    effect: Callable[[datetime], Collection[int] | None]
    """What it does in a block of that time, or ``Reverted``; returns a batch's failed parts."""
    sender: str | None = None
    """Who pays for it and numbers it; None where its sender is not watched."""
    sequence: int = 0
    cost: int = 0
    """The network's fee, in the native coin's smallest unit."""
    valid_until: datetime | None = None
    """The time of the last block that takes it in."""
    gapless: bool = True
    """Whether all that its sender has numbered before it must be in blocks."""
    offer: int = 0
    """What it offers the network; more than the network asks is of no use."""


@attrs.frozen
class MinedBlock:
    """A block, what is in it, and where the journal stood before it."""

    block: Block
    transactions: tuple[PendingTransaction, ...]
    observations: tuple[Observation, ...]
    inclusions: tuple[Inclusion, ...]
    mark: int


class Blocks:
    """The chain of blocks, from number 0 on, and the pool of what waits."""

    def __init__(self, *, chain: ChainId, clock: Clock, state: ChainState) -> None:
        self.mined: list[MinedBlock] = []
        self.pool: list[PendingTransaction] = []
        self.asked = 0
        """What the network asks of transactions with a sender who is watched."""
        self._chain = chain
        self._clock = clock
        self._state = state
        self._sequences: Table[str, int] = Table(state.journal)
        self._used: Table[tuple[str, int], str] = Table(state.journal)
        self._salts = itertools.count()
        self._number_of: dict[str, int] = {}
        self.mine()

    @property
    def latest(self) -> int:
        """The number of the newest block."""
        return len(self.mined) - 1

    def sequence(self, sender: str) -> int:
        """Return the number after the highest one of a sender's that is in a block."""
        return self._sequences.get(sender) or 0

    def is_used(self, sender: str, sequence: int) -> bool:
        """Tell whether a transaction of that number is in a block."""
        return (sender, sequence) in self._used

    def take(self, pending: PendingTransaction) -> bool:
        """Let a transaction of a watched sender wait, in the place of one that offers less.

        False where another one of its number is in a block, or offers as much.
        """
        sender, sequence = str(pending.sender), pending.sequence
        rivals = [it for it in self.pool if (it.sender, it.sequence) == (sender, sequence)]
        if self.is_used(sender, sequence) or any(it.offer >= pending.offer for it in rivals):
            return False
        self.pool = [it for it in self.pool if it not in rivals]
        self.pool.append(pending)
        return True

    def knows(self, hash: str) -> bool:
        """Tell whether a transaction waits or is in a block."""
        return hash in self._number_of or any(it.hash == hash for it in self.pool)

    def number_of(self, hash: str) -> int | None:
        """Return the number of the block that a transaction is in, or None if it is in none."""
        return self._number_of.get(hash)

    def mine(self) -> None:
        """Make the next block of what waits and can be included."""
        number = len(self.mined)
        parent = self.mined[-1].block if self.mined else None
        time = max(self._clock.now(), parent.time) if parent else self._clock.now()
        hash = _hash(f"{self._chain}/{number}/{next(self._salts)}")
        block = Block(number, hash, parent.hash if parent else _hash(self._chain), time)
        self._state.number = number
        mark = self._state.journal.mark()
        taken: list[PendingTransaction] = []
        observations: list[Observation] = []
        inclusions: list[Inclusion] = []
        for pending in sorted(self.pool, key=lambda it: it.sequence):
            if pending.sender is not None and not self._is_next(pending):
                continue
            if pending.valid_until is not None and time > pending.valid_until:
                continue
            taken.append(pending)
            failed = self._carry_out(pending, time)
            for fact in self._state.facts:
                key = ObservationKey(self._chain, pending.hash, len(observations))
                observations.append(Observation(key, block, fact))
            cost = Money(pending.cost, self._state.native)
            succeeded = failed is not None
            inclusions.append(
                Inclusion(pending.hash, number, hash, succeeded, cost, frozenset(failed or ()))
            )
            self._number_of[pending.hash] = number
        hashes = {it.hash for it in taken}
        waiting = [it for it in self.pool if it.hash not in hashes]
        self.pool = [it for it in waiting if it.valid_until is None or time <= it.valid_until]
        self.mined.append(
            MinedBlock(block, tuple(taken), tuple(observations), tuple(inclusions), mark)
        )

    def unmine(self, *, dropped: frozenset[str]) -> None:
        """Undo the newest block; what was in it waits again, but for what is dropped."""
        undone = self.mined.pop()
        self._state.journal.undo(to=undone.mark)
        for transaction in undone.transactions:
            del self._number_of[transaction.hash]
        back = [it for it in undone.transactions if it.hash not in dropped]
        self.pool = [*back, *self.pool]

    def followed(self, inclusion: Inclusion, *, latest: int) -> Inclusion:
        """Return an inclusion as it looks to who has the blocks up to one.

        What it has set off travels on, and it has not ended before that has arrived.
        """
        travels = self._state.nature.travels
        if not travels:
            return inclusion
        landed = inclusion.block_number
        if landed + travels > latest:
            return attrs.evolve(inclusion, settled=False)
        block = self.mined[landed + travels].block
        return attrs.evolve(
            inclusion, block_number=block.number, block_hash=block.hash, landed=landed
        )

    def succeeds(self, pending: PendingTransaction) -> str | None:
        """Try a transaction out on the newest block; return why it is refused, or None."""
        mark = self._state.journal.mark()
        self._state.facts = []
        try:
            pending.effect(max(self._clock.now(), self.mined[-1].block.time))
        except Reverted as reverted:
            return str(reverted)
        else:
            return None
        finally:
            self._state.journal.undo(to=mark)
            self._state.facts = []

    def _is_next(self, pending: PendingTransaction) -> bool:
        sender = str(pending.sender)
        can_pay = self._state.balance(sender, self._state.native) >= pending.cost
        can_pay = can_pay and pending.offer >= self.asked
        return can_pay and not self.is_used(sender, pending.sequence) and self._in_turn(pending)

    def _in_turn(self, pending: PendingTransaction) -> bool:
        """Tell whether its number is the one that is next, where that matters."""
        return not pending.gapless or pending.sequence == self.sequence(str(pending.sender))

    def _carry_out(self, pending: PendingTransaction, time: datetime) -> Collection[int] | None:
        """Carry it out; return which parts of it failed, or None where all of it did."""
        if pending.sender is not None:
            sender = pending.sender
            self._sequences.put(sender, max(self.sequence(sender), pending.sequence + 1))
            self._used.put((sender, pending.sequence), pending.hash)
            self._state.charge(pending.sender, Money(pending.cost, self._state.native))
        mark = self._state.journal.mark()
        self._state.facts = []
        try:
            failed = pending.effect(time)
        except Reverted:
            self._state.journal.undo(to=mark)
            self._state.facts = []
            return None
        return failed or ()


def _hash(text: str) -> str:
    return "0x" + hashlib.sha256(text.encode()).hexdigest()
